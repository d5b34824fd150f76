"""The local message store: one Maildir per user, shared with any mail program (STORE-01)."""

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from heapq import nlargest
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters import maildir_tree as tree
from vm_ari.adapters.mail_files import with_crlf
from vm_ari.adapters.mail_reading import HEADER_LIMIT, MESSAGE_LIMIT, audio_attachment
from vm_ari.adapters.mail_summary import Summary, summary_of
from vm_ari.adapters.maildir_folders import Folders, below, move, remove, same_flags
from vm_ari.adapters.maildir_listing import Listing, Listings, Look
from vm_ari.adapters.maildir_tree import FLAGGED, SEEN, Entry, Folder
from vm_ari.adapters.rarely import Rarely
from vm_ari.adapters.session_files import NoPlayableAudio, SessionFiles
from vm_ari.adapters.voice_mail import Compose
from vm_ari.domain.kind_rules import KindRule
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage, VoiceMessage
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, MailboxUnavailable, MessageGone

T = TypeVar("T")

DELETED_FOLDER = "Deleted voice messages"
REMEMBERED_HEADERS = 200_000
"""In all mailboxes together; about 80 MB when full."""
LOOKED_AT = 2000
"""So many mails back are looked at that were read or heard already, and are not known."""
_RENAMES_BY_OTHERS = 20
_ORDINARY_HEADER = 8 * 1024


class HeaderMemory:
    """What the headers of messages said: of each mailbox by uid, which never changes meaning.

    The mailbox used longest ago is forgotten first.
    """

    def __init__(self, limit: int = REMEMBERED_HEADERS) -> None:
        self._limit = limit
        self._of: OrderedDict[Path, dict[str, Summary]] = OrderedDict()
        self._rarely = Rarely()

    def of(self, inbox: Path) -> dict[str, Summary]:
        """The memory of one mailbox, to read and to fill."""
        found = self._of.setdefault(inbox, {})
        self._of.move_to_end(inbox)
        if self._rarely.due(len(self._of)):
            while len(self._of) > 1 and sum(map(len, list(self._of.values()))) > self._limit:
                self._of.popitem(last=False)
        return found


class MaildirMailboxes:
    """`ports.Mailboxes` on Maildirs: ``<root>/<mailbox of the user>``.

    *signing_keys* judge our own header fields, *kind_rules* those of gateways (`summary_of`).
    *work_directory* is where files of open mailboxes lie, each in a directory of its own; its group
    may read recordings there, as it is whoever plays them. Raises `ValueError` for a
    *deleted_folder* that is no folder's name.
    """

    def __init__(
        self,
        root: Path,
        *,
        deleted_folder: str = DELETED_FOLDER,
        signing_keys: Sequence[bytes] = (),
        kind_rules: Sequence[KindRule] = (),
        work_directory: Path | None = None,
    ) -> None:
        self._root = root
        self._deleted = tree.folder_name(deleted_folder)
        self._judge = partial(summary_of, keys=tuple(signing_keys), rules=tuple(kind_rules))
        self._work = work_directory
        self._memory = HeaderMemory()
        self._listings = Listings()

    @asynccontextmanager
    async def open(self, user: User, folder: str = "") -> AsyncIterator["MaildirMailbox"]:
        """One session. Raises `MailboxUnavailable`."""
        files = SessionFiles(self._work)
        mailbox = self._of(user, files, folder)
        await _in_thread(mailbox.create)
        try:
            yield mailbox
        finally:
            await asyncio.to_thread(files.clean_up)

    async def counts(self, user: User) -> Counts:
        """See `Mailboxes`."""
        return await self._of(user, SessionFiles(self._work)).counts()

    def _of(self, user: User, files: SessionFiles, folder: str = "") -> "MaildirMailbox":
        """Nothing is made yet. Raises `MailboxUnavailable`."""
        home = Folder(self._root / tree.store_name(user))
        inbox = below(home, folder)
        listing, known = self._listings.of(inbox), self._memory.of(inbox.path)
        folders = Folders(home, inbox, Folder(home.path / self._deleted))
        return MaildirMailbox(folders, listing, known, self._judge, files)


