"""With whose eyes permissions are looked at: those of the controller, also when root asks.

Root may do everything, so what root can read and write says nothing of a controller that runs
under an account of its own.
"""

import grp
import os
import pwd
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_OWNER, _GROUP, _OTHERS = 6, 3, 0
"""How far the bits of a file's mode are shifted for whom."""


@dataclass(frozen=True)
class Account:
    """Somebody who opens files."""

    uid: int
    groups: frozenset[int] = field(default_factory=frozenset)
    is_ours: bool = True
    """Is it the account that this program runs under?"""

    @property
    def name(self) -> str:
        """As in /etc/passwd, or the number."""
        with suppress(KeyError):
            return pwd.getpwuid(self.uid).pw_name
        return str(self.uid)

    def may(self, path: Path, bits: int) -> bool:
        """Can it reach *path*, and do there what *bits* (``os.R_OK`` …) say? Raises OSError."""
        if self.is_ours:
            return os.access(path, bits)
        above = path.absolute().parents
        return self._allowed(path, bits) and all(self._allowed(one, os.X_OK) for one in above)

    def _allowed(self, path: Path, bits: int) -> bool:
        about = path.stat()
        if self.uid == about.st_uid:
            shift = _OWNER
        else:
            shift = _GROUP if about.st_gid in self.groups else _OTHERS
        return (about.st_mode >> shift) & bits == bits


def own_account() -> Account:
    """That of this program."""
    return Account(os.geteuid(), frozenset((os.getegid(), *os.getgroups())))


def controllers_account(keys: Path) -> Account:
    """Who runs the controller: for root the owner of its keys, which only it makes. Blocks."""
    ours = own_account()
    if ours.uid != 0:
        return ours
    owner = next(_owners(keys), 0)
    if owner == 0:
        return ours
    try:
        known = pwd.getpwuid(owner)
    except KeyError:
        return Account(owner, is_ours=False)
    groups = os.getgrouplist(known.pw_name, known.pw_gid)
    return Account(owner, frozenset(groups), is_ours=False)


def _owners(keys: Path) -> Iterator[int]:
    with suppress(OSError):
        for file in sorted(keys.glob("*.key")):
            yield file.stat().st_uid


def group_name(number: int) -> str:
    """As in /etc/group, or the number."""
    with suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return str(number)
