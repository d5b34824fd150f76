"""Changes of Asterisk's configuration, file by file: the old content or the new, never a mixture.

A file that is there keeps its owner and mode. What stops in the middle can be done again: our own
files come first, and each block is put in its place only once.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vm_ari.adapters.asterisk_conf.planning import BACKUPS
from vm_ari.adapters.asterisk_conf.reading import OURS, NotConfigurable, Site
from vm_ari.adapters.asterisk_conf.wishes import Change, Plan
from vm_ari.adapters.durable import sync
from vm_ari.domain.asterisk_files import has_block

_UNFINISHED = ".vm_ari.tmp"
_SECRET, _OPEN, _DIRECTORY = 0o640, 0o644, 0o755


def carry_out(site: Site, plan: Plan) -> None:
    """Do it. Blocks. Raises NotConfigurable, with nothing half written, and says which file."""
    with _alone(site.directory):
        _tidy(site)
        for change in plan.changes:
            if change.does_something:
                try:
                    _carry_out(site, change)
                except OSError as error:
                    raise NotConfigurable(
                        f"{change.path} cannot be written ({error.strerror}): "
                        "run this command as root (sudo), or make room"
                    ) from error
        for name in (BACKUPS, OURS):
            with suppress(OSError):  # it is not there, or not empty
                (site.directory / name).rmdir()


@contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """Nobody else runs this command now."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _tidy(site: Site) -> None:
    """What a run has left that was killed while it wrote."""
    for pattern in ("", "*.d/", f"{OURS}/", f"{BACKUPS}/"):
        for path in site.directory.glob(f"{pattern}.*{_UNFINISHED}"):
            with suppress(OSError):
                path.unlink()


def _carry_out(site: Site, change: Change) -> None:
    _trust(change.path, change.path.parent)
    now = change.path.read_bytes() if change.path.exists() else None
    if now != change.before:
        raise NotConfigurable(f"{change.path} was changed at this moment by others: try again")
    if change.after is None:
        change.path.unlink()
        sync(change.path.parent)
        return
    _directory(site, change.path.parent)
    if change.backup and now is not None and not has_block(now):
        _directory(site, change.backup.parent)
        _write(site, change.backup, now, owner=change.path)
    if now is not None:
        _write(site, change.path, change.after, owner=change.path)
    else:
        mode = _SECRET if change.secret else _OPEN
        _write(site, change.path, change.after, owner=change.like, mode=mode)


def _trust(*paths: Path) -> None:
    """We may be root, and the directory another account's: its links must not lead us elsewhere."""
    for path in paths:
        if path.is_symlink():
            raise NotConfigurable(f"{path} is a link since a moment ago: look who has made it")


def _directory(site: Site, path: Path) -> None:
    """For Asterisk in its own directory, elsewhere as the one above it."""
    if path.is_dir():
        return
    _directory(site, path.parent)
    path.mkdir(mode=0o700)
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if path.is_relative_to(site.directory):
            _give(descriptor, None, _DIRECTORY, site)
        else:
            _give(descriptor, path.parent, None, site)
    finally:
        os.close(descriptor)


def _write(
    site: Site, path: Path, content: bytes, *, owner: Path | None, mode: int | None = None
) -> None:
    """With owner, and without *mode* also the mode, of *owner*; None: for Asterisk.

    It has both before it has its name. The dot keeps it out of `#include x.d/*`.
    """
    unfinished = path.with_name(f".{path.name}{_UNFINISHED}")
    unfinished.unlink(missing_ok=True)  # where `_tidy` does not look
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(unfinished, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        _give(file.fileno(), owner, mode, site)
        os.fsync(file.fileno())
    unfinished.rename(path)
    sync(path.parent)


def _give(descriptor: int, owner: Path | None, mode: int | None, site: Site) -> None:
    """By the open file: whoever owns the directory might have changed what the name means."""
    if owner is None:  # the owner of Asterisk's directory, and the group that Asterisk runs in
        user, group = site.directory.stat().st_uid, site.account.pw_gid
    else:
        user, group = owner.stat().st_uid, owner.stat().st_gid
        mode = stat.S_IMODE(owner.stat().st_mode) if mode is None else mode
    try:
        os.fchown(descriptor, user, group)
    except PermissionError:
        with suppress(PermissionError):  # then it is at least ours alone
            os.fchown(descriptor, -1, group)
    if mode is not None:
        os.fchmod(descriptor, mode)
