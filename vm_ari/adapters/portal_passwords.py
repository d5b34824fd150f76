"""Passwords of the portal where users are in the embedded directory: Argon2id, never in plain."""

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from vm_ari.adapters.portal_database import PortalDatabase
from vm_ari.ports import DirectoryUnavailable, PortalUnavailable

SHORTEST = 10
LONGEST = 512
LINK_LASTS = timedelta(days=2)
_AT_ONCE = 2
"""Each takes 64 MB and some tens of milliseconds: calls must not notice."""


class PasswordRefused(ValueError):
    """No good as a password. The text says why."""


class PortalPasswords:
    """`ports.PasswordJudge` on the portal's own database, and how passwords are set."""

    def __init__(self, database: PortalDatabase) -> None:
        self._database = database
        self._hasher = PasswordHasher()
        self._workers = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="portal-passwords")
        self._nobodys = ""

    async def accepts(self, user_id: str, password: str) -> bool:
        """See `PasswordJudge`."""
        try:
            known = await self._database.password_hash(user_id) if user_id else ""
        except PortalUnavailable as error:
            raise DirectoryUnavailable(str(error)) from error
        fits = await self._in_worker(known or await self._hash_of_nobody(), password)
        return fits and bool(known) and bool(password)

    async def set_password(self, user_id: str, password: str) -> None:
        """Durable when it returns. Raises `PasswordRefused`, `PortalUnavailable`."""
        check(password)
        loop = asyncio.get_running_loop()
        text = await loop.run_in_executor(self._workers, self._hasher.hash, password)
        await self._database.set_password_hash(user_id, text)

    async def remove_password(self, user_id: str) -> None:
        """The user cannot sign in with one any more. Raises `PortalUnavailable`."""
        await self._database.set_password_hash(user_id, "")

    async def new_link(self, user_id: str) -> str:
        """A token by which the user sets a password, once. Raises `PortalUnavailable`."""
        token = secrets.token_urlsafe(32)
        await self._database.add_link(_key(token), user_id, datetime.now(UTC) + LINK_LASTS)
        return token

    async def owner_of_link(self, token: str) -> str:
        """Empty: nobody's, or over. Raises `PortalUnavailable`."""
        return await self._database.link(_key(token))

    async def use_link(self, token: str, password: str) -> str:
        """Whose password is set now; empty: the link is over.

        Raises `PasswordRefused`, `PortalUnavailable`.
        """
        check(password)
        user_id = await self._database.use_link(_key(token))
        if user_id:
            await self.set_password(user_id, password)
        return user_id

    def close(self) -> None:
        """Let running work end."""
        self._workers.shutdown()

    async def _hash_of_nobody(self) -> str:
        """What is judged where there is no password, so that it takes as long."""
        if not self._nobodys:
            loop = asyncio.get_running_loop()
            secret = secrets.token_hex(16)
            self._nobodys = await loop.run_in_executor(self._workers, self._hasher.hash, secret)
        return self._nobodys

    async def _in_worker(self, known: str, password: str) -> bool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, self._fits, known, password)

    def _fits(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (Argon2Error, InvalidHashError):
            return False


def check(password: str) -> None:
    """Raises `PasswordRefused`."""
    if len(password) < SHORTEST:
        raise PasswordRefused(f"A password needs at least {SHORTEST} characters.")
    if len(password) > LONGEST or len(set(password)) < 4:
        raise PasswordRefused("A password needs several different characters, and an end.")


def _key(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
