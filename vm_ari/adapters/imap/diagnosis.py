"""Trying one user's mailbox, step by step, for an admin (MAIL-04, MAIL-07)."""

import time
from dataclasses import dataclass, replace

from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import CannotTrust, LoginRefused, NoSuchFolder
from vm_ari.adapters.imap.logins import PasswordLogin
from vm_ari.adapters.imap.mailbox import ImapMailboxes
from vm_ari.adapters.imap.session import Session
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable

_USEFUL = ("MOVE", "UIDPLUS", "CONDSTORE", "ESEARCH", "SPECIAL-USE", "QUOTA")
"""Everything works without them, some of it more slowly."""


@dataclass(frozen=True)
class Trial:
    """What came of it; empty where it did not come so far."""

    server: str = ""
    security: str = ""
    login: str = ""
    """As whom, never with which password."""
    folder: str = ""
    """Its name on the server."""
    seconds: float = 0.0
    """From nothing to the opened folder."""
    counts: Counts | None = None
    quota: str = ""
    lacks: tuple[str, ...] = ()
    """Useful capabilities that the server has not."""
    problem: str = ""
    advice: str = ""


async def try_mailbox(doorman: Doorman, user: User) -> Trial:
    """Open it, count and look at the quota; nothing is changed but marks of recognised messages."""
    trial = Trial()
    try:
        door = await doorman.open(user)
        trial = _way(door)
        began = time.monotonic()
        folder, lacks = await door.run(lambda session: _look(session, door))
        seconds = time.monotonic() - began
        trial = replace(trial, folder=folder, lacks=lacks, seconds=seconds)
        async with ImapMailboxes(doorman).open(user) as mailbox:
            trial = replace(trial, counts=await mailbox.counts())
            quota = await mailbox.quota()
            told = f"{quota.used} of {quota.allowed} KiB" if quota else "none"
            return replace(trial, quota=told)
    except MailboxUnavailable as error:
        return replace(trial, problem=str(error), advice=_advice(error, trial))


def _way(door: Open) -> Trial:
    server, login = door.pool.server, door.entrance.login
    name = login.name
    if isinstance(login, PasswordLogin) and login.acts_as:
        name = f"{login.name} for {login.acts_as}"
    return Trial(str(server), server.security.name, name)


def _look(session: Session, door: Open) -> tuple[str, tuple[str, ...]]:
    opened = door.folders.open_inbox(session)
    return opened.name, tuple(name for name in _USEFUL if not session.has(name))


def _advice(error: MailboxUnavailable, trial: Trial) -> str:
    match error:
        case CannotTrust():
            return "Name the authority's file (imap.ca_file), or the server's right name."
        case LoginRefused() if " for " in trial.login:
            return "Does the server let this account act for others? Else try another imap.way."
        case LoginRefused():
            return "Correct the name (imap.login, imap.alias) or the password."
        case NoSuchFolder():
            return "Correct imap.path or the user's folder, or give the account rights there."
        case _ if not trial.server:
            return "Look at the user's data in the directory, and at [imap]."
        case _:
            return "Is it running, and are host and port right?"
