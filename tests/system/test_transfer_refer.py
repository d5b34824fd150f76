"""A finished transfer leaves the server: another Asterisk is the telephone system behind it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.patience import AT_MOST, STORY
from tests.system.callers import Caller, calling
from tests.system.conftest import NewAsterisk
from tests.system.transfer_site import (
    Mailboxes,
    controller,
    hears_tone,
    nothing_is_left,
    phone,
    registered,
    tone,
)
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone import IncomingCall
from vm_ari.config import shared_files
from vm_ari.domain.transfer import Outcome, TransferRules

TRUNK = """
[{name}]
type=endpoint
context=default
aors={name}
disallow=all
allow=alaw,ulaw
direct_media=no
allow_transfer={transfer}
[{name}]
type=aor
contact=sip:127.0.0.1:{port}
[trunk](+)
allow_transfer={transfer}
"""
SWITCH = """
[default]
exten => 101,1,Dial(PJSIP/101@voicemail)
exten => 102,1,Dial(PJSIP/102,20)
"""
OUT = """
[default]
exten => 102,1,Dial(PJSIP/102@switch,20)
 same => n,Hangup(${HANGUPCAUSE})
"""


@dataclass
class Site:
    """Telephones at the switch, mailboxes at ours."""

    switch: PrivateAsterisk
    ours: PrivateAsterisk

    async def channels(self, one: PrivateAsterisk) -> int:
        """How many there are."""
        return len((await one.command("core show channels concise")).strip().splitlines())


@pytest.fixture(scope="module", params=[True, False], ids=["agrees", "refuses"])
def agrees(request: pytest.FixtureRequest) -> bool:
    """Does the switch accept a REFER from us?"""
    return bool(request.param)


@pytest.fixture(scope="module")
def site(new_asterisk: NewAsterisk, agrees: bool) -> Iterator[Site]:
    """Both of them."""
    ports = [free_port(socket.SOCK_DGRAM) for _ in range(2)]
    switch = new_asterisk(
        sip_port=ports[0],
        phones=(Phone("102", context="default"), Phone("103", context="default")),
        trunk_context="default",
        extra_configuration={
            "extensions.conf": SWITCH,
            "pjsip.conf": TRUNK.format(name="voicemail", port=ports[1], transfer=agrees),
        },
    )
    ours = new_asterisk(
        sip_port=ports[1],
        sounds=shared_files() / "sounds",
        extra_configuration={
            "extensions.conf": OUT,
            "pjsip.conf": TRUNK.format(name="switch", port=ports[0], transfer=True),
        },
    )
    both = Site(switch, ours)
    for one in (switch, ours):
        asyncio.run(one.start())
    yield both
    for one in (switch, ours):
        asyncio.run(one.stop())


@asynccontextmanager
async def they_talk(
    site: Site, mailboxes: Mailboxes, endpoint: str
) -> AsyncIterator[tuple[Caller, IncomingCall]]:
    """Carla at the switch calls a mailbox, which connects her with Ben at the switch."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(controller(site.ours, mailboxes, endpoint=endpoint))
        office = await stack.enter_async_context(registered(site.switch))
        own = await stack.enter_async_context(phone(site.switch, "103"))
        carla = await stack.enter_async_context(calling(own, "101", "en", number="103"))
        ben = await office.next_call(within=AT_MOST)
        ben.answer()
        yield carla, ben
        await carla.hangs_up()
        await asyncio.wait_for(ben.ended.wait(), AT_MOST)
        for one in (site.ours, site.switch):
            await nothing_is_left(one)


async def they_hear_each_other(carla: Caller, ben: IncomingCall, hz: int) -> None:
    """Audio goes both ways."""
    await asyncio.gather(
        carla.speaks(tone(hz, 2)),
        ben.speak(tone(hz + 300, 2)),
        hears_tone(ben, hz),
        hears_tone(carla.call, hz + 300),
    )


@pytest.mark.parametrize("endpoint", ["Local/{number}@vm-ari-out/n", "PJSIP/{number}@switch"])
@pytest.mark.feature_part("XFER-03", "by SIP REFER, else the bridge; not ISDN")
def test_both_leave_the_server_where_their_telephone_system_agrees(
    site: Site, agrees: bool, endpoint: str
) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"}, TransferRules(leaves_server=True))
        async with they_talk(site, mailboxes, endpoint) as (carla, ben):
            if agrees:
                assert await mailboxes.outcome() is Outcome.REFERRED
                await nothing_is_left(site.ours)
            await they_hear_each_other(carla, ben, 1000)
            if not agrees:
                await ben.hang_up()
                assert await mailboxes.outcome() is Outcome.TALKED

    asyncio.run(asyncio.wait_for(scenario(), STORY))


def test_they_stay_where_the_site_does_not_want_it(site: Site) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"})
        async with they_talk(site, mailboxes, "PJSIP/{number}@switch") as (carla, ben):
            await they_hear_each_other(carla, ben, 1000)
            assert await site.channels(site.ours) == 2
            await ben.hang_up()
            assert await mailboxes.outcome() is Outcome.TALKED

    asyncio.run(asyncio.wait_for(scenario(), STORY))
