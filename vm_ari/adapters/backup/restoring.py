"""Bringing a backup back: only where nothing is in its way, and whole. Blocking."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vm_ari.adapters import durable
from vm_ari.adapters.backup.archive import all_pieces
from vm_ari.adapters.backup.contents import BadBackup, Kind, Manifest, Root, place
from vm_ari.adapters.backup.copying import Piece

DIRECTORY_MODE = 0o700
_RIGHTS = 0o7777


def in_the_way(roots: Sequence[Root], below: Path) -> list[Path]:
    """What is there already, seen from the directory *below*; it is never overwritten."""
    return [there for one in roots for there in _places(one, below) if _is_used(there)]


def _places(root: Root, below: Path) -> Iterator[Path]:
    """A log that an old database has left would be played into the new one."""
    there = moved(root.path, below)
    yield there
    if root.kind is Kind.SQLITE:
        yield from (there.with_name(there.name + end) for end in ("-wal", "-journal"))


def moved(path: Path, below: Path) -> Path:
    """The same path, below another root directory."""
    return below / path.relative_to("/")


def _is_used(path: Path) -> bool:
    if path.is_dir() and not path.is_symlink():
        return any(path.iterdir())
    return path.is_symlink() or path.exists()


def restore(
    source: Path, manifest: Manifest, roots: Sequence[Root], below: Path, passphrase: str | None
) -> int:
    """Write these *roots*; how many files it were. Raises `BadBackup`, OSError."""
    wanted = {one.name: one for one in roots}
    superseded = set(_superseded(manifest))
    files = 0
    for piece in all_pieces(source, manifest, passphrase):
        known = {one.name: one for one in manifest.roots}
        target = moved(place(piece.member, known), below)
        if piece.member.partition("/")[0] not in wanted or _item_of(piece.member) in superseded:
            continue
        _refuse_links(target, below)
        if piece.content is None:
            _make(target, piece)
        else:
            _write(target, piece)
            files += 1
    os.sync()
    return files


def _refuse_links(target: Path, below: Path) -> None:
    """A link that somebody has put there would lead the files elsewhere."""
    for one in (target, *target.parents):
        if one == below:
            return
        if one.is_symlink():
            raise BadBackup(f"{one} is a link; remove it, or restore elsewhere (--root)")


def _make(target: Path, piece: Piece) -> None:
    target.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
    handle = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _give(handle, piece)
    finally:
        os.close(handle)


def _write(target: Path, piece: Piece) -> None:
    assert piece.content is not None
    target.parent.mkdir(parents=True, exist_ok=True, mode=DIRECTORY_MODE)
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_TRUNC
    with os.fdopen(os.open(target, flags, durable.NEW_FILE_MODE & 0o600), "wb") as file:
        file.write(piece.content)
        file.flush()
        _give(file.fileno(), piece)


def _give(handle: int, piece: Piece) -> None:
    """Its owner, where we may, and its rights; by handle, so that no link is followed."""
    if os.geteuid() == 0:
        os.fchown(handle, piece.uid, piece.gid)
    os.fchmod(handle, piece.mode & _RIGHTS)


def _item_of(member: str) -> str:
    """``spool/new/<id>`` of everything below it."""
    return "/".join(member.split("/")[:3])


def _superseded(manifest: Manifest) -> Iterator[str]:
    """Items of the spool that went on while they were copied: the last place counts."""
    for root in manifest.roots:
        if root.kind is Kind.SPOOL:
            yield from _left_behind(root.name, manifest.digests)


def _left_behind(name: str, digests: Mapping[str, str]) -> Iterator[str]:
    last: dict[str, str] = {}
    for member in digests:
        parts = member.split("/")
        if parts[0] != name or len(parts) < 3:
            continue
        item = _adopted_id(parts[2]) if parts[1] == "fallback" else parts[2]
        if item in last and last[item] != _item_of(member):
            yield last[item]
        last[item] = _item_of(member)


def _adopted_id(name: str) -> str:
    """The id under which the controller takes a recording of the dialplan (`SpoolTree`)."""
    return hashlib.sha256(os.fsencode(name) + b"/0").hexdigest()[:32]
