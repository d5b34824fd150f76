"""A Maildir on the disk: names, flags and folders (Maildir++), safe beside other mail programs.

Nothing here locks. A message is one file that is never changed; its flags are the end of its
name, and every step is one atomic rename or link, so Dovecot or mutt may work on the same
folders at the same time.
"""

import base64
import hashlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vm_ari.adapters.durable import sync, write_file
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.users import User

SEEN, FLAGGED, TRASHED = "S", "F", "T"
_INFO = ":2,"
_OWN_NAME = re.compile(r"[0-9]+\.voice-[^.]+\.vm-ari")
_STALE_SECONDS = 36 * 3600
"""Age of leftovers in tmp/ that anybody may remove (maildir(5))."""
_SCANS = 10


@dataclass(frozen=True, slots=True)
class Entry:
    """One message file."""

    uid: str
    """The name without flags: the same in every folder and whatever happens to the flags."""
    flags: str
    path: str

    @property
    def new(self) -> bool:
        """Not yet heard or read."""
        return SEEN not in self.flags

    @property
    def is_own_voice(self) -> bool:
        """A voice message of ours: the name says so, nobody has to open it."""
        return is_own(self.uid)


class Folder:
    """One folder: the INBOX or a Maildir++ sub-folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def is_complete(self) -> bool:
        """Is everything there? `create` makes cur/ last."""
        return (self.path / "cur").is_dir()

    def create(self) -> None:
        """Make it, with mode 0700 and durably."""
        if self.is_complete():
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for directory in (self.path, self.path / "tmp", self.path / "new"):
            directory.mkdir(mode=0o700, exist_ok=True)
        if self.path.name.startswith("."):
            (self.path / "maildirfolder").touch(mode=0o600)  # Maildir++'s mark of a sub-folder
        sync(self.path)
        sync(self.path.parent)
        (self.path / "cur").mkdir(mode=0o700, exist_ok=True)
        sync(self.path)

    def entries(self) -> dict[str, Entry]:
        """All messages that are not marked for removal, by uid."""
        found = (entry_of(directory, name) for directory, name in self.names())
        return {e.uid: e for e in found if TRASHED not in e.flags and not e.uid.startswith(".")}

    def find(self, uid: str) -> Entry | None:
        """That message, wherever its flags have brought it; looked for twice before it is gone."""
        for _ in range(2):
            there = [entry_of(d, name) for d, name in self.names() if name.startswith(uid)]
            for entry in there:
                if entry.uid == uid and TRASHED not in entry.flags:
                    return entry
        return None

    def names(self) -> list[tuple[str, str]]:
        """Directory and file name of every message; new/ first, so that one that moves to cur/
        meanwhile is seen twice instead of never.

        A rename by somebody else can hide a message from a scan, so it is repeated when the
        directories have changed during it.
        """
        for _ in range(_SCANS):
            before = self.changed()
            found = [
                (directory, name)
                for directory in (f"{self.path}/new", f"{self.path}/cur")
                for name in os.listdir(directory)  # noqa: PTH208 - thousands of names, not paths
            ]
            if before == self.changed():
                break
        return found

    def changed(self) -> tuple[int, int]:
        """When new/ and cur/ have changed: other numbers after every change."""
        new, cur = ((self.path / name).stat() for name in ("new", "cur"))
        return new.st_mtime_ns, cur.st_mtime_ns


def entry_of(directory: str, name: str) -> Entry:
    """The message that a file name describes."""
    uid, _, flags = name.partition(_INFO)
    return Entry(uid, flags, f"{directory}/{name}")


def is_own(uid: str) -> bool:
    """Is this a name that `name_of` made?"""
    return _OWN_NAME.fullmatch(uid) is not None


def name_of(facts: CallFacts, *, voice: bool = True) -> str:
    """The file name of a message without flags: the same in every attempt to deliver it.

    Not *voice*: a user has forwarded it without a word, and it is a mail.
    """
    kind = "voice" if voice else "sent"
    return f"{int(facts.started.timestamp())}.{kind}-{_safe(facts.id)}.vm-ari"


def is_named(uid: str, facts_id: str) -> bool:
    """Is it a name that `name_of` made for the message of that id?"""
    return bool(facts_id) and uid.partition("-")[2] == f"{_safe(facts_id)}.vm-ari"


def store_name(user: User) -> str:
    """The user's directory below the root; different users have different ones."""
    return _safe(user.mailbox) if user.mailbox else "id=" + _safe(user.id)


def folder_name(name: str) -> str:
    """The directory of a sub-folder: a dot, then the name in IMAP's modified UTF-7 (RFC 3501).

    Raises `ValueError` for a name that cannot be a folder of a Maildir++.
    """
    if not name.strip() or set(name) & set("./\0\r\n"):
        raise ValueError(f"{name!r} cannot be the name of a folder")
    return "." + re.sub(r"[^\x20-\x25\x27-\x7e]+", _utf7, name)


def _utf7(match: re.Match[str]) -> str:
    """A run of characters outside printable ASCII, and ``&`` itself as ``&-``."""
    if match[0] == "&":
        return "&-"
    coded = base64.b64encode(match[0].encode("utf-16-be")).decode()
    return "&" + coded.rstrip("=").replace("/", ",") + "-"


def _safe(text: str) -> str:
    """Any text as a file name, one to one; no dots, slashes, colons, and never empty."""
    name = quote(text, safe="+-_@ ", errors="replace").replace(".", "%2E")
    return name if len(name) <= 200 else hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def folders(inbox: Path) -> Iterator[Folder]:
    """The INBOX and all its sub-folders."""
    yield Folder(inbox)
    for path in inbox.glob(".*"):
        if (path / "cur").is_dir():
            yield Folder(path)


def holds(inbox: Path, uid: str) -> bool:
    """Is the message in any folder, marked for removal or not? If so, it is there durably."""
    for folder in folders(inbox):
        for directory, name in folder.names():
            if name.startswith(uid) and entry_of(directory, name).uid == uid:
                sync(Path(directory))  # whoever put it there may have been killed before that
                return True
    return False


def add(inbox: Folder, uid: str, flags: str, message: bytes) -> None:
    """Bring a message into new/: when this returns it is on the disk, whole, and there once.

    Written in tmp/, fsynced, linked (never over another file), and the directory fsynced.
    A process killed in between leaves nothing or the whole message, and a file in tmp/.
    """
    temporary = inbox.path / "tmp" / f"{uid}.{os.getpid()}-{secrets.token_hex(4)}"
    final = inbox.path / "new" / with_flags(uid, flags)
    try:
        write_file(temporary, message)
        with suppress(FileExistsError):
            os.link(temporary, final)
        sync(inbox.path / "new")
    finally:
        temporary.unlink(missing_ok=True)


def with_flags(uid: str, flags: str) -> str:
    """A file name; flags in ASCII order, and nothing at all for a message without."""
    return uid + _INFO + "".join(sorted(set(flags))) if flags else uid


def move(entry: Entry, to: Folder, flags: str) -> None:
    """One rename: to another folder, other flags, or both. Raises `FileNotFoundError`."""
    name = entry.uid + _INFO + "".join(sorted(set(flags)))
    Path(entry.path).rename(to.path / "cur" / name)


def sweep(inbox: Path) -> None:
    """Remove what deliveries that were killed left in tmp/ long ago."""
    limit = time.time() - _STALE_SECONDS
    for file in (inbox / "tmp").iterdir():
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < limit:
                file.unlink()
