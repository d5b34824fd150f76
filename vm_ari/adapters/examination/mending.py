"""What `vm-ari check --fix` does by itself: nothing that could lose or open anything."""

import asyncio
import os
import stat
from pathlib import Path

from vm_ari.adapters.examination.accounts import Account
from vm_ari.adapters.findings import Mending


def chmod(path: Path, mode: int) -> Mending:
    """Another mode; a link is not followed."""

    def work() -> None:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            os.fchmod(handle, mode)
        finally:
            os.close(handle)

    return Mending(f"chmod {mode:o} {path}", lambda: asyncio.to_thread(work))


def close_to_others(path: Path) -> Mending:
    """Nobody but owner and group may do anything there."""
    return chmod(path, stat.S_IMODE(path.stat().st_mode) & ~stat.S_IRWXO)


def mkdir(path: Path, account: Account, mode: int) -> Mending:
    """A directory of the controller's, and those above it; the group is that of what holds it."""

    def work() -> None:
        there = next(parent for parent in path.absolute().parents if parent.exists())
        for one in [*reversed([p for p in path.absolute().parents if not p.exists()]), path]:
            one.mkdir(mode=0o755)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:  # by its handle: somebody may have put a link in its place meanwhile
            os.fchown(handle, account.uid, there.stat().st_gid)
            os.fchmod(handle, mode)
        finally:
            os.close(handle)

    words = f"install -d -o {account.name} -m {mode:o} {path}"
    return Mending(words, lambda: asyncio.to_thread(work))
