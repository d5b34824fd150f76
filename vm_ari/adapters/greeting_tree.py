"""Greetings as files for Asterisk: one directory per owner, one index in it. Blocking.

    <owner>/index.json                             what there is; replaced as a whole
    <owner>/<slot>-<language>-<generation>.wav     8 kHz, and 16 kHz as ``.wav16``

A new recording has files of its own, and becomes the greeting when the index names it: a reader
sees both rates of the old one or both of the new one. What no index names is erased after
`GRACE`, because somebody may be hearing it. Raises OSError as the system does, `BadIndex`.
"""

import fcntl
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from vm_ari.adapters import durable
from vm_ari.adapters.audio_intake import Sound
from vm_ari.adapters.greeting_index import BadIndex, Index, Record, from_json, to_json
from vm_ari.domain.greeting_ends import GreetingEnd
from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey

GRACE = 900.0
"""Seconds: longer than anybody listens to a greeting."""
DIRECTORY_MODE = 0o2750
FILE_MODE = 0o640
"""Asterisk, perhaps another user of the directory's group, reads the files."""
INDEX, LOCK = "index.json", ".lock"
LONGEST_NAME = 120
"""Characters of an owner's directory, of the 255 bytes that file systems allow."""

_HAS_AN_END = re.compile(rb'"expires"\s*:\s*"')

Change = Callable[[Index], Index]


def new_generation(key: GreetingKey) -> str:
    """The name of a new recording's files, without suffix."""
    return f"{key.slot}-{_safe(key.language)}-{secrets.token_hex(8)}"


def owner_name(owner: str) -> str:
    """The name of an owner's directory: nobody's id can lead anywhere else."""
    if owner == SITE:
        return "site"
    name = f"user-{_safe(owner)}"
    if len(name) <= LONGEST_NAME:
        return name
    return f"long-{sha256(owner.encode(errors='surrogatepass')).hexdigest()}"


def _safe(text: str) -> str:
    """ASCII letters, digits and hyphens as they are, other bytes as ``_2e``."""
    return "".join(
        chr(byte) if byte < 128 and (chr(byte).isalnum() or byte == ord("-")) else f"_{byte:02x}"
        for byte in text.encode(errors="surrogatepass")
    )


