"""What the API needs, beside `parts.Parts`: it is switched on where this is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from vm_ari.services.api_tokens import ApiTokens
from vm_ari.services.logins import Attempts
from vm_ari.web.api.rates import Rates
from vm_ari.web.parts import Parts


@dataclass(frozen=True)
class ApiParts:
    """One of `Parts.more`."""

    tokens: ApiTokens
    rates: Rates
    failures: Attempts
    """Wrong tokens, by address."""
    _changing: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    @asynccontextmanager
    async def alone(self, what: str) -> AsyncIterator[None]:
        """Nobody else of this process compares and changes that meanwhile."""
        lock = self._changing.setdefault(what, asyncio.Lock())
        async with lock:
            yield


def api_parts(parts: Parts) -> ApiParts | None:
    """None: the API is switched off."""
    return parts.part(ApiParts)


async def end_tokens(parts: Parts, user_id: str) -> None:
    """The user is gone. Raises `PortalUnavailable`."""
    if (api := api_parts(parts)) is not None:
        await api.tokens.end_all(user_id)
