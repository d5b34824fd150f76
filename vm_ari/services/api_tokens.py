"""Who has which tokens of the JSON API, and whose a given one is."""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

import structlog

from vm_ari.domain.api_tokens import (
    MOST_OF_ONE,
    USUAL_DAYS,
    ApiToken,
    BadToken,
    Scope,
    checked_days,
    checked_name,
)
from vm_ari.ports import Clock

log = structlog.get_logger("vm_ari.portal")

FORM = re.compile(r"vmari_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
"""How tokens look: so that programs that search files for forgotten secrets find them, too."""
_NOTE_USE_EVERY = timedelta(minutes=1)


class TokenRows(Protocol):
    """Where tokens are kept. Every method raises `PortalUnavailable`."""

    async def add(self, token: ApiToken) -> None:
        """Durable when it returns."""
        ...

    async def token(self, token_id: str) -> ApiToken | None:
        """The one of that id."""
        ...

    async def all(self) -> Sequence[ApiToken]:
        """Everybody's, the oldest first."""
        ...

    async def of(self, user_id: str) -> Sequence[ApiToken]:
        """One user's, the oldest first."""
        ...

    async def note_use(self, token_id: str, now: datetime) -> None:
        """When it was used last; nothing happens where it is gone."""
        ...

    async def remove(self, token_id: str, user_id: str) -> bool:
        """Forget it; was there one of that user?"""
        ...

    async def remove_all(self, user_id: str) -> int:
        """Forget all of a user; how many there were."""
        ...

    async def sweep(self, now: datetime) -> None:
        """Forget those that were good until then."""
        ...


@dataclass(frozen=True)
class ApiTokens:
    """The tokens of all users. Every method raises `PortalUnavailable`."""

    rows: TokenRows
    clock: Clock

    async def make(
        self, user_id: str, name: str, scope: Scope, days: int = USUAL_DAYS
    ) -> tuple[str, ApiToken]:
        """A new one: its text, which nobody can be told again, and what is stored of it.

        Raises `BadToken`.
        """
        name, lasts, now = checked_name(name), checked_days(days), self.clock.now()
        there = await self.of(user_id)
        if len(there) >= MOST_OF_ONE:
            raise BadToken(f"{user_id} has {len(there)} tokens; revoke one of them first.")
        token_id = secrets.token_hex(6)
        text = f"vmari_{token_id}_{secrets.token_urlsafe(32)}"
        token = ApiToken(token_id, fingerprint(text), user_id, name, scope, now, now + lasts)
        await self.rows.add(token)
        return text, token

    async def find(self, text: str) -> ApiToken | None:
        """The token that somebody shows; None: nobody's, revoked or over."""
        form = FORM.fullmatch(text)
        token = await self.rows.token(form[1]) if form else None
        now = self.clock.now()
        if token is None or not hmac.compare_digest(token.fingerprint, fingerprint(text)):
            return None
        if token.is_over(now):
            return None
        if token.used is None or now - token.used >= _NOTE_USE_EVERY:
            await self.rows.note_use(token.id, now)
            token = replace(token, used=now)
        return token

    async def of(self, user_id: str) -> Sequence[ApiToken]:
        """Those of a user that are good still, the oldest first."""
        now = self.clock.now()
        return [one for one in await self.rows.of(user_id) if not one.is_over(now)]

    async def all(self) -> Sequence[ApiToken]:
        """Those of everybody that are good still, the oldest first."""
        now = self.clock.now()
        return [one for one in await self.rows.all() if not one.is_over(now)]

    async def revoke(self, user_id: str, token_id: str) -> bool:
        """It is good no longer; was it that user's?"""
        return await self.rows.remove(token_id, user_id)

    async def end_all(self, user_id: str) -> None:
        """The user is gone, and whoever gets that id later has none of these tokens."""
        if ended := await self.rows.remove_all(user_id):
            log.info("tokens of a removed user ended", user=user_id, tokens=ended)

    async def sweep(self, is_there: Callable[[str], Awaitable[bool]]) -> None:
        """Forget what is over, and the tokens of users who are there no longer.

        Raises what *is_there* raises; nobody's tokens end for a directory that does not answer.
        """
        await self.rows.sweep(self.clock.now())
        for user_id in sorted({one.user_id for one in await self.rows.all()}):
            if not await is_there(user_id):
                await self.end_all(user_id)


def fingerprint(text: str) -> str:
    """What is stored of a token. It has 256 random bits, so that no slow hash is needed."""
    return sha256(text.encode("utf-8", "replace")).hexdigest()
