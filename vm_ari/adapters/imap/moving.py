"""Users' mailboxes on mail servers as a place messages are moved out of, or into (STORE-04)."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from vm_ari.adapters.imap.access import INBOX
from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import (
    AppendUnsure,
    ConnectionLost,
    NoSuchFolder,
    OverQuota,
    Refused,
    ServerBusy,
)
from vm_ari.adapters.imap.handling import Spot as Numbered
from vm_ari.adapters.imap.handling import is_there, spot_at
from vm_ari.adapters.imap.recognition import KEYWORD, Recognition, header_in, pieces
from vm_ari.adapters.imap.session import Fetched, Opened, Session
from vm_ari.adapters.mail_identity import message_id_of
from vm_ari.adapters.mail_reading import HEADER_LIMIT
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.store_moving import (
    Carried,
    Marks,
    NotTaken,
    Place,
    Role,
    Spot,
    StoreAway,
    digest_of,
    with_crlf,
)
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable, MessageGone

T = TypeVar("T")

PIECE = 1024 * 1024
"""Octets of a message fetched by one command."""
LONGEST_SEARCH = 600.0
"""Seconds: the first search through a large mailbox may read all of it."""
LONGEST_MESSAGE = 120.0
"""Seconds for one message, fetched or brought."""
_SLACK = timedelta(days=2)
"""Servers compare dates without time, in a zone of their own."""
_OURS = tuple(kind for kind in MessageKind if kind is not MessageKind.MAIL)
_FLAGS = {
    "seen": "\\Seen",
    "flagged": "\\Flagged",
    "answered": "\\Answered",
    "draft": "\\Draft",
    "forwarded": "$Forwarded",
}


@dataclass(frozen=True)
class ImapSide:
    """`services.store_migration.StoreSide`: the folder of voice messages, and the deleted ones.

    Only what came by telephone can move out of it: all else there is the user's own mail.
    """

    doorman: Doorman
    recognition: Recognition = field(default_factory=Recognition)

    @asynccontextmanager
    async def open(self, user: User) -> AsyncIterator["ImapHoldings"]:
        """One user's; the first look is taken here. Raises `StoreAway`, `MailboxUnavailable`."""
        holdings = ImapHoldings(user.id, await self.doorman.open(user), self.recognition)
        await holdings.look()
        yield holdings


@dataclass(frozen=True)
class ImapHoldings:
    """`services.store_migration.Holdings`: each step opens its folder anew."""

    user: str
    door: Open
    recognition: Recognition

    async def look(self) -> None:
        """Can it be opened at all?"""
        await self._run(lambda session: _opened(session, self.door, Place(Role.INBOX)))

    async def spots(self) -> Sequence[Spot]:
        """Voice, fax and text messages, the oldest first."""
        return await self._run(self._spots, LONGEST_SEARCH)

    async def read(self, spot: Spot) -> Carried:
        """Raises `MessageGone`."""

        def read(session: Session) -> Carried:
            opened, numbered = _opened(session, self.door, spot.place), spot_at(spot.uid)
            if opened is None or not is_there(session, opened, numbered):
                raise MessageGone(spot.uid)
            return _carried(session, numbered.uid, self.recognition)

        return await self._run(read)

    async def remove(self, spot: Spot) -> None:
        """Expunged; where only all deleted messages could be, it is just marked."""

        def remove(session: Session) -> None:
            opened, numbered = _opened(session, self.door, spot.place), spot_at(spot.uid)
            if opened and is_there(session, opened, numbered):
                session.remove(numbered.uid)

        await self._run(remove)

    async def holds(self, message: Carried, place: Place, since: str = "") -> bool:
        """Asked by Message-ID, or else by time and size; then every octet is compared."""
        places = [place, *(Place(role) for role in (Role.INBOX, Role.DELETED))]

        def look(session: Session) -> bool:
            return _came_later(session, self.door, message, place, since) or any(
                _has_same(session, self.door, message, one) for one in dict.fromkeys(places)
            )

        return await self._run(look, LONGEST_SEARCH)

    async def stand(self, place: Place) -> str:
        """Validity and next UID of the folder."""

        def look(session: Session) -> str:
            opened = _opened(session, self.door, place) or _made(session, self.door, place)
            return f"{opened.validity}-{max(opened.next_uid, 1)}"

        return await self._run(look)

    async def keep(self, message: Carried, place: Place) -> None:
        """By APPEND, with flags and date; raises `NotTaken`."""
        stand = await self.stand(place)
        try:
            await self._run(lambda session: _append(session, self.door, message, place))
        except _Unsure as error:
            if not await self.holds(message, place, stand):
                raise StoreAway(str(error)) from error

    def _spots(self, session: Session) -> list[Spot]:
        found = []
        for place in (Place(Role.INBOX), Place(Role.DELETED)):
            if opened := _opened(session, self.door, place):
                uids = sorted(session.search(["UNDELETED", *_criteria_of_ours(self.recognition)]))
                real = (uid for part in pieces(uids) for uid in self._ours(session, part))
                found += [Spot(place, Numbered(opened.validity, uid).text) for uid in real]
        return found

    def _ours(self, session: Session, uids: Sequence[int]) -> list[int]:
        """Those that their headers really say to have come by telephone."""
        found = session.fetch(uids, [self.recognition.header])
        kinds = {u: self.recognition.summary(header_in(found[u])).kind for u in uids if u in found}
        return [uid for uid, kind in kinds.items() if kind in _OURS]

    async def _run(self, work: Callable[[Session], T], seconds: float = LONGEST_MESSAGE) -> T:
        try:
            return await self.door.run(work, seconds=seconds)
        except AppendUnsure as error:
            raise _Unsure(str(error)) from error
        except (ConnectionLost, ServerBusy) as error:
            raise StoreAway(str(error)) from error
        except OverQuota as error:
            text = f"the mailbox of user {self.user} is full: {error}"
            raise MailboxUnavailable(text) from error