class MaildirMailbox:
    """`ports.Mailbox`: an open Maildir. New voice messages are unseen ones of kind voice."""

    def __init__(
        self,
        folders: Folders,
        listing: Listing,
        known: dict[str, Summary],
        judge: Callable[[bytes], Summary],
        files: SessionFiles,
    ) -> None:
        self._home = folders.home
        self._inbox = folders.inbox
        self._deleted = folders.deleted
        self._listing = listing
        self._known = known
        self._judge = judge
        self._files = files

    def create(self) -> None:
        """Make it where it is not there; blocks. Raises `OSError`."""
        self._home.create()
        self._inbox.create()

    async def counts(self) -> Counts:
        """How many messages there are now; opens only files it has never seen."""
        return await _in_thread(self._count)

    async def messages(self, kind: MessageKind, *, new: bool) -> Sequence[StoredMessage]:
        """The new or the old ones of that kind."""
        return await _in_thread(lambda: self._list(kind, new=new))

    async def audio(self, uid: str) -> Path:
        """Its audio as ``.wav`` (8 kHz) or ``.wav16``. Raises `MessageGone`, `NoPlayableAudio`."""
        return await _in_thread(lambda: self._extract(uid))

    async def mail(self, uid: str, *, most: int | None = None) -> Path:
        """A copy whose lines end in CRLF, whatever they end in here. Raises `MessageGone`."""
        return await _in_thread(lambda: self._copy(uid, most))

    async def mark(self, uid: str, *, new: bool) -> None:
        """Take away or give the flag Seen; all other flags stay. Raises `MessageGone`."""

        def flags(entry: Entry) -> str:
            return entry.flags.replace(SEEN, "") + ("" if new else SEEN)

        await _in_thread(lambda: move(uid, self._inbox, self._inbox, flags))

    async def delete(self, uid: str) -> None:
        """Into the folder of deleted messages, flags and all. Raises `MessageGone`."""
        await _in_thread(self._deleted.create)
        await _in_thread(lambda: move(uid, self._inbox, self._deleted, same_flags))

    async def find(self, message_id: str, since: datetime) -> str | None:
        """By the name of the file, so only what we have delivered is found."""
        return await _in_thread(lambda: self._find(message_id))

    async def undelete(self, uid: str) -> None:
        """Back into the INBOX. Raises `MessageGone`."""
        await _in_thread(self._deleted.create)
        await _in_thread(lambda: move(uid, self._deleted, self._inbox, same_flags))

    async def purge(self, uid: str) -> None:
        """Out of the folder of deleted messages, for good. Raises `MessageGone`."""
        await _in_thread(self._deleted.create)
        await _in_thread(lambda: remove(uid, self._deleted))

    async def move(self, uid: str, folder: str) -> None:
        """One rename, flags and all. Raises `MessageGone`."""
        target = below(self._home, folder)
        await _in_thread(target.create)
        await _in_thread(lambda: move(uid, self._inbox, target, same_flags))

    async def quota(self) -> None:
        """Nothing sets a limit here."""

    def _find(self, message_id: str) -> str | None:
        own = message_id.removeprefix("<").partition("@")[0]
        return next((uid for uid in self._inbox.entries() if tree.is_named(uid, own)), None)

    def _count(self) -> Counts:
        self.create()
        new_voice = heard_voice = new_other = urgent_voice = new_fax = new_text = 0
        look = self._listing.look()
        self._forget_all_but(look)
        for entry in self._looked_at(look):
            match self._kind(entry):
                case None:
                    continue  # it vanished
                case MessageKind.VOICE if entry.new:
                    new_voice += 1
                    urgent_voice += _is_urgent(entry, self._known.get(entry.uid))
                case MessageKind.VOICE:
                    heard_voice += 1
                case kind:
                    new_other += entry.new
                    new_fax += entry.new and kind is MessageKind.FAX
                    new_text += entry.new and kind is MessageKind.TEXT
        return Counts(new_voice, heard_voice, new_other, urgent_voice, new_fax, new_text)

    def _forget_all_but(self, look: Look) -> None:
        for uid in list(self._known):  # a copy: another session may be filling it
            if uid not in look:
                self._known.pop(uid, None)

    def _looked_at(self, look: Look) -> Sequence[Entry]:
        """All new ones, our own and those that are known already; of the others the newest.

        Else the first look at a mailbox of 100,000 mails would open every one of them. Every mail
        program begins a file name with the second of delivery.
        """
        newest = nlargest(LOOKED_AT, look.others)
        near = set(newest)
        known = [uid for uid in list(self._known) if uid in look.others and uid not in near]
        return [*look.sure.values(), *(look.others[uid] for uid in (*newest, *known))]

    def _kind(self, entry: Entry) -> MessageKind | None:
        if entry.is_own_voice:
            return MessageKind.VOICE
        summary = self._summary(entry)
        return summary.kind if summary else None

    def _list(self, kind: MessageKind, *, new: bool) -> list[StoredMessage]:
        entries = [e for e in self._looked_at(self._listing.look()) if e.new is new]
        wanted = [entry for entry in entries if self._kind(entry) is kind]
        listed = [(entry, self._summary(entry)) for entry in wanted]
        return [_stored(entry, summary) for entry, summary in listed if summary is not None]

    def _summary(self, entry: Entry) -> Summary | None:
        """What its header says, or None if it vanished meanwhile."""
        if (known := self._known.get(entry.uid)) is not None:
            return known
        header = self._read(entry, _read_header, odd=b"")
        if header is None:
            return None
        summary = self._judge(header)
        self._known[entry.uid] = summary
        return summary

    def _read(self, entry: Entry, read: Callable[[str], T], *, odd: T) -> T | None:
        """Read it under whatever name it has now; None if it is no longer there."""
        found: Entry | None = entry
        for _ in range(_RENAMES_BY_OTHERS):
            try:
                return read(found.path) if found else None
            except FileNotFoundError:
                found = self._inbox.find(entry.uid)
            except (PermissionError, IsADirectoryError):
                return odd  # one odd file shall not close the mailbox
        return None

    def _extract(self, uid: str) -> Path:
        entry = self._inbox.find(uid)
        content = self._read(entry, _read_message, odd=b"") if entry else None
        if content is None:
            raise MessageGone(uid)
        data = audio_attachment(content)
        if data is None:
            raise NoPlayableAudio(uid)
        return self._files.add(data, uid)

    def _copy(self, uid: str, most: int | None) -> Path:
        entry, target = self._inbox.find(uid), self._files.place("mail")

        def copied(path: str) -> bool:
            with Path(path).open("rb") as source:
                self._files.write(target, with_crlf(source, most))
                return True

        if entry is None or not self._read(entry, copied, odd=False):
            raise MessageGone(uid)
        return target


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
        return inbox.is_complete() and tree.holds(inbox.path, _name_of(message))

    def _deliver(self, message: VoiceMessage, user: User, *, plain: bool) -> None:
        inbox = self._inbox(user)
        inbox.create()
        if self._has(message, user):
            return
        mail = self._compose(message, user, plain=plain).replace(b"\r\n", b"\n")
        flags = FLAGGED if message.facts.urgent else ""
        tree.add(inbox, _name_of(message), flags, mail)
        tree.sweep(inbox.path)


def _name_of(message: VoiceMessage) -> str:
    return tree.name_of(message.facts, voice=message.is_voice)


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise MailboxUnavailable(f"{error.strerror}: {error.filename}") from error


def _stored(entry: Entry, summary: Summary) -> StoredMessage:
    return StoredMessage(
        uid=entry.uid,
        kind=MessageKind.VOICE if entry.is_own_voice else summary.kind,
        received=summary.sent or _arrived(entry),
        caller=summary.caller,
        seconds=summary.seconds,
        urgent=_is_urgent(entry, summary),
        new=entry.new,
        genuine=summary.genuine,
    )


def _is_urgent(entry: Entry, summary: Summary | None) -> bool:
    """Ours were flagged when they were delivered; others may say it in their header alone."""
    said = summary is not None and not entry.is_own_voice and summary.urgent
    return said or FLAGGED in entry.flags


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
