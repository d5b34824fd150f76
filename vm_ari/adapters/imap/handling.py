"""Moving a message and back, so that a broken connection in between does no harm.

Each is a script that may be begun again on a new connection: it looks before it changes, and what
the first attempt may have done already is found by the Message-ID.
"""

import re
import time
from dataclasses import dataclass, field

from vm_ari.adapters.imap.errors import NoSuchFolder
from vm_ari.adapters.imap.folders import Folders
from vm_ari.adapters.imap.recognition import header_in
from vm_ari.adapters.imap.session import Opened, Session
from vm_ari.adapters.mail_identity import message_id_of
from vm_ari.ports import MessageGone

SETTLE = 0.5
"""Seconds; a server may still be moving a message though the connection is gone."""
_ID_ITEM = "BODY.PEEK[HEADER.FIELDS (Message-ID)]<0.2048>"


@dataclass(frozen=True)
class Spot:
    """Where a message is: its UID means something only there."""

    validity: int
    uid: int

    @property
    def text(self) -> str:
        """As others name it."""
        return f"{self.validity}-{self.uid}"


def spot_at(text: str) -> Spot:
    """The reverse of `Spot.text`. Raises `MessageGone` for what cannot be one."""
    found = re.fullmatch(r"([1-9][0-9]{0,9})-([1-9][0-9]{0,9})", text)
    if found is None:
        raise MessageGone(text[:60])
    return Spot(int(found[1]), int(found[2]))


@dataclass
class Erasure:
    """Removes one of the deleted messages for good."""

    spot: Spot
    folders: Folders
    _begun: bool = field(default=False, init=False)

    def __call__(self, session: Session) -> None:
        """Raises `MessageGone`, unless it was this that removed it."""
        there = self.folders.open_deleted(session)
        if there and is_there(session, there, self.spot):
            self._begun = True
            session.remove(self.spot.uid)
        elif not self._begun:
            raise MessageGone(self.spot.text)


@dataclass
class Passage:
    """Moves one message to the deleted ones, or back, or into the inbox of other folders: once,
    however often it has to be begun."""

    spot: Spot
    folders: Folders
    back: bool = False
    to: Folders | None = None
    _message_id: str = field(default="", init=False)
    _begun: bool = field(default=False, init=False)

    def __call__(self, session: Session) -> Spot | None:
        """Where it is now; None if nobody can tell. Raises `MessageGone`."""
        begun = self._begun
        if begun:
            time.sleep(SETTLE)
        target = self._target(session)
        here = self._source(session)
        if here is None or not is_there(session, here, self.spot):
            if begun:  # the connection broke, and it was moved nevertheless
                return self._arrived(session, target)
            raise MessageGone(self.spot.text)
        self._message_id = message_id(session, self.spot.uid)
        self._begun = True
        if begun:  # it may be in both by now
            arrived = self._arrived(session, target)
            self._source(session)
            if arrived:
                session.remove(self.spot.uid)
                return arrived
        return self._move(session, target)

    def _source(self, session: Session) -> Opened | None:
        if self.back:
            return self.folders.open_deleted(session)
        return self.folders.open_inbox(session)

    def _target(self, session: Session) -> str:
        if self.to or self.back:
            return (self.to or self.folders).open_inbox(session).name
        return self.folders.deleted_name(session)

    def _move(self, session: Session, target: str) -> Spot | None:
        try:
            place = session.move(self.spot.uid, target)
        except NoSuchFolder:
            session.create(target)
            place = session.move(self.spot.uid, target)
        if place:
            return Spot(*place)
        if session.has("UIDPLUS"):
            raise MessageGone(self.spot.text)  # somebody was faster
        return self._arrived(session, target)

    def _arrived(self, session: Session, target: str) -> Spot | None:
        try:
            return newest_of(session, session.open(target), self._message_id)
        except NoSuchFolder:
            return None


def is_there(session: Session, opened: Opened, spot: Spot) -> bool:
    """Is it in the open folder, and not marked as deleted?"""
    if spot.validity != opened.validity:
        return False
    found = session.fetch([spot.uid], ["FLAGS"]).get(spot.uid)
    if found is None:
        return False
    return b"\\deleted" not in {bytes(flag).lower() for flag in found.get(b"FLAGS", ())}


def message_id(session: Session, uid: int) -> str:
    """Of a message in the open folder; empty if it has none that can be looked for."""
    return message_id_of(header_in(session.fetch([uid], [_ID_ITEM]).get(uid, {})))


def newest_of(session: Session, opened: Opened, wanted: str) -> Spot | None:
    """The message of that Message-ID in the open folder that came last."""
    uids = session.search(["UNDELETED", "HEADER", "Message-ID", wanted]) if wanted else []
    return Spot(opened.validity, max(uids)) if uids else None
