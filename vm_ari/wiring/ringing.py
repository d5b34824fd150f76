"""Following calls from their ring events, as configured (MISSED-01)."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vm_ari.adapters.ami.events import ManagerEvents
from vm_ari.config import BadConfig, Config
from vm_ari.domain.numbers import normalise
from vm_ari.domain.phone_numbers import PhoneNumbers
from vm_ari.domain.ringing import Follower, RungCall
from vm_ari.ports import Clock
from vm_ari.services.ringing import RingFollower
from vm_ari.wiring.asterisk import manager_account


@dataclass(frozen=True)
class Ringing:
    """Follows calls where there is a manager account."""

    follower: RingFollower | None

    async def run(self) -> None:
        """Until cancelled; at once over where calls are not followed."""
        if self.follower:
            await self.follower.run()


def open_ringing(
    config: Config, clock: Clock, on_over: Callable[[RungCall], Awaitable[None]]
) -> Ringing:
    """Nothing is connected yet. Raises `BadConfig`."""
    account = manager_account(config)
    if account is None:
        return Ringing(None)
    events = ManagerEvents(account, clock)
    return Ringing(RingFollower(events, Follower(phone_numbers(config)), on_over))


def phone_numbers(config: Config) -> PhoneNumbers:
    """How phones are called. Raises `BadConfig` for a number that is none."""
    table, site = config.manager, config.rules().site
    for name, number in table.phones.items():
        if normalise(number, site) is None:
            raise BadConfig(f"manager.phones.{name}: “{number}” is no number")
    return PhoneNumbers(site, re.compile(table.phone_pattern), table.phones)
