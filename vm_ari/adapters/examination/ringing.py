"""Can calls be followed? The account of the manager interface, and what it is told."""

import asyncio
import secrets
from contextlib import aclosing, suppress

from vm_ari.adapters.ami import AmiClient, AmiError, AmiUnavailable, ManagerAccount
from vm_ari.adapters.ami.events import SHOWN, ManagerEvents
from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.examination.asterisk import client_of
from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.domain.ring_events import Appeared, Lost

HEARD_WITHIN = 5.0
"""Seconds until an event that we have caused must have come."""
NOWHERE = "Local/s@vm-ari-end/n"
"""A channel that hangs up at once; it reaches no phone."""
_INCLUDE = "Include asterisk-conf/manager_vm_ari.conf, and derive the account from it."


async def examine_ringing(address: Address, account: ManagerAccount) -> list[Finding]:
    """Login, the right to ask for a caller's presentation, and one event."""
    where = f"The manager interface at {account.host}:{account.port}"
    try:
        may_ask = await _may_ask(account)
    except AmiUnavailable as error:
        advice = "Is it enabled (manager.conf), and are manager.user and its secret right?"
        return [Finding(False, f"{where} cannot be used: {sentence(error)}", advice)]
    found = []
    if not may_ask:
        text = f"{account.user} may not ask whether a caller's number may be shown: none is."
        found.append(Finding(False, text, f"Write write = reporting. {_INCLUDE}"))
    found += await _hears(address, account)
    good = Finding(True, f"{where} tells {account.user} which phones ring.")
    return found or [good]


async def _may_ask(account: ManagerAccount) -> bool:
    client = AmiClient(account)
    try:
        await client.act("Getvar", {"Variable": SHOWN})
    except AmiError as error:
        return "Permission" not in str(error)
    finally:
        await client.close()
    return True


async def _hears(address: Address, account: ManagerAccount) -> list[Finding]:
    """A channel of our own has to be seen."""
    name = f"vm-ari-check-{secrets.token_hex(8)}"
    try:
        async with asyncio.timeout(HEARD_WITHIN):
            async with aclosing(ManagerEvents(account, SystemClock()).listen()) as events:
                async for event in events:
                    match event:
                        case Lost():
                            await _make_channel(address, name)
                        case Appeared(channel=channel) if channel == name:
                            return []
    except TimeoutError:
        text = f"{account.user} is not told of calls."
        return [Finding(False, text, f"Write read = call, and look at eventfilter. {_INCLUDE}")]
    except (AriError, AriUnavailable):
        text = "Nobody knows whether calls are told of, for the REST interface cannot be used."
        return [Finding(False, text, "Mend asterisk first.", follows="asterisk")]
    return []


async def _make_channel(address: Address, name: str) -> None:
    async with client_of(address) as client:
        await client.channels.originate(
            NOWHERE, context="vm-ari-end", extension="s", priority="1", channelId=name
        )
        with suppress(AriError):
            await client.channels.handle(name).hangup()
