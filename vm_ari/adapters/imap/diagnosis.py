"""Trying one user's mailbox, step by step, for an admin (MAIL-04, MAIL-07)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vm_ari.adapters.examination.certificates import advice_on
from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import (
    CannotTrust,
    ConnectionLost,
    LoginRefused,
    NoSuchFolder,
    PasswordMissing,
    ReadOnly,
)
from vm_ari.adapters.imap.logins import PasswordLogin
from vm_ari.adapters.imap.mailbox import ImapMailboxes
from vm_ari.adapters.imap.session import Session
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable

_USEFUL = ("MOVE", "UIDPLUS", "CONDSTORE", "ESEARCH", "SPECIAL-USE", "QUOTA")
"""Everything works without them, some of it more slowly."""


_ADVICE: Mapping[type[MailboxUnavailable], str] = {
    NoSuchFolder: "Correct imap.path or the user's folder, or give the account rights there.",
    ReadOnly: "Give the account the right to change flags and messages there.",
    PasswordMissing: "The user stores the password of the mailbox, or access is “both”.",
}


@dataclass(frozen=True)
class Trial:
    """What came of it; empty where it did not come so far."""

    server: str = ""
    chosen_by: str = ""
    """Which rule has led to the server."""
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
        trial = replace(_way(door), folder=folder, lacks=lacks, seconds=seconds)
        async with ImapMailboxes(doorman).open(user) as mailbox:
            trial = replace(trial, counts=await mailbox.counts())
            quota = await mailbox.quota()
            return replace(trial, quota=str(quota) if quota else "none")
    except MailboxUnavailable as error:
        return replace(trial, problem=str(error), advice=advice_for(error, trial.login))


def told_login(door: Open) -> str:
    """As whom we log in, and for whom."""
    login = door.entrance.login
    if isinstance(login, PasswordLogin) and login.acts_as:
        return f"{login.name} for {login.acts_as}"
    return login.name


def _way(door: Open) -> Trial:
    server = door.server
    return Trial(str(server), door.chosen.by, server.security.name, told_login(door))


def _look(session: Session, door: Open) -> tuple[str, tuple[str, ...]]:
    opened = door.folders.open_inbox(session)
    return opened.name, tuple(name for name in _USEFUL if not session.has(name))


def advice_for(error: MailboxUnavailable, login: str) -> str:
    """What to do; *login* is as whom we tried, empty where it did not come so far."""
    if isinstance(error, CannotTrust) or "PRIVACYREQUIRED" in str(error):
        return advice_on(str(error), "imap.ca_file")
    for kind, advice in _ADVICE.items():
        if isinstance(error, kind):
            return advice
    match error:
        case LoginRefused() if " for " in login:
            return "Does the server let this account act for others? Else try another imap.way."
        case LoginRefused():
            return "Correct the name (imap.login, imap.alias) or the password."
        case _ if login or isinstance(error, ConnectionLost):
            return "Is it running, and are host and port right?"
    return "Look at the user's data in the directory, and at [imap]."
