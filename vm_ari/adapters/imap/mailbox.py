"""Users' mailboxes on mail servers, as remote inquiry and lamps use them (INBOX-02)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import Refused
from vm_ari.adapters.imap.folders import Folders
from vm_ari.adapters.imap.handling import Erasure, Passage, Spot, is_there, spot_at
from vm_ari.adapters.imap.letterbox import SLACK
from vm_ari.adapters.imap.memory import FolderMemory, Memory
from vm_ari.adapters.imap.playable import fetch_audio, fetch_piece
from vm_ari.adapters.imap.recognition import (
    KEYWORD,
    MOST_MAILS,
    Reader,
    Recognition,
    heard_voice,
    is_flagged,
    last_ones,
    newest,
)
from vm_ari.adapters.imap.session import Opened, Session
from vm_ari.adapters.mail_files import PIECE
from vm_ari.adapters.session_files import SessionFiles
from vm_ari.domain.kind_rules import KindRule
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage
from vm_ari.domain.quota import Quota
from vm_ari.domain.users import User
from vm_ari.ports import MessageGone

HEARD_AMONG = 2000
"""So many messages back heard voice messages are looked for that nobody recognised before."""


class ImapMailboxes:
    """`ports.Mailboxes` on mail servers.

    *signing_keys* judge our own header fields, *kind_rules* those of gateways; *work_directory* is
    where files of open mailboxes lie, each in a directory of its own.
    """

    def __init__(
        self,
        doorman: Doorman,
        *,
        signing_keys: Sequence[bytes] = (),
        kind_rules: Sequence[KindRule] = (),
        work_directory: Path | None = None,
        heard_among: int = HEARD_AMONG,
    ) -> None:
        self._doorman = doorman
        self._recognition = Recognition(tuple(signing_keys), tuple(kind_rules))
        self._work = work_directory
        self._heard_among = heard_among
        self._memory = Memory()
        self._background = False

    def in_background(self) -> "ImapMailboxes":
        """The same ones, for work that nobody waits for (`ServerPool.run`)."""
        same = copy(self)
        same._background = True
        return same

    @asynccontextmanager
    async def open(self, user: User, folder: str = "") -> AsyncIterator["ImapMailbox"]:
        """One session; it holds no connection while nothing is asked. Raises `MailboxUnavailable`.

        The first look is taken here, so that a mailbox that cannot be opened is known at once.
        """
        files = SessionFiles(self._work)
        mailbox = await self._found(user, files, folder)
        await mailbox.look()
        try:
            yield mailbox
        finally:
            await asyncio.to_thread(files.clean_up)

    async def counts(self, user: User) -> Counts:
        """See `Mailboxes`."""
        return await (await self._found(user, SessionFiles(self._work))).counts()

    async def _found(self, user: User, files: SessionFiles, folder: str = "") -> "ImapMailbox":
        """Nothing is connected yet. Raises `MailboxUnavailable`."""
        way = await self._doorman.open(user)
        home = way.folders
        door = replace(
            way,
            folders=replace(home, inbox=folder) if folder else home,
            background=self._background,
        )
        return ImapMailbox(door, home, files, self._memory, self._recognition, self._heard_among)


@dataclass
class ImapMailbox:
    """`ports.Mailbox`: each step opens the folder anew, so it sees what others have done."""

    _door: Open
    _home: Folders
    """Where new messages come; that of the door is the open one."""
    _files: SessionFiles
    _memory: Memory
    _recognition: Recognition
    _heard_among: int
    _names: dict[Spot, str] = field(default_factory=dict)
    """Of messages that were moved and came back: they keep their name while this is open."""
    _now_at: dict[str, Spot | None] = field(default_factory=dict)
    _deleted: dict[str, Spot | None] = field(default_factory=dict)

    async def look(self) -> None:
        """Is there a way in? Raises `MailboxUnavailable`."""
        await self._door.run(self._door.folders.open_inbox)

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

    async def mail(self, uid: str, *, most: int | None = None) -> Path:
        """Fetched piece by piece, and no more than was asked for. Raises `MessageGone`."""
        spot, fetched = self._spot(uid), 0
        target = await asyncio.to_thread(self._files.place, "mail")
        while most is None or fetched < most:
            size = PIECE if most is None else min(PIECE, most - fetched)
            read = partial(self._piece, spot=spot, offset=fetched, size=size)
            piece = await self._door.run(read)
            await asyncio.to_thread(self._files.write, target, [piece])
            fetched += len(piece)
            if len(piece) < size:
                break
        return target

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

    async def find(self, message_id: str, since: datetime) -> str | None:
        """The newest of that Message-ID; only what came since then is searched (`letterbox`)."""

        def look(session: Session) -> Spot | None:
            opened = self._door.folders.open_inbox(session)
            criteria = ["UNDELETED", "SINCE", (since - SLACK).date(), "HEADER", "Message-ID"]
            uids = session.search([*criteria, message_id])
            return Spot(opened.validity, max(uids)) if uids else None

        if len(message_id) < 3 or not (message_id.isascii() and message_id.isprintable()):
            return None  # none of ours, and no server shall read it as something else
        found = await self._door.run(look)
        return None if found is None else self._names.get(found, found.text)

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

    async def move(self, uid: str, folder: str) -> None:
        """There it has another name, which nobody is told. Raises `MessageGone`."""
        target = replace(self._home, inbox=folder) if folder else self._home
        passage = Passage(self._spot(uid), self._door.folders, to=target)
        await self._door.run(passage)
        self._now_at[uid] = None

    async def quota(self) -> Quota | None:
        """How full it is; None where the server sets no limit, or does not tell us (MAIL-08)."""

        def ask(session: Session) -> Quota | None:
            with suppress(Refused):  # in other people's mailboxes that is a right of its own
                return session.quota(self._door.folders.open_inbox(session).name)
            return None

        return await self._door.run(ask)

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

    def _piece(self, session: Session, *, spot: Spot, offset: int, size: int) -> bytes:
        self._see(session, spot)
        return fetch_piece(session, spot.uid, "", offset, size)

    def _open(self, session: Session) -> tuple[Opened, FolderMemory, Reader]:
        opened = self._door.folders.open_inbox(session)
        memory = self._memory.of(self._door.place, opened)
        return opened, memory, Reader(memory.summaries, self._recognition)

    def _count(self, session: Session) -> Counts:
        opened, memory, reader = self._open(session)
        if not opened.exists:
            return Counts()
        if (known := memory.counts(opened)) is not None:
            return known
        found = self._new_ones(session, opened, memory, reader)
        heard = len(self._heard(session, opened, memory, reader))
        unseen = session.count("UNSEEN", "UNDELETED")
        other = max(0, unseen - found.new_voice)
        counts = replace(found, heard_voice=heard, new_other=other)
        memory.counted = (opened, counts)
        return counts

    def _new_ones(
        self, session: Session, opened: Opened, memory: FolderMemory, reader: Reader
    ) -> Counts:
        """How many voice messages, urgent ones of them, faxes and SMS nobody has heard or read.

        Costs follow the unread; of very many, those that are not looked at count as voice messages.
        """
        counted = (MessageKind.VOICE, MessageKind.FAX, MessageKind.TEXT)
        wanted = self._recognition.either(*counted)
        hits = session.search(["UNSEEN", "UNDELETED", *wanted])
        memory.new_voice = (opened, hits) if wanted else None
        found = reader.of_kind(session, hits, set(counted))
        kinds = [one.kind for one in found.values()]
        voice = {uid: one for uid, one in found.items() if one.kind is MessageKind.VOICE}
        flags = session.fetch(list(voice), ["FLAGS"]) if voice else {}
        self._tag(session, opened, [u for u, f in flags.items() if not is_flagged(f, KEYWORD)])
        urgent = sum(
            voice[uid].urgent or is_flagged(fetched, "\\Flagged") for uid, fetched in flags.items()
        )
        beyond = len(hits) - len(newest(hits)) if wanted else 0
        return Counts(
            new_voice=beyond + len(voice),
            urgent_voice=urgent,
            new_fax=kinds.count(MessageKind.FAX),
            new_text=kinds.count(MessageKind.TEXT),
        )

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
        voice = self._recognition.criteria(MessageKind.VOICE)
        if not opened.keeps_keywords:
            return session.search(heard_voice(None, lately, voice))
        if memory.looked_to < opened.next_uid:
            if memory.looked_to:
                lately = ["UID", f"{memory.looked_to}:*"]
            hits = session.search(heard_voice(False, lately, voice))
            self._tag(session, opened, list(reader.of_kind(session, hits, {MessageKind.VOICE})))
            memory.looked_to = opened.next_uid
        return session.search(heard_voice(True))

    def _voice(
        self, session: Session, opened: Opened, memory: FolderMemory, reader: Reader, *, new: bool
    ) -> list[int]:
        if not new:
            return self._heard(session, opened, memory, reader)
        if (known := memory.new_ones(opened)) is not None:
            return list(known)
        return session.search(
            ["UNSEEN", "UNDELETED", *self._recognition.criteria(MessageKind.VOICE)]
        )

    def _others(
        self, session: Session, opened: Opened, kind: MessageKind, *, new: bool
    ) -> list[int]:
        """UIDs of what may be of that *kind*; headers of old messages are not searched for ever."""
        state = ["UNSEEN" if new else "SEEN", "UNDELETED"]
        criteria = self._recognition.criteria(kind)
        if not criteria and opened.keeps_keywords:
            state += ["UNKEYWORD", KEYWORD]
        if new or not opened.exists:
            return session.search([*state, *criteria])
        lately = last_ones(opened, self._heard_among)
        found = session.search([*lately, *state, *criteria])
        if criteria or len(found) >= MOST_MAILS:
            return found
        return session.search(state)

    def _list(
        self, session: Session, kind: MessageKind, *, new: bool
    ) -> list[tuple[Spot, StoredMessage]]:
        opened, memory, reader = self._open(session)
        if kind is MessageKind.VOICE:
            hits = self._voice(session, opened, memory, reader, new=new)
            chosen = reader.of_kind(session, hits, {kind})
        else:
            hits = self._others(session, opened, kind, new=new)
            chosen = reader.of_kind(session, hits, {kind}, MOST_MAILS)
        listed = reader.stored(session, chosen)
        return [(Spot(opened.validity, u), message) for u, message in listed if message.new is new]
