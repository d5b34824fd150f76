"""The mail servers with the users' mailboxes: each is entered as calls enter it."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from vm_ari.adapters.examination.certificates import ends_soon, protection
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.imap.access import Home
from vm_ari.adapters.imap.connection import Wire, connected, hang_up
from vm_ari.adapters.imap.diagnosis import advice_for, told_login
from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import ConnectionLost, PasswordMissing
from vm_ari.adapters.imap.session import Session
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import Security, certificate_end
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable

MOST_USERS = 200
"""So many are looked at, to find somebody on each server."""
NEEDED_RIGHTS = "lrswite"
"""Of RFC 4314, in other people's mailboxes: see, read, mark, add, remove."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LACKS = {
    "MOVE": "messages are copied and removed",
    "UIDPLUS": "deleted messages are only marked",
}


@dataclass(frozen=True)
class _Seen:
    """What was found in one mailbox."""

    folder: str
    milliseconds: float
    certificate_end: datetime | None
    keeps_keywords: bool
    lacks: tuple[str, ...]
    missing_rights: str
    deleted: str
    """Where deleted messages go."""


async def examine_imap(
    doorman: Doorman, usual: Server, people: Sequence[User], now: datetime
) -> list[Finding]:
    """One mailbox on each server that somebody is on; without anybody only the usual server."""
    doors: dict[Server, tuple[User, Open]] = {}
    closed: Counter[str] = Counter()
    without = 0
    for user in people[:MOST_USERS]:
        try:
            door = await doorman.open(user)
            doors.setdefault(door.server, (user, door))
        except PasswordMissing:
            without += 1
        except MailboxUnavailable as error:
            closed[str(error)] += 1
    found = [_no_way(*each) for each in closed.most_common(3)]
    if without:
        found.append(_without_password(without, min(len(people), MOST_USERS)))
    if not doors:
        return [*found, *[finding async for finding in _knock(doorman, usual, now)]]
    looks = (_enter(user, door, now) for user, door in doors.values())
    for each in await asyncio.gather(*looks):
        found += each
    return found


def _no_way(reason: str, users: int) -> Finding:
    text = f"Users without a way into their mailbox: {users}; {sentence(reason)}"
    return Finding(False, text, "Look at their data in the directory, and at [imap].")


def _without_password(users: int, looked_at: int) -> Finding:
    text = f"{users} of {looked_at} users have stored no password for the mail server."
    return Finding(True, text, "Until they have, their messages and mails wait.")


async def _enter(user: User, door: Open, now: datetime) -> list[Finding]:
    try:
        seen = await door.run(lambda session: _look(session, door))
    except MailboxUnavailable as error:
        away = isinstance(error, ConnectionLost)
        advice = advice_for(error, told_login(door))
        text = f"The mailbox of {user.id}: {sentence(error)}"
        return [Finding(False, text, advice, unreachable=away)]
    server = door.server
    good = (
        f"{server} ({protection(seen.certificate_end, now)}): {seen.folder} of {user.id} opens "
        f"as {told_login(door)} after {seen.milliseconds:.0f} ms; deleted messages go to "
        f"{seen.deleted}."
    )
    return [Finding(True, good), *_shortcomings(server, seen, now)]


def _shortcomings(server: Server, seen: _Seen, now: datetime) -> list[Finding]:
    found = [*ends_soon(server, seen.certificate_end, now), *_unprotected(server)]
    for name in seen.lacks:
        found.append(Finding(True, f"{server} lacks {name}: {_LACKS[name]}."))
    if not seen.keeps_keywords:
        text = f"{server} keeps no keywords: of heard messages only the newest are found."
        found.append(Finding(True, text, "imap.heard_among says among how many."))
    if seen.missing_rights:
        text = f"Our account lacks the rights “{seen.missing_rights}” in {seen.folder}."
        found.append(Finding(False, text, f"Give it {NEEDED_RIGHTS}, and k to make folders."))
    return found


def _unprotected(server: Server) -> list[Finding]:
    if server.security is not Security.NONE or server.host in _LOOPBACK:
        return []
    text = f"Nothing protects the connection to {server}."
    return [Finding(False, text, "Everybody on the way reads along: remove plaintext.")]


def _look(session: Session, door: Open) -> _Seen:
    began = time.monotonic()
    opened = door.folders.open_inbox(session)
    milliseconds = (time.monotonic() - began + session.seconds_to_log_in) * 1000
    foreign = door.entrance.home != Home() and session.has("ACL")
    rights = session.rights(opened.name) if foreign else NEEDED_RIGHTS
    there, name = door.folders.open_deleted(session), door.folders.deleted_name(session)
    return _Seen(
        folder=opened.name,
        milliseconds=milliseconds,
        certificate_end=session.certificate_end(),
        keeps_keywords=opened.keeps_keywords,
        lacks=tuple(name for name in _LACKS if not session.has(name)),
        missing_rights="".join(sorted(set(NEEDED_RIGHTS) - set(rights))),
        deleted=name if there else f"{name}, made when it is needed",
    )


async def _knock(doorman: Doorman, server: Server, now: datetime) -> AsyncIterator[Finding]:
    """Connect, and say nothing."""
    try:
        end = await asyncio.to_thread(_greeted, doorman, server)
    except MailboxUnavailable as error:
        yield Finding(False, sentence(error), advice_for(error, ""), unreachable=True)
        return
    text = f"{server} answers ({protection(end, now)}), but there is no mailbox to try."
    yield Finding(True, text, "Add a user, or let somebody store a password.")
    for finding in (*ends_soon(server, end, now), *_unprotected(server)):
        yield finding


def _greeted(doorman: Doorman, server: Server) -> datetime | None:
    patience = doorman.rules.patience
    context = doorman.context_for(server)
    wire = Wire(server, context, patience.connect)
    client = connected(server, context, patience, wire)
    try:
        peer = client.socket()
        return certificate_end(peer.getpeercert()) if isinstance(peer, ssl.SSLSocket) else None
    finally:
        hang_up(client, wire)
