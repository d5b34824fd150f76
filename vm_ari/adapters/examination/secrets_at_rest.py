"""The files that hold secrets: the configuration, and the keys that seal PINs and passwords."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from vm_ari.adapters.examination.accounts import Account, own_account
from vm_ari.adapters.examination.disk import examine_directory
from vm_ari.adapters.examination.mending import chmod, close_to_others
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.sealing import KEY_BYTES

PRIVATE = 0o600
_SECRET_LINE = re.compile(r"(?m)^[ \t]*[a-z_]*(password|secret|token|pin)[ \t]*=[ \t]*[\"'][^\"']")


def examine_configuration(file: Path, account: Account) -> list[Finding]:
    """May the controller read its files, and nobody else those with secrets? Blocks."""
    files = [file, *sorted((file.parent / "conf.d").glob("*.toml"))]
    found = [finding for one in files for finding in _readable(one, account)]
    names = ", ".join(str(one) for one in files)
    return found or [Finding(True, f"The configuration is right: {names}.")]


def _readable(file: Path, account: Account) -> Iterator[Finding]:
    if not file.exists():
        return
    if not account.may(file, os.R_OK):
        text = f"{file} cannot be read by {account.name}, under whom the controller runs."
        yield Finding(False, text, f"Type as root: chown {account.name} {file}")
    if file.stat().st_mode & stat.S_IROTH and _SECRET_LINE.search(_text(file)):
        text = f"Everybody on this machine may read the passwords in {file}."
        yield Finding(False, text, f"Type: chmod o= {file}", mending=close_to_others(file))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def examine_keys(directory: Path, sealed_data: Path | None, account: Account) -> list[Finding]:
    """Are the keys there, whole, and the controller's alone? None is made. Blocks.

    *sealed_data*: a database whose secrets they open, if there is one.
    """
    try:
        keys = sorted(directory.glob("*.key")) if directory.is_dir() else []
        closed = directory.is_dir() and not os.access(directory, os.R_OK | os.X_OK)
    except PermissionError:
        keys, closed = [], True
    if closed:
        text = f"The key directory {directory} cannot be read by the account {own_account().name}."
        return [Finding(False, text, "Run this as root, or as the controller's account.")]
    if not keys and sealed_data is not None and sealed_data.exists():
        text = f"There is no key in {directory}: no PIN and password of {sealed_data} can be opened"
        advice = f"Bring {directory} back from a backup, before the controller makes new keys."
        return [Finding(False, f"{text}.", advice)]
    if not keys:
        return examine_directory(directory, "The key directory", account)
    found = [finding for key in keys for finding in _key(key, account)]
    return found or [Finding(True, f"The keys in {directory} are whole and private: {len(keys)}.")]


def _key(file: Path, account: Account) -> Iterator[Finding]:
    about = file.stat()
    if about.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        text = f"The key {file} can be read by others, so it is not used."
        yield Finding(False, text, f"Type: chmod 600 {file}", mending=chmod(file, PRIVATE))
    elif not account.may(file, os.R_OK):
        text = f"The key {file} cannot be read by {account.name}."
        yield Finding(False, text, f"Type as root: chown {account.name} {file}")
    if about.st_size != KEY_BYTES:
        text = f"The key {file} is broken: it holds {about.st_size} bytes, not {KEY_BYTES}."
        yield Finding(False, text, "Bring it back from a backup; what it has sealed is lost else.")