class GreetingTree:
    """The directories below *root*; several processes may use it at the same time."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def index(self, owner: str) -> Index:
        """What an owner has; the files are not looked at."""
        path = self.folder(owner) / INDEX
        try:
            return from_json(path, path.read_bytes())
        except FileNotFoundError:
            return Index(owner)

    def greetings(self, owner: str) -> Mapping[GreetingKey, Greeting]:
        """What callers can hear: a recording whose files somebody has removed is not there."""
        return self._audible(self.index(owner))

    def for_callers(self, owner: str) -> tuple[Mapping[GreetingKey, Greeting], GlobalMode]:
        """The owner's and the site's, and when that one's global greeting plays."""
        site = self.index(SITE)
        own = {} if owner == SITE else self.greetings(owner)
        return {**own, **self._audible(site)}, site.mode

    def _audible(self, index: Index) -> Mapping[GreetingKey, Greeting]:
        folder = self.folder(index.owner)
        return {
            record.key(index.owner): record.greeting(index.owner, folder)
            for record in index.records
            if self.has_files(index.owner, record)
        }

    def folder(self, owner: str) -> Path:
        """Where the files of an owner lie."""
        return self.root / owner_name(owner)

    def has_files(self, owner: str, record: Record) -> bool:
        """Are both rates there?"""
        path = str(self.folder(owner) / record.generation)
        return os.path.isfile(f"{path}.wav") and os.path.isfile(f"{path}.wav16")  # noqa: PTH113

    def write(self, owner: str, generation: str, sound: Sound) -> None:
        """Both files of a new recording; on the disk when this returns."""
        self._ensure(owner)
        folder = self.folder(owner)
        try:
            for suffix, content in ((".wav", sound.wav), (".wav16", sound.wav16)):
                self._write(folder / f"{generation}{suffix}", content)
        except OSError:
            self.erase(owner, generation)
            raise
        durable.sync(folder)

    def erase(self, owner: str, generation: str) -> None:
        """Remove files that nobody has been told of."""
        for suffix in (".wav", ".wav16"):
            (self.folder(owner) / f"{generation}{suffix}").unlink(missing_ok=True)

    def change(self, owner: str, change: Change) -> tuple[Index, Index]:
        """What was there and what is there now; nobody else changes anything meanwhile."""
        with self._locked():
            before = self.index(owner)
            after = change(before)
            if after != before:
                self._replace(owner, before, after)
            self._sweep(self.folder(owner), after)
        return before, after

    def mirror(self, current: Index) -> None:
        """Make this what an owner has, whatever was there; its files are here already."""
        with self._locked():
            try:
                before = self.index(current.owner)
            except BadIndex:
                before = Index(current.owner)
            self._replace(current.owner, before, current)
            self._sweep(self.folder(current.owner), current)

    def knows(self, owner: str) -> bool:
        """Has there ever been anything of that owner?"""
        return (self.folder(owner) / INDEX).is_file()

    def sweep(self) -> None:
        """Erase what a crash left behind, or nobody hears any more, of all owners."""
        for path in self.root.glob(f"*/{INDEX}"):
            with self._locked(), suppress(FileNotFoundError, BadIndex):
                self._sweep(path.parent, from_json(path, path.read_bytes()))

    def endings(self) -> Iterator[GreetingEnd]:
        """Of all owners; an index that is damaged has none."""
        for path in self.root.glob(f"*/{INDEX}"):
            with suppress(FileNotFoundError, BadIndex):
                content = path.read_bytes()
                if _HAS_AN_END.search(content):  # few have: most need not be taken apart
                    yield from _endings(from_json(path, content))

    def _replace(self, owner: str, before: Index, after: Index) -> None:
        self._ensure(owner)
        folder = self.folder(owner)
        durable.replace_file(folder / INDEX, to_json(after))
        self._give(folder / INDEX)
        for gone in before.generations - after.generations:
            for suffix in (".wav", ".wav16"):
                with suppress(FileNotFoundError):  # from now on the grace counts
                    os.utime(folder / f"{gone}{suffix}")

    def _sweep(self, folder: Path, index: Index) -> None:
        oldest = time.time() - GRACE
        for path in (*folder.glob("*-*.wav*"), *folder.glob(f"*{durable.UNFINISHED}")):
            with suppress(FileNotFoundError):
                if path.stem not in index.generations and path.stat().st_mtime < oldest:
                    path.unlink()

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all, and readable for Asterisk whatever the umask is."""
        unfinished = path.with_name(f"{secrets.token_hex(8)}{durable.UNFINISHED}")
        durable.write_file(unfinished, content)
        unfinished.chmod(FILE_MODE)
        self._give(unfinished)
        durable.sync(unfinished)
        unfinished.rename(path)

    def _ensure(self, owner: str) -> None:
        """The owner's directory is there, also after a power cut."""
        self.root.mkdir(parents=True, exist_ok=True)
        durable.ensure_directory(self.root, DIRECTORY_MODE)
        folder = self.folder(owner)
        if not folder.is_dir():
            with suppress(FileExistsError):  # another process was faster
                durable.make_directory(folder, DIRECTORY_MODE)
            self._give(folder)
            durable.sync(self.root)

    def _give(self, path: Path) -> None:
        """What root's commands make belongs to the service like everything else here."""
        if os.geteuid() == 0:
            whose = self.root.stat()
            os.chown(path, whose.st_uid, whose.st_gid)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time, of all processes; the lock ends with its holder."""
        self.root.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        lock = os.open(self.root / LOCK, flags, durable.NEW_FILE_MODE)
        try:
            self._give(self.root / LOCK)
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _endings(index: Index) -> Iterator[GreetingEnd]:
    for one in index.records:
        if one.expires is not None:
            yield GreetingEnd(one.key(index.owner), one.expires)