class _Unsure(StoreAway):
    """The connection broke while a message was handed over."""


def _names(session: Session, door: Open, place: Place) -> Sequence[str]:
    """Under which names the server may have the folder, the likeliest first."""
    match place.role:
        case Role.INBOX:
            return door.folders.home.folder(door.folders.inbox, session.namespace)
        case Role.DELETED:
            return (door.folders.deleted_name(session),)
        case Role.OTHER:
            return door.folders.home.folder(place.name, session.namespace)


def _opened(session: Session, door: Open, place: Place) -> Opened | None:
    """None if it is not there, which an INBOX must be. Raises `NoSuchFolder`."""
    names = _names(session, door, place)
    must_be = place.role is Role.INBOX and door.folders.inbox.upper() == INBOX
    for name in names:
        try:
            return session.open(name)
        except NoSuchFolder:
            if must_be and name == names[-1]:
                raise
    return None


def _made(session: Session, door: Open, place: Place) -> Opened:
    name = _names(session, door, place)[0]
    session.create(name)
    return session.open(name)


def _criteria_of_ours(recognition: Recognition) -> tuple[Any, ...]:
    """What finds all of our kinds; empty: only looking at every message tells."""
    first, *more = (recognition.criteria(kind) for kind in _OURS)
    criteria = first
    for one in more:
        criteria = ("OR", *one, *criteria) if one and criteria else ()
    return criteria


def _carried(session: Session, uid: int, recognition: Recognition) -> Carried:
    """Of the open folder. Raises `MessageGone`."""
    mail = with_crlf(_octets(session, uid))
    facts = session.fetch([uid], ["FLAGS", "INTERNALDATE"]).get(uid)
    if facts is None:
        raise MessageGone(str(uid))
    header = mail[:HEADER_LIMIT]
    return Carried(
        mail=mail,
        message_id=message_id_of(header),
        arrived=_date(facts),
        marks=_marks(facts),
        voice=recognition.summary(header).kind is MessageKind.VOICE,
    )


def _octets(session: Session, uid: int) -> bytes:
    """All of the message, piece by piece until one is short. Raises `MessageGone`."""
    found: list[bytes] = []
    while True:
        item = f"BODY.PEEK[]<{len(found) * PIECE}.{PIECE}>"
        answer = session.fetch([uid], [item]).get(uid)
        if answer is None:
            raise MessageGone(str(uid))
        values = (v for k, v in answer.items() if k.startswith(b"BODY[]") and isinstance(v, bytes))
        found.append(next(values, b""))
        if len(found[-1]) < PIECE:
            return b"".join(found)


def _date(facts: Fetched) -> datetime:
    arrived = facts.get(b"INTERNALDATE")
    return arrived.astimezone(UTC) if isinstance(arrived, datetime) else datetime.now(UTC)


def _marks(facts: Fetched) -> Marks:
    given = {bytes(flag).decode("ascii", "ignore") for flag in facts.get(b"FLAGS", ())}
    lower = {flag.lower() for flag in given}
    known = {flag.lower() for flag in _FLAGS.values()} | {KEYWORD.lower()}
    more = sorted(f for f in given if not f.startswith("\\") and f.lower() not in known)
    return Marks(
        **{name: flag.lower() in lower for name, flag in _FLAGS.items()}, keywords=tuple(more)
    )


def _append(session: Session, door: Open, message: Carried, place: Place) -> None:
    opened = _opened(session, door, place) or _made(session, door, place)
    try:
        session.append(opened.name, message.mail, _flags(message, opened), message.arrived)
    except (OverQuota, ServerBusy, NoSuchFolder):
        raise
    except Refused as error:
        raise NotTaken(f"the server does not take a message: {error}") from error


def _flags(message: Carried, opened: Opened) -> list[str]:
    """Keywords only where the folder keeps them: else the server may refuse the message."""
    flags = [flag for name, flag in _FLAGS.items() if getattr(message.marks, name)]
    if opened.keeps_keywords:
        voice = [KEYWORD] if message.voice else []
        return [*flags, *voice, *message.marks.keywords]
    return [flag for flag in flags if flag.startswith("\\")]


def _came_later(session: Session, door: Open, message: Carried, place: Place, since: str) -> bool:
    """Has its Message-ID come to the folder since then?"""
    opened = _opened(session, door, place) if since and message.message_id else None
    if opened is None:
        return False
    start = spot_at(since)
    if start.validity != opened.validity:
        return False
    found = session.search(["UID", f"{start.uid}:*", "HEADER", "Message-ID", message.message_id])
    return any(uid >= start.uid for uid in found)  # “n:*” is also the last one below n


def _has_same(session: Session, door: Open, message: Carried, place: Place) -> bool:
    """Is a message of the same content in that folder?"""
    if _opened(session, door, place) is None:
        return False
    return any(_is_same(session, uid, message) for uid in session.search(_criteria(message)))


def _is_same(session: Session, uid: int, message: Carried) -> bool:
    try:
        return digest_of(_octets(session, uid)) == message.digest
    except MessageGone:
        return False


def _criteria(message: Carried) -> list[Any]:
    """The day of its arrival, which moves with it, keeps the search short."""
    day = message.arrived
    criteria: list[Any] = ["SINCE", (day - _SLACK).date(), "BEFORE", (day + _SLACK).date()]
    if message.message_id:
        return [*criteria, "HEADER", "Message-ID", message.message_id]
    size = len(message.mail)
    return [*criteria, "LARGER", size - 1, "SMALLER", size + 1]
