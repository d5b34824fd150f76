"""Secrets at rest: PINs and passwords sealed with keys that lie outside the directory."""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vm_ari.adapters.durable import sync

log = structlog.get_logger("vm_ari.keys")

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"
_SETTLED_NS = 1_000_000_000
"""A directory that was changed less than this before it was read may have changed once more since,
with the same time stamp: file systems count in steps of some milliseconds."""


class KeysUnusable(Exception):
    """The key directory cannot be read, or others may read it too. The text says which file."""


class SealBroken(Exception):
    """This value was not sealed for this user and attribute, or its key is missing."""


class KeyRing:
    """The keys of a directory of 0600 files: the last by file name seals, all of them open.

    A key's id is a fingerprint of its content, so a mixed-up or lost key is noticed and never
    taken for another one. The first key is created when the directory has none. A key that another
    process adds is noticed before the next value is sealed, and when it is needed to open one.
    Raises `KeysUnusable`.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._keys: dict[str, bytes] = {}
        self._changed_at: int | None = None
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _key_files(directory):
                self._create("0001.key")
            self._load()
        except OSError as error:
            raise KeysUnusable(f"Key directory {directory}: {error.strerror}") from error

    def seal(self, text: str, *, owner: str, attribute: str) -> str:
        """``v1.<key id>.<base64url>``, which opens only for the same *owner* and *attribute*."""
        self._look_again()
        key_id, key = self._newest()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, text.encode(), _bound_to(key_id, owner, attribute))
        return f"{_VERSION}.{key_id}.{_to_text(nonce + sealed)}"

    def open(self, sealed: str, *, owner: str, attribute: str) -> str:
        """The text that was sealed. Raises `SealBroken`."""
        try:
            version, key_id, coded = sealed.split(".")
            raw = base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))
        except ValueError:
            raise SealBroken("not a sealed value") from None
        key = self._key(key_id) if version == _VERSION else None
        if key is None:
            raise SealBroken(f"no key {key_id[:16]!r} in the key directory")
        try:
            nonce, body = raw[:_NONCE_BYTES], raw[_NONCE_BYTES:]
            opened = AESGCM(key).decrypt(nonce, body, _bound_to(key_id, owner, attribute))
            return opened.decode()
        except (InvalidTag, ValueError):
            raise SealBroken("sealed for another user or attribute, or altered") from None

    def is_current(self, sealed: str) -> bool:
        """Was it sealed with the newest key? If not, sealing it again completes a rotation."""
        self._look_again()
        return sealed.startswith(f"{_VERSION}.{self._newest()[0]}.")

    def rotate(self) -> str:
        """Add a key; from now on it seals. Returns its id."""
        try:
            numbers = [int(f.stem) for f in _key_files(self._directory) if f.stem.isdigit()]
            self._create(f"{max(numbers, default=0) + 1:04d}.key")
            self._load()
        except OSError as error:
            raise KeysUnusable(f"Key directory {self._directory}: {error.strerror}") from error
        return self._newest()[0]

    def signing_keys(self, purpose: str) -> tuple[bytes, ...]:
        """Keys for HMACs of that purpose: the first signs, all verify."""
        derived = [hmac.digest(k, f"vm-ari {purpose}".encode(), "sha256") for k in self._all()]
        return tuple(reversed(derived))

    def _all(self) -> list[bytes]:
        return list(self._keys.values())

    def _newest(self) -> tuple[str, bytes]:
        return list(self._keys.items())[-1]

    def _key(self, key_id: str) -> bytes | None:
        if key_id not in self._keys:
            self._look_again()  # another process may have rotated
        return self._keys.get(key_id)

    def _look_again(self) -> None:
        """Read the directory anew if it has changed; one look costs some microseconds.

        Where it cannot be read any more, the keys that we have go on working.
        """
        try:
            if self._directory.stat().st_mtime_ns != self._changed_at:
                self._load()
        except (OSError, KeysUnusable) as error:
            log.error("the keys cannot be read again: the ones at hand are used", reason=str(error))

    def _load(self) -> None:
        changed_at = self._directory.stat().st_mtime_ns
        keys = [_read(file) for file in _key_files(self._directory)]
        if not keys:
            raise KeysUnusable(f"Key directory {self._directory} is empty.")
        self._keys = {_fingerprint(key): key for key in keys}
        settled = time.time_ns() - changed_at > _SETTLED_NS
        self._changed_at = changed_at if settled else None

    def _create(self, name: str) -> None:
        """Write a key durably; when another process was faster, its key is the one."""
        temporary = self._directory / f".{name}.{secrets.token_hex(8)}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
                file.flush()
                os.fsync(handle)
            _link_unless_there(temporary, self._directory / name)
        finally:
            temporary.unlink()
        sync(self._directory)


def _link_unless_there(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        return


def _key_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.key"))


def _read(file: Path) -> bytes:
    if file.stat().st_mode & 0o077:
        raise KeysUnusable(f"Key file {file} can be read by others: chmod 600 it.")
    key = file.read_bytes()
    if len(key) != KEY_BYTES:
        raise KeysUnusable(f"Key file {file} does not hold {KEY_BYTES} bytes.")
    return key


def _fingerprint(key: bytes) -> str:
    return hashlib.sha256(b"vm-ari key id" + key).hexdigest()[:8]


def _bound_to(key_id: str, owner: str, attribute: str) -> bytes:
    """Associated data: a value copied to another user or attribute does not open there."""
    return json.dumps([_VERSION, key_id, owner, attribute]).encode()


def _to_text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
