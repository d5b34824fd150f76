"""Maildirs as a place that messages are moved out of, or into (STORE-04)."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from imapclient import imap_utf7

from vm_ari.adapters import maildir_tree as tree
from vm_ari.adapters.durable import sync, write_file
from vm_ari.adapters.mail_identity import message_id_of
from vm_ari.adapters.mail_reading import HEADER_LIMIT
from vm_ari.adapters.mail_summary import Summary, summary_of
from vm_ari.adapters.maildir_tree import Entry, Folder
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
from vm_ari.ports import MessageGone

T = TypeVar("T")
Judge = Callable[[bytes], Summary]

_LETTERS = {"seen": "S", "flagged": "F", "answered": "R", "draft": "D", "forwarded": "P"}
"""Of `Marks` in the name of a file (maildir(5), and Dovecot's P)."""
_KEYWORDS = "dovecot-keywords"
"""In a folder: which lower-case letters of names mean which keywords."""
_RENAMES_BY_OTHERS = 20


class MaildirSide:
    """`services.store_migration.StoreSide` on Maildirs below *root*."""

    def __init__(self, root: Path, deleted_folder: str, judge: Judge = summary_of) -> None:
        """*judge* says what a message is. Raises ValueError for what cannot name a folder."""
        self._root = root
        self._deleted = tree.folder_name(deleted_folder)
        self._judge = judge

    @asynccontextmanager
    async def open(self, user: User) -> AsyncIterator["MaildirHoldings"]:
        """One user's; nothing is made before a message comes."""
        yield MaildirHoldings(self._root / tree.store_name(user), self._deleted, self._judge)

    def leftovers(self) -> dict[str, int]:
        """How many messages lie in each Maildir below the root, by its name; empty ones not."""
        if not self._root.is_dir():
            return {}
        try:
            counts = {path.name: len(_entries(path)) for path in sorted(self._root.iterdir())}
        except OSError as error:
            raise _away(error) from error
        return {name: count for name, count in counts.items() if count}


class MaildirHoldings:
    """`services.store_migration.Holdings`: one user's Maildir with all its folders."""

    def __init__(self, inbox: Path, deleted: str, judge: Judge) -> None:
        self._inbox = inbox
        self._deleted = deleted
        self._judge = judge
        self._known: dict[str, set[str]] | None = None
        self._odd: dict[Place, Path] = {}
        """Folders that mail programs made, under whatever name they have."""

    async def spots(self) -> Sequence[Spot]:
        """All messages, in the order in which they came."""
        return await _in_thread(self._spots)

    async def read(self, spot: Spot) -> Carried:
        """Raises `MessageGone`."""
        return await _in_thread(lambda: self._read(spot))

    async def remove(self, spot: Spot) -> None:
        """Its file, whatever its flags are now."""
        await _in_thread(lambda: self._remove(spot))

    async def holds(self, message: Carried, place: Place, since: str = "") -> bool:
        """In any folder, marked for removal or not; Maildirs rewrite nothing."""
        return await _in_thread(lambda: self._holds(message))

    async def stand(self, place: Place) -> str:
        """A file is known by its content, so this need not say anything."""
        await _in_thread(lambda: self._made(place))
        return "-"

    async def keep(self, message: Carried, place: Place) -> None:
        """As a delivery, with its flags and its time."""
        await _in_thread(lambda: self._keep(message, place))

    # --- in the threads

    def _spots(self) -> list[Spot]:
        found = [(self._place(path), entry) for path, entry in _entries(self._inbox)]
        found.sort(key=lambda pair: (pair[0].role.value, pair[0].name, pair[1].uid))
        return [Spot(place, entry.uid) for place, entry in found]

    def _made(self, place: Place) -> Folder:
        """The folder, made where it is missing."""
        folder = self._folder(place)
        _make(self._inbox.parent, Folder(self._inbox))
        _make(self._inbox.parent, folder)
        return folder

    def _place(self, folder: Path) -> Place:
        if folder == self._inbox:
            return Place(Role.INBOX)
        if folder.name == self._deleted:
            return Place(Role.DELETED)
        place = Place(Role.OTHER, _readable(folder.name.removeprefix(".")))
        self._odd[place] = folder
        return place

    def _folder(self, place: Place) -> Folder:
        if place in self._odd:
            return Folder(self._odd[place])
        match place.role:
            case Role.INBOX:
                return Folder(self._inbox)
            case Role.DELETED:
                return Folder(self._inbox / self._deleted)
            case Role.OTHER:
                coded = imap_utf7.encode(place.name.replace(".", "_").replace("/", "."))
                return Folder(self._inbox / ("." + coded.decode()))

    def _read(self, spot: Spot) -> Carried:
        folder = self._folder(spot.place)
        for _ in range(_RENAMES_BY_OTHERS):
            entry = folder.find(spot.uid) if folder.is_complete() else None
            if entry is None:
                break
            try:
                return _carried(entry, folder, self._judge)
            except FileNotFoundError:
                continue  # its flags were changed just now
            except OSError as error:
                raise NotTaken(f"{error.filename} cannot be read: {error.strerror}") from error
        raise MessageGone(spot.uid)

    def _remove(self, spot: Spot) -> None:
        folder = self._folder(spot.place)
        for _ in range(_RENAMES_BY_OTHERS):
            entry = folder.find(spot.uid) if folder.is_complete() else None
            if entry is None:
                return
            with suppress(FileNotFoundError):
                Path(entry.path).unlink()
                sync(Path(entry.path).parent)
                return

    def _holds(self, message: Carried) -> bool:
        if self._known is None:
            self._known = _index(self._inbox)
        return message.digest in self._known.get(message.message_id, ())

    def _keep(self, message: Carried, place: Place) -> None:
        folder = self._made(place)
        kind = "voice" if message.voice else "moved"
        seconds = int(message.arrived.timestamp())
        uid = f"{seconds}.{kind}-{message.digest[:40]}.vm-ari"
        path = _write(folder, uid, _flags(message.marks), message)
        _give(self._inbox.parent, path)
        if self._known is not None:
            self._known.setdefault(message.message_id, set()).add(message.digest)


def _entries(inbox: Path) -> list[tuple[Path, Entry]]:
    """Of all folders; nothing where there is no Maildir."""
    if not Folder(inbox).is_complete():
        return []
    folders = [folder for folder in tree.folders(inbox) if (folder.path / "new").is_dir()]
    return [(folder.path, entry) for folder in folders for entry in folder.entries().values()]


def _carried(entry: Entry, folder: Folder, judge: Judge) -> Carried:
    """Raises `FileNotFoundError`."""
    raw, arrived = _read(Path(entry.path))
    header = raw[:HEADER_LIMIT]
    names = _keyword_names(folder.path)
    return Carried(
        mail=with_crlf(raw),
        message_id=message_id_of(header),
        arrived=datetime.fromtimestamp(int(arrived), UTC),
        marks=Marks(
            **{name: letter in entry.flags for name, letter in _LETTERS.items()},
            keywords=tuple(names[flag] for flag in entry.flags if flag in names),
        ),
        voice=entry.is_own_voice or judge(header).kind is MessageKind.VOICE,
    )


def _read(path: Path) -> tuple[bytes, float]:
    """Octets and time of a file; a link could lead root's command anywhere. Raises OSError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read(), os.fstat(file.fileno()).st_mtime


def _keyword_names(folder: Path) -> dict[str, str]:
    """What lower-case letters mean, where Dovecot serves this Maildir, too."""
    try:
        lines = (folder / _KEYWORDS).read_text(encoding="ascii", errors="ignore").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(" ") for line in lines)
    return {
        chr(ord("a") + int(number)): name
        for number, _, name in pairs
        if number.isdecimal() and int(number) < 26 and name
    }


def _flags(marks: Marks) -> str:
    return "".join(sorted(letter for name, letter in _LETTERS.items() if getattr(marks, name)))


def _write(folder: Folder, uid: str, flags: str, message: Carried) -> Path:
    """Whole and durable, or not at all; a file of that name stays as it is."""
    temporary = folder.path / "tmp" / f"{uid}.{os.getpid()}-{secrets.token_hex(4)}"
    where = folder.path / ("cur" if tree.SEEN in flags else "new")
    final = where / (uid + ":2," + flags if flags else uid)
    try:
        write_file(temporary, message.mail.replace(b"\r\n", b"\n"))
        seconds = message.arrived.timestamp()
        os.utime(temporary, (seconds, seconds))
        with suppress(FileExistsError):
            os.link(temporary, final)
        sync(where)
    finally:
        temporary.unlink(missing_ok=True)
    return final


def _index(inbox: Path) -> dict[str, set[str]]:
    """Digests of all files by Message-ID, marked for removal or not."""
    known: dict[str, set[str]] = {}
    if not Folder(inbox).is_complete():
        return known
    for folder in tree.folders(inbox):
        for directory, name in folder.names():
            with suppress(OSError):  # one odd file shall not close the mailbox
                mail, _ = _read(Path(directory, name))
                known.setdefault(message_id_of(mail[:HEADER_LIMIT]), set()).add(digest_of(mail))
                sync(Path(directory))
    return known


def _readable(name: str) -> str:
    """A folder's name as a person writes it; what is not well coded stays as it is."""
    try:
        return str(imap_utf7.decode(name.encode())).replace(".", "/")
    except ValueError:
        return name


def _make(root: Path, folder: Folder) -> None:
    """What root's commands make belongs to the service like everything else here."""
    if folder.is_complete():
        return
    folder.create()
    for each in (folder.path, *folder.path.iterdir()):
        _give(root, each)


def _give(root: Path, path: Path) -> None:
    if os.geteuid() == 0:
        whose = root.stat()
        with suppress(FileNotFoundError):  # its flags were changed just now
            os.chown(path, whose.st_uid, whose.st_gid, follow_symlinks=False)


def _away(error: OSError) -> StoreAway:
    return StoreAway(f"The local store cannot be used: {error.strerror}: {error.filename}")


async def _in_thread(work: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        raise _away(error) from error
