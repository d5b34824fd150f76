"""Whose name a message bears: the directory's for a known number, else what the network said."""

import asyncio
from dataclasses import dataclass, replace

import structlog

from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.users import User
from vm_ari.ports import Courier, Directory, DirectoryUnavailable

log = structlog.get_logger("vm_ari.outbox")

PATIENCE = 5.0
"""Seconds: the message does not wait for a name."""


@dataclass(frozen=True)
class NamedCallers:
    """`ports.Courier` in front of another one (CALL-11).

    A name that the network sends can be chosen by who calls; one of the directory cannot.
    """

    courier: Courier
    directory: Directory

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """See `Courier`."""
        caller = message.facts.caller
        named = replace(caller, name=await self._name(caller, message.facts.id))
        facts = replace(message.facts, caller=named)
        await self.courier.deliver(replace(message, facts=facts), user, plain=plain)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """See `Courier`."""
        return await self.courier.has(message, user)

    async def _name(self, caller: Caller, call: str) -> str:
        if not caller.number:
            return caller.name
        try:
            async with asyncio.timeout(PATIENCE):
                known = await self.directory.user_by_number(caller.number)
        except (DirectoryUnavailable, TimeoutError) as error:
            log.info("caller's name not looked up", call=call, reason=str(error) or "slow")
            return caller.name
        return (printable(known.name) if known else "") or caller.name
