"""The file itself: a compressed tar archive, private, complete or not there at all. Blocking."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from vm_ari.adapters import durable
from vm_ari.adapters.backup.contents import (
    MANIFEST,
    SEALED,
    BadBackup,
    Kind,
    Manifest,
    Root,
)
from vm_ari.adapters.backup.copying import Piece, pieces
from vm_ari.adapters.backup.sealing import seal, unseal

PRIVATE = 0o600
LARGEST_SEALED = 64_000_000
"""Bytes: keys and configuration are some kilobytes."""
_FASTEST = 1


def write(target: Path, manifest: Manifest, passphrase: str | None) -> Manifest:
    """Write it, and the list of what is in it. Without a *passphrase* secrets are left out.

    Raises OSError, `sqlite3.Error`, FileExistsError where the file is there already.
    """
    unfinished = target.with_name(target.name + durable.UNFINISHED)
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=_FASTEST) as tar:
                full = _fill(tar, manifest, passphrase)
            file.flush()
            os.fsync(file.fileno())
        os.link(unfinished, target)  # never over a file that is there
        durable.sync(target.absolute().parent)
    finally:
        unfinished.unlink(missing_ok=True)
    return full


def _fill(tar: tarfile.TarFile, manifest: Manifest, passphrase: str | None) -> Manifest:
    open_roots = [one for one in manifest.roots if not one.secret]
    digests: dict[str, str] = {}
    if passphrase is not None:
        secret = [one for one in manifest.roots if one.secret]
        inner = io.BytesIO()
        with tarfile.open(fileobj=inner, mode="w") as sealed:
            digests |= _add_all(sealed, secret)
        _add(tar, Piece(SEALED, PRIVATE, 0, 0, seal(inner.getvalue(), passphrase)))
    # greetings before and after their database: whatever it names is there
    trees = [one for one in open_roots if one.kind is Kind.TREE]
    digests |= _add_all(tar, [*trees, *(one for one in open_roots if one not in trees)])
    digests |= _add_all(tar, trees, known=set(digests))
    there = manifest.roots if passphrase is not None else open_roots
    full = replace(manifest, digests=digests, roots=there)
    _add(tar, Piece(MANIFEST, PRIVATE, 0, 0, full.to_json()))
    return full


def _add_all(
    tar: tarfile.TarFile, roots: Sequence[Root], known: Iterable[str] = ()
) -> dict[str, str]:
    digests: dict[str, str] = {}
    there = set(known)
    for root in roots:
        for piece in pieces(root):
            if piece.member in there:
                continue
            if piece.content is None:
                _add(tar, piece)
                continue
            digest = hashlib.sha256(piece.content).hexdigest()
            if digests.get(piece.member) != digest:  # else it was met before, and is the same
                _add(tar, piece)
                digests.pop(piece.member, None)  # it counts where it was met last
                digests[piece.member] = digest
    return digests


def _add(tar: tarfile.TarFile, piece: Piece) -> None:
    info = tarfile.TarInfo(piece.member)
    info.mode, info.uid, info.gid = piece.mode, piece.uid, piece.gid
    if piece.content is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    else:
        info.size = len(piece.content)
        tar.addfile(info, io.BytesIO(piece.content))


def contents(source: Path) -> Manifest:
    """The list of what is in it, after every digest was compared. Raises `BadBackup`, OSError."""
    manifest: Manifest | None = None
    found: dict[str, str] = {}
    for piece in _read(source):
        if piece.member == MANIFEST:
            manifest = Manifest.from_json(piece.content or b"")
        elif piece.content is not None and piece.member != SEALED:
            found[piece.member] = hashlib.sha256(piece.content).hexdigest()
    if manifest is None:
        raise BadBackup("it is not whole: its end is missing")
    secret = {one.name for one in manifest.roots if one.secret}
    for member, digest in manifest.digests.items():
        if member.partition("/")[0] not in secret and found.get(member) != digest:
            raise BadBackup(f"{member} is missing or altered")
    return manifest


def all_pieces(source: Path, manifest: Manifest, passphrase: str | None) -> Iterator[Piece]:
    """Everything but the list; the secret part where there is a *passphrase*.

    Raises `BadBackup`, OSError.
    """
    for piece in _read(source):
        if piece.member == SEALED:
            if passphrase is not None:
                yield from _unsealed(piece.content or b"", manifest, passphrase)
        elif piece.member != MANIFEST and (piece.content is None or _is_listed(piece, manifest)):
            yield piece


def _unsealed(sealed: bytes, manifest: Manifest, passphrase: str) -> Iterator[Piece]:
    if len(sealed) > LARGEST_SEALED:
        raise BadBackup("its sealed part is too large")
    with tarfile.open(fileobj=io.BytesIO(unseal(sealed, passphrase)), mode="r:") as tar:
        for piece in _pieces_of(tar):
            if piece.content is None or _is_listed(piece, manifest):
                yield piece


def _is_listed(piece: Piece, manifest: Manifest) -> bool:
    """Of a member that came twice only the last; what is not listed is nobody's."""
    digest = hashlib.sha256(piece.content or b"").hexdigest()
    return manifest.digests.get(piece.member) == digest


def _read(source: Path) -> Iterator[Piece]:
    try:
        with tarfile.open(source, mode="r:gz") as tar:
            yield from _pieces_of(tar)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BadBackup(f"it cannot be read: {error}") from None
    except OSError as error:
        if error.errno is None:  # gzip says so of a file that is none
            raise BadBackup(f"it cannot be read: {error}") from None
        raise


def _pieces_of(tar: tarfile.TarFile) -> Iterator[Piece]:
    """Plain files and directories only."""
    for info in tar:
        if info.isdir():
            yield Piece(info.name, info.mode, info.uid, info.gid, None)
        elif info.isreg():
            file = tar.extractfile(info)
            assert file is not None
            yield Piece(info.name, info.mode, info.uid, info.gid, file.read())
        else:
            raise BadBackup(f"it holds something that is no file: {info.name[:200]!r}")
