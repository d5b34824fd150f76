"""The local message store: one Maildir per user, shared with any mail program (STORE-01)."""

import asyncio
import re
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters import maildir_tree as tree
from vm_ari.adapters.attachments import NotAudio, decode
from vm_ari.adapters.mail_reading import HEADER_LIMIT, MESSAGE_LIMIT, audio_attachment
from vm_ari.adapters.mail_summary import Summary, summary_of
from vm_ari.adapters.maildir_tree import FLAGGED, SEEN, Entry, Folder
from vm_ari.adapters.voice_mail import Compose
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage, VoiceMessage
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, MailboxUnavailable, MessageGone

T = TypeVar("T")

DELETED_FOLDER = "Deleted voice messages"
REMEMBERED_HEADERS = 200_000
"""In all mailboxes together; about 80 MB when full."""
_RENAMES_BY_OTHERS = 20
_ORDINARY_HEADER = 8 * 1024


class NoPlayableAudio(MessageGone):
    """The message is there, but holds no audio that can be played (or far too much)."""


class HeaderMemory:
    """What the headers of messages said: of each mailbox by uid, which never changes meaning.

    The mailbox used longest ago is forgotten first.
    """

    def __init__(self, limit: int = REMEMBERED_HEADERS) -> None:
        self._limit = limit
        self._of: OrderedDict[Path, dict[str, Summary]] = OrderedDict()

    def of(self, inbox: Path) -> dict[str, Summary]:
        """The memory of one mailbox, to read and to fill."""
        found = self._of.setdefault(inbox, {})
        self._of.move_to_end(inbox)
        while len(self._of) > 1 and sum(map(len, list(self._of.values()))) > self._limit:
            self._of.popitem(last=False)
        return found


class MaildirMailboxes:
    """`ports.Mailboxes` on Maildirs: ``<root>/<mailbox of the user>``.

    *signing_keys* judge our own header fields (`summary_of`). *work_directory* is where audio of
    open mailboxes lies, each in a directory of its own; its group may read there, as
    it is whoever plays it. Raises `ValueError` for a *deleted_folder* that is no folder's name.
    """

    def __init__(
        self,
        root: Path,
        *,
        deleted_folder: str = DELETED_FOLDER,
        signing_keys: Sequence[bytes] = (),
        work_directory: Path | None = None,
    ) -> None:
        self._root = root
        self._deleted = tree.folder_name(deleted_folder)
        self._keys = tuple(signing_keys)
        self._work = work_directory
        self._memory = HeaderMemory()

    @asynccontextmanager
    async def open(self, user: User) -> AsyncIterator["MaildirMailbox"]:
        """One session. Raises `MailboxUnavailable`."""
        inbox = Folder(self._root / tree.store_name(user))
        await _in_thread(inbox.create)
        known = self._memory.of(inbox.path)
        mailbox = MaildirMailbox(
            inbox, Folder(inbox.path / self._deleted), known, self._keys, self._work
        )
        try:
            yield mailbox
        finally:
            await asyncio.to_thread(mailbox.clean_up)


