"""A telephone is called so that somebody records a greeting there (GREET-09).

Whoever asks does so in a process of his own; the running controller serves the call.
"""

from dataclasses import dataclass

import structlog

from vm_ari.domain.dialling import Allowed, Denied, DiallingRules, may_dial
from vm_ari.domain.greetings import GreetingKey
from vm_ari.domain.numbers import Site
from vm_ari.domain.recording_call import arguments_for
from vm_ari.ports import Greetings, NoCall, Telephones
from vm_ari.services.locations import Endpoint, usual_endpoint

log = structlog.get_logger("vm_ari.calls")


@dataclass(frozen=True)
class RecordingCalls:
    """Has greetings recorded by telephone."""

    telephones: Telephones
    store: Greetings
    dialling: DiallingRules
    sites: tuple[Site, ...]
    endpoint: Endpoint = usual_endpoint

    def judge(self, phone: str) -> Allowed | Denied:
        """May that number, in any spelling, be called for this?"""
        return may_dial(phone, self.dialling, self.sites)

    async def record(self, key: GreetingKey, phone: Allowed) -> None:
        """Back when the call has ended and the greeting is another one.

        Raises `NoCall`, `GreetingsUnavailable`. When this is cancelled the call ends.
        """
        before = (await self.store.of(key.owner)).get(key)
        way = await self.endpoint(key.owner)
        log.info("recording call asked for", user=key.owner, destination=phone.number[-3:])
        await self.telephones.call(phone, arguments_for(key), endpoint=way)
        after = (await self.store.of(key.owner)).get(key)
        if after is None or after == before:
            raise NoCall("The call has ended, and nothing was kept.")
