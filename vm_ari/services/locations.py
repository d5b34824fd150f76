"""Through which location a user's notices and recording calls go (NOTIFY-07)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog

from vm_ari.domain.callers import printable
from vm_ari.services.user_attributes import UserAttribute

log = structlog.get_logger("vm_ari.calls")

Endpoint = Callable[[str], Awaitable[str]]
"""How telephones of the user of that id are dialled; empty: as usual."""
LONGEST = 100
"""Characters of a location: it is written into mails and log lines."""


async def usual_endpoint(_user_id: str) -> str:
    """All are dialled alike."""
    return ""


@dataclass(frozen=True)
class Locations:
    """An attribute of the directory names the location, the configuration what it means."""

    attribute: UserAttribute
    usual: str
    """How Asterisk dials where nothing else is said: ``Local/{number}@vm-ari-out/n``."""
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """The same by location; capitals do not matter."""

    async def of(self, user_id: str) -> str:
        """The user's location; empty where the directory names none."""
        return printable(await self.attribute.of(user_id), LONGEST)

    async def endpoint(self, user_id: str) -> str:
        """How calls to that user are dialled: with ``{number}`` in place of the number."""
        location = await self.of(user_id)
        known = {name.casefold(): endpoint for name, endpoint in self.endpoints.items()}
        if location and known and location.casefold() not in known:
            log.warning("location without an endpoint", user=user_id, location=location)
        return known.get(location.casefold(), self.usual)
