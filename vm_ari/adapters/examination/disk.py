"""The disks that messages are kept on: there, writable, with room."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from vm_ari.adapters.findings import Finding
from vm_ari.adapters.spool import MIN_FREE

MIN_FREE_FILES = 1000
"""Inodes: each message needs a few files."""
MEGABYTE = 1_000_000


def examine_spool(root: Path, mails: Path) -> list[Finding]:
    """The spool, where Asterisk records and messages wait; and *mails* of the system. Blocks."""
    found = [*_directory(root, "The spool", needed_free=MIN_FREE)]
    if root.is_dir():
        found += _for_asterisk(root)
        found += _states(root)
    if held := _count(mails / "hold"):
        text = f"Mails of the system refused for good, and held: {held}."
        found.append(Finding(False, text, "vm-ari outbox list --held says why; then release them."))
    return found


def examine_maildirs(root: Path) -> list[Finding]:
    """The local message store. Blocks."""
    return list(_directory(root, "The message store", needed_free=MIN_FREE))


def _directory(path: Path, name: str, *, needed_free: int) -> Iterator[Finding]:
    try:
        if not path.is_dir():
            yield from _missing(path, name)
            return
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            advice = "Look into the kernel's log (dmesg), mend the disk, and mount it writable."
            yield Finding(False, f"{name} {path} lies on a disk that is read-only.", advice)
            return
        if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
            text = f"{name} {path} cannot be written by this account."
            yield Finding(False, text, "Give it to the account that the controller runs under.")
            return
        yield _room(path, name, needed_free)
    except OSError as error:
        yield Finding(False, f"{name} {path}: {error.strerror}.", "Look at the disk.")


def _missing(path: Path, name: str) -> Iterator[Finding]:
    """It is made at the first start, if somebody may."""
    there = next(parent for parent in path.parents if parent.exists())
    if os.access(there, os.W_OK | os.X_OK):
        yield Finding(True, f"{name} {path} is made at the first start.")
    else:
        text = f"{name} {path} is not there, and may not be made in {there}."
        yield Finding(False, text, "Make it, and give it to the controller's account.")


def _room(path: Path, name: str, needed: int) -> Finding:
    free, disk = shutil.disk_usage(path).free, os.statvfs(path)
    text = f"{name} {path} has {free // MEGABYTE} MB left"
    if free < needed:
        advice = f"Make room: below {needed // MEGABYTE} MB no message is taken."
        return Finding(False, f"{text}.", advice)
    if disk.f_files and disk.f_favail < MIN_FREE_FILES:
        text = f"{name} {path} has room for {disk.f_favail} more files."
        return Finding(False, text, "Remove small files from that disk, or use another one.")
    return Finding(True, f"{text}, and is writable.")


def _for_asterisk(root: Path) -> Iterator[Finding]:
    """Asterisk is often another user of the same group."""
    if not root.stat().st_mode & stat.S_IWGRP:
        text = f"The group of {root} may not write there, and Asterisk records into it."
        yield Finding(False, text, f"If Asterisk is another user: chmod 2770 {root}")


def _states(root: Path) -> Iterator[Finding]:
    held, broken = _count(root / "hold"), _count(root / "corrupt")
    if held:
        text = f"Messages refused for good, and held: {held}."
        yield Finding(False, text, "vm-ari outbox list --held says why; then release them.")
    if broken:
        text = f"Recordings in {root / 'corrupt'} that cannot be read: {broken}."
        yield Finding(False, text, "Listen to what is left of them, then remove them.")


def _count(directory: Path) -> int:
    return sum(1 for _ in directory.iterdir()) if directory.is_dir() else 0
