"""File operations that are on the disk when they return; all of them block and raise OSError."""

import os
import shutil
import stat
from pathlib import Path

NEW_FILE_MODE = 0o640
UNFINISHED = ".tmp"
"""Suffix of a file that is being written; after a crash it means nothing."""


def sync(path: Path) -> None:
    """Make a file's content, or a directory's entries, survive a power cut (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, content: bytes) -> None:
    """Write a new file and fsync it; its name is not durable before `sync` of the directory."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, NEW_FILE_MODE), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, content: bytes) -> None:
    """Give a file new content: after a crash it holds the old or the new, never a mixture."""
    unfinished = path.with_name(path.name + UNFINISHED)
    write_file(unfinished, content)
    unfinished.rename(path)
    sync(path.parent)


def make_directory(path: Path, mode: int) -> None:
    """Create it with exactly that mode, whatever the umask; its name is not durable yet."""
    path.mkdir()
    path.chmod(mode)


def ensure_directory(path: Path, mode: int) -> None:
    """As `make_directory`, unless it is there; one that is ours gets the mode all the same."""
    if not path.is_dir():
        make_directory(path, mode)
    state = path.stat()
    if state.st_uid == os.geteuid() and stat.S_IMODE(state.st_mode) != mode:
        path.chmod(mode)


def touch(path: Path) -> None:
    """Make an empty file; its name is not durable before `sync` of the directory."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, NEW_FILE_MODE))


def move(source: Path, target: Path) -> None:
    """Rename within one file system, durably.

    A rename is one entry of a file system's journal: with the new name, the loss of the old one is
    on the disk, too, and the old directory needs no fsync of its own.
    """
    source.rename(target)
    sync(target.parent)


def erase(path: Path, bin_directory: Path) -> None:
    """Remove a directory as if in one step: first out of sight by a rename, then for good."""
    doomed = bin_directory / path.name
    shutil.rmtree(doomed, ignore_errors=True)
    path.rename(doomed)
    shutil.rmtree(doomed)