class MaildirMailbox:
    """`ports.Mailbox`: an open Maildir. New voice messages are unseen ones of kind voice."""

    def __init__(
        self,
        inbox: Folder,
        deleted: Folder,
        known: dict[str, Summary],
        keys: Sequence[bytes],
        work: Path | None,
    ) -> None:
        self._inbox = inbox
        self._deleted = deleted
        self._known = known
        self._keys = keys
        self._work = work
        self._private: Path | None = None
        self._closed = False
        self._extracting = threading.Lock()

    async def counts(self) -> Counts:
        """How many messages there are now; opens only files it has never seen."""
        return await _in_thread(self._count)

    async def messages(self, kind: MessageKind, *, new: bool) -> Sequence[StoredMessage]:
        """The new or the old ones of that kind."""
        return await _in_thread(lambda: self._list(kind, new=new))

    async def audio(self, uid: str) -> Path:
        """Its audio as ``.wav`` (8 kHz) or ``.wav16``. Raises `MessageGone`, `NoPlayableAudio`."""
        return await _in_thread(lambda: self._extract(uid))

    async def mark(self, uid: str, *, new: bool) -> None:
        """Take away or give the flag Seen; all other flags stay. Raises `MessageGone`."""

        def flags(entry: Entry) -> str:
            return entry.flags.replace(SEEN, "") + ("" if new else SEEN)

        await _in_thread(lambda: _move(uid, self._inbox, self._inbox, flags))

    async def delete(self, uid: str) -> None:
        """Into the folder of deleted messages, flags and all. Raises `MessageGone`."""
        await _in_thread(self._deleted.create)
        await _in_thread(lambda: _move(uid, self._inbox, self._deleted, _same_flags))

    async def undelete(self, uid: str) -> None:
        """Back into the INBOX. Raises `MessageGone`."""
        await _in_thread(self._deleted.create)
        await _in_thread(lambda: _move(uid, self._deleted, self._inbox, _same_flags))

    async def purge(self, uid: str) -> None:
        """Out of the folder of deleted messages, for good. Raises `MessageGone`."""
        await _in_thread(self._deleted.create)
        await _in_thread(lambda: _remove(uid, self._deleted))

    def clean_up(self) -> None:
        """Remove the audio of this session, after an extraction that nobody awaits any more."""
        with self._extracting:
            self._closed = True
            if self._private is not None:
                shutil.rmtree(self._private, ignore_errors=True)

    def _count(self) -> Counts:
        new_voice = heard_voice = new_other = urgent_voice = 0
        entries = self._inbox.entries()
        self._forget_all_but(entries)
        for entry in entries.values():
            match self._kind(entry):
                case None:
                    continue  # it vanished
                case MessageKind.VOICE if entry.new:
                    new_voice += 1
                    urgent_voice += FLAGGED in entry.flags
                case MessageKind.VOICE:
                    heard_voice += 1
                case _:
                    new_other += entry.new
        return Counts(new_voice, heard_voice, new_other, urgent_voice)

    def _forget_all_but(self, entries: dict[str, Entry]) -> None:
        for uid in list(self._known):  # a copy: another session may be filling it
            if uid not in entries:
                self._known.pop(uid, None)

    def _kind(self, entry: Entry) -> MessageKind | None:
        if entry.is_own_voice:
            return MessageKind.VOICE
        summary = self._summary(entry)
        return summary.kind if summary else None

    def _list(self, kind: MessageKind, *, new: bool) -> list[StoredMessage]:
        entries = [e for e in self._inbox.entries().values() if e.new is new]
        wanted = [entry for entry in entries if self._kind(entry) is kind]
        listed = [(entry, self._summary(entry)) for entry in wanted]
        return [_stored(entry, summary) for entry, summary in listed if summary is not None]

    def _summary(self, entry: Entry) -> Summary | None:
        """What its header says, or None if it vanished meanwhile."""
        if (known := self._known.get(entry.uid)) is not None:
            return known
        header = self._read(entry, _read_header)
        if header is None:
            return None
        summary = summary_of(header, self._keys)
        self._known[entry.uid] = summary
        return summary

    def _read(self, entry: Entry, read: Callable[[str], bytes]) -> bytes | None:
        """Read it under whatever name it has now; None if it is no longer there."""
        found: Entry | None = entry
        for _ in range(_RENAMES_BY_OTHERS):
            try:
                return read(found.path) if found else None
            except FileNotFoundError:
                found = self._inbox.find(entry.uid)
            except (PermissionError, IsADirectoryError):
                return b""  # one odd file shall not close the mailbox
        return None

    def _extract(self, uid: str) -> Path:
        entry = self._inbox.find(uid)
        content = self._read(entry, _read_message) if entry else None
        if content is None:
            raise MessageGone(uid)
        data = audio_attachment(content)
        if data is None:
            raise NoPlayableAudio(uid)
        with self._extracting:
            return self._decode(data, uid)

    def _decode(self, data: bytes, uid: str) -> Path:
        if self._closed:
            raise MailboxUnavailable("this mailbox has been closed")
        if self._private is None:
            self._private = self._new_directory(self._work)
        target = self._new_directory(self._private) / "message"
        try:
            return decode(data, target)
        except NotAudio as error:
            raise NoPlayableAudio(f"{uid}: {error}") from error

    def _new_directory(self, parent: Path | None) -> Path:
        """For us alone, or also for the group of the given work directory: whoever plays it."""
        directory = Path(tempfile.mkdtemp(prefix="vm-ari-", dir=parent))
        if self._work is not None:
            directory.chmod(0o750)
        return directory


