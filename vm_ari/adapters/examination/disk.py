"""The disks that messages are kept on: there, writable, with room."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from vm_ari.adapters.examination.accounts import Account, own_account
from vm_ari.adapters.examination.mending import chmod, mkdir
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.spool import DIRECTORY_MODE, MIN_FREE

MIN_FREE_FILES = 1000
"""Inodes: each message needs a few files."""
MEGABYTE = 1_000_000
_RELEASE = "vm-ari spool list --held says why; then release them."
_USE = os.R_OK | os.W_OK | os.X_OK


def examine_spool(root: Path, mails: Path, account: Account | None = None) -> list[Finding]:
    """The spool, where Asterisk records and messages wait; and *mails* of the system. Blocks.

    Seen by the *account* of the controller; without one by our own.
    """
    found = [*_directory(root, "The spool", account or own_account(), DIRECTORY_MODE)]
    if root.is_dir():
        found += _for_asterisk(root)
        found += _states(root)
    if held := _count(mails / "hold"):
        text = f"Mails of the system refused for good, and held: {held}."
        found.append(Finding(False, text, _RELEASE, minor=True))
    return found


def examine_maildirs(root: Path, account: Account | None = None) -> list[Finding]:
    """The local message store. Blocks."""
    return examine_directory(root, "The message store", account or own_account())


def examine_directory(path: Path, name: str, account: Account, mode: int = 0o700) -> list[Finding]:
    """One that the controller writes to, called *name* in a sentence. Blocks."""
    return list(_directory(path, name, account, mode))


def _directory(path: Path, name: str, account: Account, mode: int) -> Iterator[Finding]:
    try:
        if path.exists() and not path.is_dir():
            text = f"{name} {path} is a file, and must be a directory."
            yield Finding(False, text, f"Move it away: mv {path} {path}.old")
            return
        if not path.exists():
            yield _missing(path, name, account, mode)
            return
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            advice = "Look into the kernel's log (dmesg), mend the disk, and mount it writable."
            yield Finding(False, f"{name} {path} lies on a disk that is read-only.", advice)
            return
        if not account.may(path, _USE):
            text = f"{name} {path} cannot be written by the account {account.name}."
            yield Finding(False, text, f"Type as root: chown {account.name} {path}")
            return
        yield _room(path, name, MIN_FREE)
    except OSError as error:
        advice = "Look at the disk."
        if isinstance(error, PermissionError):
            advice = "Run this as root, or as the controller's account."
        yield Finding(False, f"{name} {path}: {error.strerror}.", advice)


def _missing(path: Path, name: str, account: Account, mode: int) -> Finding:
    """It is made at the first start, if somebody may."""
    there = next(parent for parent in path.absolute().parents if parent.exists())
    if there.is_dir() and account.may(there, os.W_OK | os.X_OK):
        return Finding(True, f"{name} {path} is made at the first start.")
    text = f"{name} {path} is not there, and the account {account.name} may not make it in {there}."
    advice = f"Type as root: install -d -o {account.name} -m {mode:o} {path}"
    return Finding(False, text, advice, mending=mkdir(path, account, mode))


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
        advice = f"If Asterisk is another user: chmod 2770 {root}"
        yield Finding(False, text, advice, mending=chmod(root, DIRECTORY_MODE))


def _states(root: Path) -> Iterator[Finding]:
    held, broken = _count(root / "hold"), _count(root / "corrupt")
    if held:
        text = f"Messages refused for good, and held: {held}."
        yield Finding(False, text, _RELEASE, minor=True)
    if broken:
        text = f"Recordings in {root / 'corrupt'} that cannot be read: {broken}."
        advice = "Listen to what is left of them; vm-ari spool adopt makes one a message."
        yield Finding(False, text, advice, minor=True)


def _count(directory: Path) -> int:
    return sum(1 for _ in directory.iterdir()) if directory.is_dir() else 0
