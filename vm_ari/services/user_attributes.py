"""An attribute of the directory that says something of a user, remembered for a while."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from vm_ari.ports import Clock, DirectoryUnavailable, RawAttributes

log = structlog.get_logger("vm_ari.directory")

MAX_AGE = timedelta(minutes=10)
MOST = 100_000
"""Users who are remembered."""


@dataclass(frozen=True)
class UserAttribute:
    """The first value of the attribute of that *name*; an empty name: nobody has one."""

    attributes: RawAttributes
    name: str
    clock: Clock
    max_age: timedelta = MAX_AGE
    _known: dict[str, tuple[datetime, str]] = field(default_factory=dict, repr=False)

    async def of(self, user_id: str) -> str:
        """Empty where there is none; while no directory answers, what was known last."""
        if not self.name:
            return ""
        now = self.clock.now()
        asked, value = self._known.get(user_id, (None, ""))
        if asked is not None and now - asked < self.max_age:
            return value
        try:
            found = await self.attributes.attributes(user_id, [self.name])
        except DirectoryUnavailable as error:
            log.warning("attribute not known", user=user_id, name=self.name, reason=str(error))
            return value
        value = next((text.strip() for text in found.get(self.name, ()) if text.strip()), "")
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[user_id] = now, value
        return value
