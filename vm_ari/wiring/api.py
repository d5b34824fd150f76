"""The JSON API of the portal and its tokens, as configured."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from vm_ari.adapters.api_tokens import ApiTokenRows
from vm_ari.config import Config
from vm_ari.domain.login_budget import Budget
from vm_ari.ports import Clock, DirectoryUnavailable, PortalUnavailable, UserRegister
from vm_ari.services.api_tokens import ApiTokens
from vm_ari.services.logins import Attempts
from vm_ari.web.api.parts import ApiParts
from vm_ari.web.api.rates import Rates

log = structlog.get_logger("vm_ari.portal")

SWEEP_EVERY = timedelta(hours=1)
WRONG_TOKENS = 100
"""From one address, within ``web.failure_minutes``: then it is refused unheard for a while."""


@dataclass(frozen=True)
class OpenApi:
    """The API and what it has opened."""

    parts: ApiParts
    rows: ApiTokenRows
    register: UserRegister

    async def run(self) -> None:
        """Forget what is over, and tokens of users who are gone, until cancelled."""
        while True:
            try:
                await self.parts.tokens.sweep(self._is_there)
            except (PortalUnavailable, DirectoryUnavailable) as error:
                log.warning("old tokens stay", reason=str(error))
            except Exception:  # the portal goes on, whatever this is
                log.exception("old tokens stay")
            await asyncio.sleep(SWEEP_EVERY.total_seconds())

    async def close(self) -> None:
        """Let go of the database."""
        await self.rows.close()

    async def _is_there(self, user_id: str) -> bool:
        return await self.register.entry_by_id(user_id) is not None


def open_tokens(config: Config) -> ApiTokenRows:
    """Where tokens are kept; nothing is connected yet."""
    return ApiTokenRows(config.web.url or config.directory.url)


def open_api(config: Config, register: UserRegister, clock: Clock) -> OpenApi | None:
    """None where it is switched off."""
    table = config.web
    if not table.api:
        return None
    rows = open_tokens(config)
    wrong = Budget(WRONG_TOKENS, 0, timedelta(minutes=table.failure_minutes))
    parts = ApiParts(ApiTokens(rows, clock), Rates(table.api_requests_per_minute), Attempts(wrong))
    return OpenApi(parts, rows, register)
