"""Reading what controllers work on, so that each piece is whole. Blocking.

A database is copied by its own means. In the spool a message moves by renames, always forwards or
from "hold" back to "new": looked through in that order, each is met in one directory at least, and
where it was met twice, the later one counts (`restoring`).
"""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from vm_ari.adapters.backup.contents import Kind, Root

SPOOL_ORDER = ("fallback", "open", "new", "hold", "new", "done")
_PASSING = {"tmp", "listening", ".lock", "log-level", "transcripts-work"}
"""Of the spool: nothing there outlives a restart."""


@dataclass(frozen=True)
class Piece:
    """A file or directory, with its rights."""

    member: str
    mode: int
    uid: int
    gid: int
    content: bytes | None
    """None: a directory."""


def pieces(root: Root) -> Iterator[Piece]:
    """Everything of it; nothing where it does not exist. Raises OSError, `sqlite3.Error`."""
    if not root.path.exists():
        return
    match root.kind:
        case Kind.FILE:
            yield _file(root.name, root.path)
        case Kind.SQLITE:
            yield _database(root)
        case Kind.TREE:
            yield from _tree(root.name, root.path)
        case Kind.SPOOL:
            yield from _spool(root)


def _file(member: str, path: Path) -> Piece:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        return Piece(member, stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid, file.read())


def _directory(member: str, path: Path) -> Piece:
    about = path.stat()
    return Piece(member, stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid, None)


def _database(root: Root) -> Piece:
    """As it is after the last transaction, whoever writes meanwhile."""
    about = root.path.stat()
    with TemporaryDirectory(prefix="vm-ari-backup-") as temporary:
        copy = Path(temporary) / "copy.db"
        with (
            closing(sqlite3.connect(f"file:{root.path}?mode=rw", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        mode = stat.S_IMODE(about.st_mode)
        return Piece(root.name, mode, about.st_uid, about.st_gid, copy.read_bytes())


def _tree(member: str, path: Path) -> Iterator[Piece]:
    """What vanishes meanwhile was on its way out."""
    with suppress(FileNotFoundError):
        yield _directory(member, path)
        for entry in sorted(os.scandir(path), key=lambda one: one.name):
            below = f"{member}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                yield from _tree(below, Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    yield _file(below, Path(entry.path))


def _spool(root: Root) -> Iterator[Piece]:
    yield _directory(root.name, root.path)
    for state in SPOOL_ORDER:
        yield from _state(f"{root.name}/{state}", root.path / state)
    for entry in sorted(os.scandir(root.path), key=lambda one: one.name):
        if entry.name in _PASSING or entry.name in SPOOL_ORDER or entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _tree(f"{root.name}/{entry.name}", Path(entry.path))


def _state(member: str, path: Path) -> Iterator[Piece]:
    """Items as they are, each whole or not at all: what moves on is met further on."""
    if not path.is_dir():
        return
    yield _directory(member, path)
    for entry in sorted(os.scandir(path), key=lambda one: one.name):
        found = _item(f"{member}/{entry.name}", entry)
        yield from found


def _item(member: str, entry: "os.DirEntry[str]") -> list[Piece]:
    path = Path(entry.path)
    try:
        if entry.is_file(follow_symlinks=False):
            return [_file(member, path)]
        if not entry.is_dir(follow_symlinks=False):
            return []
        names = sorted(one.name for one in path.iterdir())
        return [_directory(member, path), *(_file(f"{member}/{n}", path / n) for n in names)]
    except (FileNotFoundError, IsADirectoryError):
        return []
