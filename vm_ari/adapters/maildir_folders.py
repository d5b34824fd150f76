"""The folders of one user's Maildir, and what is moved between them (STORE-05)."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vm_ari.adapters import maildir_tree as tree
from vm_ari.adapters.maildir_tree import Entry, Folder
from vm_ari.ports import MailboxUnavailable, MessageGone

_RENAMES_BY_OTHERS = 20


@dataclass(frozen=True)
class Folders:
    """Of one user."""

    home: Folder
    """Where new messages come."""
    inbox: Folder
    """The open one: the same, or another."""
    deleted: Folder


def below(home: Folder, folder: str) -> Folder:
    """That folder; *home* itself for no name. Raises `MailboxUnavailable` for a bad one."""
    try:
        return Folder(home.path / tree.folder_name(folder)) if folder else home
    except ValueError as error:
        raise MailboxUnavailable(str(error)) from None


def move(uid: str, source: Folder, target: Folder, flags: Callable[[Entry], str]) -> None:
    """One rename, with other flags. Raises `MessageGone`."""
    for _ in range(_RENAMES_BY_OTHERS):
        entry = source.find(uid)
        if entry is None:
            break
        try:
            return tree.move(entry, target, flags(entry))
        except FileNotFoundError:
            continue  # somebody changed its flags, or took it away
    raise MessageGone(uid)


def remove(uid: str, folder: Folder) -> None:
    """For good. Raises `MessageGone`."""
    for _ in range(_RENAMES_BY_OTHERS):
        entry = folder.find(uid)
        if entry is None:
            break
        try:
            return Path(entry.path).unlink()
        except FileNotFoundError:
            continue  # somebody changed its flags, or took it away
    raise MessageGone(uid)


def same_flags(entry: Entry) -> str:
    """For `move`."""
    return entry.flags
