"""Users' mailboxes on mail servers, as remote inquiry and lamps use them (INBOX-02)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import Refused
from vm_ari.adapters.imap.handling import Erasure, Passage, Spot, is_there, spot_at
from vm_ari.adapters.imap.memory import FolderMemory, Memory
from vm_ari.adapters.imap.playable import PlayableFiles, fetch_audio
from vm_ari.adapters.imap.recognition import (
    KEYWORD,
    Reader,
    heard_voice,
    is_flagged,
    last_ones,
    new_voice,
    newest,
)
from vm_ari.adapters.imap.session import Opened, Session
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage
from vm_ari.domain.users import User
from vm_ari.ports import MessageGone

HEARD_AMONG = 2000
"""So many messages back heard voice messages are looked for that nobody recognised before."""


@dataclass(frozen=True)
class Quota:
    """How full a mailbox is, in KiB."""

    used: int
    allowed: int

    @property
    def share(self) -> float:
        """0 is empty, 1 full; a limit of 0 allows nothing."""
        return self.used / self.allowed if self.allowed else 1.0


class ImapMailboxes:
    """`ports.Mailboxes` on mail servers.

    *signing_keys* judge our own header fields; *work_directory* is where audio of open mailboxes
    lies, each in a directory of its own.
    """

    def __init__(
        self,
        doorman: Doorman,
        *,
        signing_keys: Sequence[bytes] = (),
        work_directory: Path | None = None,
        heard_among: int = HEARD_AMONG,
    ) -> None:
        self._doorman = doorman
        self._keys = tuple(signing_keys)
        self._work = work_directory
        self._heard_among = heard_among
        self._memory = Memory()

    @asynccontextmanager
    async def open(self, user: User) -> AsyncIterator["ImapMailbox"]:
        """One session; it holds no connection while nothing is asked. Raises `MailboxUnavailable`.

        The first look is taken here, so that a mailbox that cannot be opened is known at once.
        """
        door = await self._doorman.open(user)
        files = PlayableFiles(self._work)
        mailbox = ImapMailbox(door, files, self._memory, self._keys, self._heard_among)
        await door.run(door.folders.open_inbox)
        try:
            yield mailbox
        finally:
            await asyncio.to_thread(files.clean_up)


@dataclass
class ImapMailbox:
    """`ports.Mailbox`: each step opens the folder anew, so it sees what others have done."""

    _door: Open
    _files: PlayableFiles
    _memory: Memory
    _keys: Sequence[bytes]
    _heard_among: int
    _names: dict[Spot, str] = field(default_factory=dict)
    """Of messages that were moved and came back: they keep their name while this is open."""
    _now_at: dict[str, Spot | None] = field(default_factory=dict)
    _deleted: dict[str, Spot | None] = field(default_factory=dict)

    async def counts(self) -> Counts:
        """How many messages there are now; unchanged folders are not searched again."""
        return await self._door.run(self._count)

    async def messages(self, kind: MessageKind, *, new: bool) -> Sequence[StoredMessage]:
        """The new or the old ones of that kind; of very many the newest 1,000."""
        found = await self._door.run(lambda session: self._list(session, kind, new=new))
        return [self._named(spot, message) for spot, message in found]

    async def audio(self, uid: str) -> Path:
        """Its audio as ``.wav`` (8 kHz) or ``.wav16``. Raises `MessageGone`, `NoPlayableAudio`."""
        spot = self._spot(uid)

        def read(session: Session) -> bytes:
            self._see(session, spot)
            return fetch_audio(session, spot.uid)

        audio = await self._door.run(read)
        return await asyncio.to_thread(self._files.add, audio, uid)

    async def mark(self, uid: str, *, new: bool) -> None:
        """Take away or give the flag Seen; all other flags stay. Raises `MessageGone`."""
        spot = self._spot(uid)

        def change(session: Session) -> None:
            self._see(session, spot)
            session.flag([spot.uid], "\\Seen", on=not new)

        await self._door.run(change)

    async def delete(self, uid: str) -> None:
        """Into the folder of deleted messages. Raises `MessageGone`."""
        self._deleted[uid] = await self._door.run(Passage(self._spot(uid), self._door.folders))

    async def undelete(self, uid: str) -> None:
        """Back, under the same name until this is closed. Raises `MessageGone`."""
        place = self._place_of_deleted(uid)
        back = await self._door.run(Passage(place, self._door.folders, back=True))
        del self._deleted[uid]
        self._now_at[uid] = back
        if back:
            self._names[back] = uid

    async def purge(self, uid: str) -> None:
        """Out of the folder of deleted messages, for good. Raises `MessageGone`."""
        await self._door.run(Erasure(self._place_of_deleted(uid), self._door.folders))
        self._deleted[uid] = None

    async def quota(self) -> Quota | None:
        """How full it is; None where the server sets no limit (MAIL-08)."""

        def ask(session: Session) -> tuple[int, int] | None:
            return session.quota(self._door.folders.open_inbox(session).name)

        sizes = await self._door.run(ask)
        return Quota(*sizes) if sizes else None

    # --- where things are

    def _spot(self, uid: str) -> Spot:
        """Where that message should be. Raises `MessageGone`."""
        if uid in self._deleted:
            raise MessageGone(uid)
        spot = self._now_at.get(uid, ...)
        if spot is None:
            raise MessageGone(uid)
        return spot_at(uid) if spot is ... else spot

    def _place_of_deleted(self, uid: str) -> Spot:
        """Only what was deleted in this session is known by its old name."""
        place = self._deleted.get(uid)
        if place is None:
            raise MessageGone(uid[:60])
        return place

    def _see(self, session: Session, spot: Spot) -> Opened:
        opened = self._door.folders.open_inbox(session)
        if not is_there(session, opened, spot):
            raise MessageGone(spot.text)
        return opened

    def _named(self, spot: Spot, message: StoredMessage) -> StoredMessage:
        return replace(message, uid=self._names.get(spot, spot.text))

    # --- looking, in the threads

    def _open(self, session: Session) -> tuple[Opened, FolderMemory, Reader]:
        opened = self._door.folders.open_inbox(session)
        memory = self._memory.of(self._door.place, opened)
        return opened, memory, Reader(memory.summaries, self._keys)

    def _count(self, session: Session) -> Counts:
        opened, memory, reader = self._open(session)
        if (known := memory.counts(opened)) is not None:
            return known
        new, urgent = self._new_voice(session, opened, reader)
        heard = len(self._heard(session, opened, memory, reader))
        unseen = session.count("UNSEEN", "UNDELETED")
        counts = Counts(len(new), heard, max(0, unseen - len(new)), urgent)
        memory.counted = (opened, counts)
        return counts

    def _new_voice(
        self, session: Session, opened: Opened, reader: Reader
    ) -> tuple[Sequence[int], int]:
        """UIDs of new voice messages, and how many of them are urgent."""
        hits = session.search(new_voice())
        real = reader.of_kind(session, hits, {MessageKind.VOICE})
        flags = session.fetch(list(real), ["FLAGS"]) if real else {}
        self._tag(session, opened, [u for u, f in flags.items() if not is_flagged(f, KEYWORD)])
        urgent = sum(
            real[uid].urgent or is_flagged(fetched, "\\Flagged") for uid, fetched in flags.items()
        )
        beyond = len(hits) - len(newest(hits))
        return [*range(-beyond, 0), *real], urgent

    def _tag(self, session: Session, opened: Opened, uids: Sequence[int]) -> None:
        """Mark what was recognised, so that it is found at once when it has been heard."""
        if not uids or not opened.keeps_keywords:
            return
        with suppress(Refused):  # perhaps we may only read here
            session.flag(uids, KEYWORD, on=True)

    def _heard(
        self, session: Session, opened: Opened, memory: FolderMemory, reader: Reader
    ) -> list[int]:
        """UIDs of heard voice messages; those that nobody recognised before are marked now."""
        if not opened.exists:
            return []
        lately = last_ones(opened, self._heard_among)
        if not opened.keeps_keywords:
            return session.search(heard_voice(None, lately))
        if memory.looked_to < opened.next_uid:
            if memory.looked_to:
                lately = ["UID", f"{memory.looked_to}:*"]
            hits = session.search(heard_voice(False, lately))
            self._tag(session, opened, list(reader.of_kind(session, hits, {MessageKind.VOICE})))
            memory.looked_to = opened.next_uid
        return session.search(heard_voice(True))

    def _list(
        self, session: Session, kind: MessageKind, *, new: bool
    ) -> list[tuple[Spot, StoredMessage]]:
        opened, memory, reader = self._open(session)
        match kind, new:
            case MessageKind.VOICE, True:
                hits = session.search(new_voice())
            case MessageKind.VOICE, False:
                hits = self._heard(session, opened, memory, reader)
            case _:
                hits = session.search(["UNSEEN" if new else "SEEN", "UNDELETED"])
        chosen = reader.of_kind(session, hits, {kind})
        listed = reader.stored(session, chosen)
        return [(Spot(opened.validity, u), message) for u, message in listed if message.new is new]
