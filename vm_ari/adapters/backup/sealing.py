"""The secret part of a backup, sealed with a passphrase.

Argon2id makes the key (RFC 9106, second recommended option), AES-256-GCM seals.
"""

import os

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from vm_ari.adapters.backup.contents import BadBackup

SHORTEST = 12
"""Characters of a passphrase: whoever has the file can try as many as he likes."""
_SALT, _NONCE = 16, 12
_MARK = b"vm-ari backup 1\n"


def seal(plain: bytes, passphrase: str) -> bytes:
    """Mark, salt, nonce, and what is sealed."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    return _MARK + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, _MARK)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """What was sealed. Raises `BadBackup` for another passphrase."""
    salt, nonce = sealed[len(_MARK) :][:_SALT], sealed[len(_MARK) + _SALT :][:_NONCE]
    body = sealed[len(_MARK) + _SALT + _NONCE :]
    if not sealed.startswith(_MARK) or len(nonce) < _NONCE:
        raise BadBackup("its sealed part is broken")
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, body, _MARK)
    except InvalidTag:
        raise BadBackup("it was sealed with another passphrase, or altered") from None


def _key(passphrase: str, salt: bytes) -> bytes:
    return hash_secret_raw(
        passphrase.encode(), salt, time_cost=3, memory_cost=65536, parallelism=4, hash_len=32,
        type=Type.ID,
    )  # fmt: skip
