"""A house where phones ring in every way: groups, queue, hunting, forwarding, pick-up, transfer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.patience import AT_MOST
from tests.system.conftest import NewAsterisk
from tests.system.transfer_site import address, phone, registered
from vm_ari.adapters.ami import ManagerAccount
from vm_ari.adapters.ari.line import FAR
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.examination.asterisk import client_of
from vm_ari.adapters.softphone import IncomingCall, OutgoingCall, Softphone

PHONES = tuple(Phone(number, context="house") for number in ("101", "102", "103", "104"))
MODULES = ("app_directed_pickup.so", "app_queue.so")

# 104 is not registered; 19X goes on to voicemail, 20X are groups, 21X hunt, 22X queue, 23X forward;
# what begins with 0 is outside, where there is one telephone
HOUSE = """
[house]
exten => _10[1-4],1,Dial(PJSIP/${EXTEN},10)
 same => n,Hangup(${HANGUPCAUSE})
exten => 191,1,Dial(PJSIP/101,1)
 same => n,Answer()
 same => n,Wait(20)
exten => 200,1,Dial(PJSIP/101&PJSIP/102,10)
exten => 201,1,Dial(Local/101@house&Local/102@house/n,10)
exten => 210,1,Dial(PJSIP/101,1)
 same => n,Dial(PJSIP/102,10)
exten => 220,1,Queue(sales,,,,10)
exten => 230,1,Dial(Local/102@house,10)
exten => 231,1,Dial(PJSIP/101,1)
 same => n,Dial(Local/102@house/n,10)
exten => *8,1,Pickup()
exten => *8101,1,Pickup(101@house)
exten => 232,1,Dial(PJSIP/101,1)
 same => n,Goto(0030559999,1)
exten => _0X.,1,Dial(PJSIP/trunk/sip:${EXTEN:1}@${OUTSIDE},10)
[default]
include => house
"""
QUEUE = """
[sales]
strategy = ringall
timeout = 1
retry = 1
member => PJSIP/101
member => PJSIP/102
"""
GROUPS = "".join(f"\n[{one.number}](+)\ncall_group=1\npickup_group=1\n" for one in PHONES)
SECRET = "least-secret"
# the account as it is shipped, and two that lack something
ACCOUNTS = f"""
[least](vm-ari-manager)
secret = {SECRET}
[deaf](vm-ari-manager)
secret = {SECRET}
read = dtmf
[mute](vm-ari-manager)
secret = {SECRET}
write = dtmf
"""
CONFIGURATION = {
    "extensions.conf": HOUSE,
    "queues.conf": QUEUE,
    "pjsip.conf": GROUPS,
    "manager.conf": ACCOUNTS,
}
HOW: dict[str, Any] = {
    "phones": PHONES,
    "trunk_context": "house",
    "extra_modules": MODULES,
    "extra_configuration": CONFIGURATION,
}
"""Keywords of `new_asterisk`."""


@pytest.fixture(scope="module")
def exchange(new_asterisk: NewAsterisk) -> Iterator[PrivateAsterisk]:
    """One house for all stories."""
    shared = new_asterisk(ami_port=free_port(), **HOW)
    asyncio.run(shared.start())
    yield shared
    asyncio.run(shared.stop())


def manager_account(asterisk: PrivateAsterisk, user: str = "least") -> ManagerAccount:
    """One of the accounts."""
    return ManagerAccount(user, SECRET, port=asterisk.instance.ami_port or 0)


class House:
    """Three people's phones, and somebody outside."""

    def __init__(
        self, asterisk: PrivateAsterisk, outside: Softphone, phones: dict[str, Softphone]
    ) -> None:
        self.asterisk = asterisk
        self.outside = outside
        self.phones = phones

    def dials(self, number: str, **how: str) -> OutgoingCall:
        """Somebody outside begins to call."""
        how = {"from_name": "Carla Caller", "from_number": "+4930123456"} | how
        return self.outside.dial(number, **how)  # type: ignore[arg-type]

    async def rings(self, number: str) -> IncomingCall:
        """Wait until that phone rings."""
        return await self.phones[number].next_call(within=AT_MOST)

    def forwards(self, call: IncomingCall, number: str, to: str) -> None:
        """While it rings that phone sends the call on (302)."""
        one = self.phones[number]
        contact = ("Contact", f"<sip:{to}@{one.domain}>")
        one.line.answer(call.request, one.server, 302, tag=call.dialog.tag, headers=(contact,))
        call.drop()

    async def transfers(self, call: IncomingCall, number: str, to: str) -> None:
        """Who has answered on that phone gives the call away without asking (REFER)."""
        one = self.phones[number]
        who = ("Referred-By", f"<sip:{number}@{one.domain}>")
        await one.line.ask(call.dialog, "REFER", (("Refer-To", f"<sip:{to}@{one.domain}>"), who))

    async def joins(self, first: IncomingCall, second: OutgoingCall, number: str, to: str) -> None:
        """Who has asked there connects both calls of that phone (REFER with Replaces)."""
        one, dialog = self.phones[number], second.dialog
        remote = dialog.remote.rpartition("tag=")[2]
        replaces = f"{dialog.call_id}%3Bto-tag%3D{remote}%3Bfrom-tag%3D{dialog.tag}"
        target = ("Refer-To", f"<sip:{to}@{one.domain}?Replaces={replaces}>")
        who = ("Referred-By", f"<sip:{number}@{one.domain}>")
        await one.line.ask(first.dialog, "REFER", (target, who))

    async def controller_calls(self, number: str, *, on_behalf_of: str = "") -> None:
        """As the controller does it (`AriLeg`, `OutgoingCalls`); *on_behalf_of*: by that caller."""
        async with client_of(address(self.asterisk)) as client:
            callers = [
                str(one["id"])
                for one in await client.channels.list()
                if on_behalf_of and one["caller"]["number"] == on_behalf_of
            ]
            kind = "leg" if callers else "call"
            await client.channels.originate(
                f"Local/{number}@vm-ari-out/n",
                context="vm-ari-end",
                extension="s",
                priority="1",
                channelId=f"vm-ari-{kind}-{number}",
                otherChannelId=f"vm-ari-{kind}-{number}{FAR}",
                originator=callers[0] if callers else "",
            )


@asynccontextmanager
async def house(asterisk: PrivateAsterisk) -> AsyncIterator[House]:
    """Everybody is there, but 104."""
    async with (
        phone(asterisk, "carla") as outside,
        registered(asterisk, "101") as anna,
        registered(asterisk, "102") as ben,
        registered(asterisk, "103") as dora,
    ):
        host, port = outside.line.wire.address
        await asterisk.command(f"dialplan set global OUTSIDE {host}:{port}")
        yield House(asterisk, outside, {"101": anna, "102": ben, "103": dora})


async def until_over(*calls: IncomingCall | OutgoingCall, within: float = AT_MOST) -> None:
    """Wait until all of them have ended."""
    async with asyncio.timeout(within):
        await asyncio.gather(*(call.ended.wait() for call in calls))