class MaildirCourier:
    """`ports.Courier` into the same Maildirs; lines end in LF there, as mail programs expect."""

    def __init__(self, root: Path, compose: Compose) -> None:
        self._root = root
        self._compose = compose

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """Exactly once, however often it is tried. Raises `DeliveryPostponed`."""
        await self._in_thread(lambda: self._deliver(message, user, plain=plain))

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """Is it in any folder of the user?"""
        return await self._in_thread(lambda: self._has(message, user))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise DeliveryPostponed(f"{error.strerror}: {error.filename}") from error

    def _inbox(self, user: User) -> Folder:
        return Folder(self._root / tree.store_name(user))

    def _has(self, message: VoiceMessage, user: User) -> bool:
        inbox = self._inbox(user)
        return inbox.is_complete() and tree.holds(inbox.path, tree.name_of(message.facts))

    def _deliver(self, message: VoiceMessage, user: User, *, plain: bool) -> None:
        inbox = self._inbox(user)
        inbox.create()
        if self._has(message, user):
            return
        mail = self._compose(message, user, plain=plain).replace(b"\r\n", b"\n")
        flags = FLAGGED if message.facts.urgent else ""
        tree.add(inbox, tree.name_of(message.facts), flags, mail)
        tree.sweep(inbox.path)


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise MailboxUnavailable(f"{error.strerror}: {error.filename}") from error


def _move(uid: str, source: Folder, target: Folder, flags: Callable[[Entry], str]) -> None:
    for _ in range(_RENAMES_BY_OTHERS):
        entry = source.find(uid)
        if entry is None:
            break
        try:
            return tree.move(entry, target, flags(entry))
        except FileNotFoundError:
            continue  # somebody changed its flags, or took it away
    raise MessageGone(uid)


def _remove(uid: str, folder: Folder) -> None:
    for _ in range(_RENAMES_BY_OTHERS):
        entry = folder.find(uid)
        if entry is None:
            break
        try:
            return Path(entry.path).unlink()
        except FileNotFoundError:
            continue  # somebody changed its flags, or took it away
    raise MessageGone(uid)


def _same_flags(entry: Entry) -> str:
    return entry.flags


def _stored(entry: Entry, summary: Summary) -> StoredMessage:
    return StoredMessage(
        uid=entry.uid,
        kind=MessageKind.VOICE if entry.is_own_voice else summary.kind,
        received=summary.sent or _arrived(entry),
        caller=summary.caller,
        seconds=summary.seconds,
        urgent=FLAGGED in entry.flags,
        new=entry.new,
    )


def _arrived(entry: Entry) -> datetime:
    """Every mail program begins a file name with the second of delivery."""
    digits = re.match(r"[0-9]{1,11}", entry.uid)
    return datetime.fromtimestamp(int(digits[0]) if digits else 0, UTC)


def _read_header(path: str) -> bytes:
    """Most headers are short: read little, and more only where the end has not come."""
    with Path(path).open("rb", buffering=0) as file:
        start = file.read(_ORDINARY_HEADER)
        whole = len(start) < _ORDINARY_HEADER or b"\n\n" in start or b"\n\r\n" in start
        return start if whole else start + file.read(HEADER_LIMIT - _ORDINARY_HEADER)


def _read_message(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(MESSAGE_LIMIT + 1)
