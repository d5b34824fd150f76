"""Real calls between SIP phones, followed from what the manager interface tells (MISSED-01)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.patience import AT_MOST
from tests.rung_calls import AT_ONCE, BERLIN, CALLS, CARLA, told
from tests.system.ringing_site import exchange, house, manager_account
from tests.system.ringing_stories import STORIES
from tests.system.transfer_site import address, nothing_is_left
from vm_ari.adapters.ami import AmiClient, AmiError, ManagerAccount
from vm_ari.adapters.ami.events import ManagerEvents
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.examination import ringing
from vm_ari.adapters.examination.asterisk import examine_lamps
from vm_ari.adapters.examination.ringing import examine_ringing
from vm_ari.adapters.lamps.choice import LampSettings, MethodName
from vm_ari.domain.phone_numbers import PhoneNumbers
from vm_ari.domain.ring_events import Lost, RingEvent
from vm_ari.domain.ringing import Follower, RungCall
from vm_ari.services.ringing import RingFollower

# pyst2 calls setDaemon() and isSet()
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk.manager")

__all__ = ["exchange"]

LIVE = (
    *("nobody_answers", "gives_up_at_once", "is_busy", "withheld_number", "hostile_number"),
    *("parallel_one_answers", "group_of_local_channels", "hunting", "queue_one_answers"),
    *("phone_forwards_in_vain", "picked_up", "voicemail_takes_it", "given_away", "joined"),
    *("controller_connects", "controller_calls_a_user"),
)
"""The others, too, are tested as they were recorded: tests/domain/test_ringing.py."""


class Listening(ManagerEvents):
    """Tells when it is connected."""

    def __init__(self, account: ManagerAccount) -> None:
        super().__init__(account, self)
        self.connected = asyncio.Event()

    def now(self) -> datetime:
        """The machine's time."""
        return datetime.now(UTC)

    async def listen(self) -> AsyncGenerator[RingEvent, None]:
        """The same."""
        async with contextlib.aclosing(super().listen()) as events:
            async for event in events:
                if isinstance(event, Lost):
                    self.connected.set()
                yield event


class Calls:
    """Those that are over."""

    def __init__(self) -> None:
        self.over: list[RungCall] = []

    async def add(self, call: RungCall) -> None:
        """One more."""
        self.over.append(call)


@asynccontextmanager
async def followed(asterisk: PrivateAsterisk) -> AsyncIterator[Calls]:
    """Calls from now on; at the end all of them are over."""
    calls, account = Calls(), manager_account(asterisk)
    events, follower = Listening(account), Follower(PhoneNumbers(BERLIN))
    following = asyncio.create_task(RingFollower(events, follower, calls.add).run())
    try:
        await asyncio.wait_for(events.connected.wait(), AT_MOST)
        yield calls
    finally:
        following.cancel()
        await asyncio.wait([following])


async def settled(asterisk: PrivateAsterisk, calls: Calls, number: int) -> list[RungCall]:
    """What was told when nothing is left, and a moment later."""
    await nothing_is_left(asterisk)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(AT_MOST):
            while len(calls.over) < number:
                await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    return calls.over


@pytest.mark.feature_part("MISSED-01", "calls are followed through groups, hunting, pick-up …")
@pytest.mark.parametrize("story", LIVE)
def test_a_real_call(story: str, exchange: PrivateAsterisk) -> None:
    async def play() -> list[RungCall]:
        async with followed(exchange) as calls, house(exchange) as people:
            await STORIES[story](people)
            return await settled(exchange, calls, len(CALLS[story]))

    over = told(asyncio.run(play()))
    if story in AT_ONCE:
        over = [replace(call, caller=call.caller.removeprefix(CARLA)) for call in over]
    assert over == list(CALLS[story])


def test_a_call_that_began_before_is_not_told_of(exchange: PrivateAsterisk) -> None:
    async def play() -> list[RungCall]:
        async with house(exchange) as people:
            early = people.dials("101")
            await people.rings("101")
            async with followed(exchange) as calls:
                second = people.dials("102")
                await people.rings("102")
                await asyncio.gather(early.hang_up(), second.hang_up())
                return await settled(exchange, calls, 1)

    assert [call.called for call in told(asyncio.run(play()))] == ["102"]


@pytest.mark.parametrize("action", ["Originate", "Command", "PJSIPNotify", "Redirect", "Hangup"])
def test_the_shipped_account_can_only_listen(action: str, exchange: PrivateAsterisk) -> None:
    async def play() -> None:
        client = AmiClient(manager_account(exchange))
        try:
            with pytest.raises(AmiError, match="Permission denied"):
                await client.act(action, {"Channel": "Local/s@vm-ari-end", "Command": "core stop"})
        finally:
            await client.close()

    asyncio.run(play())


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for the manager interface")
def test_what_is_wrong_with_the_account_is_said(
    exchange: PrivateAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ringing, "HEARD_WITHIN", 2.0)
    where = address(exchange)

    async def play() -> None:
        good, deaf, mute, unknown = [
            await examine_ringing(where, manager_account(exchange, user))
            for user in ("least", "deaf", "mute", "nobody")
        ]
        assert [one.good for one in good] == [True]
        assert [one.text for one in deaf] == ["deaf is not told of calls."]
        assert [one.text.partition(":")[0] for one in mute] == [
            "mute may not ask whether a caller's number may be shown"
        ]
        assert "Authentication failed" in unknown[0].text
        assert all(one.advice for one in (*deaf, *mute, *unknown))
        await nothing_is_left(exchange)

    asyncio.run(play())


def test_lamps_need_one_right_more(exchange: PrivateAsterisk) -> None:
    instance = exchange.instance
    full = ManagerAccount(instance.ari_user, instance.ari_password, port=instance.ami_port or 0)

    async def play(account: ManagerAccount) -> list[bool]:
        settings = LampSettings(MethodName.AMI, manager=account)
        return [one.good for one in await examine_lamps(address(exchange), settings)]

    assert asyncio.run(play(manager_account(exchange))) == [True, False]
    assert asyncio.run(play(full)) == [True, True]
