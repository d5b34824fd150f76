"""What happens to a line when somebody else is called for it: our fake line, and a real Asterisk.

As in `test_channel`, each test is a fact that the call engine relies on.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import pytest

from tests.adapters.test_channel import (
    SHORT,
    Caller,
    FakeCaller,
    RealCaller,
    _Hand,
    served,
    until,
)
from tests.clock import run_virtually
from tests.fake_channel import FakeChannel
from tests.patience import AT_MOST, STORY
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone import IncomingCall, Softphone
from vm_ari.domain.callers import Caller as Shown
from vm_ari.domain.dialling import Allowed, Kind
from vm_ari.domain.transfer import Chain, Waiting
from vm_ari.telephony.channel import (
    Answered,
    Cause,
    Channel,
    HungUp,
    Leg,
    LineFault,
    PlayEnded,
)

BEN = "104"
STATUS = {Cause.BUSY: 486, Cause.REFUSED: 603, Cause.NO_ANSWER: 480, Cause.UNREACHABLE: 404}


class Destination(Protocol):
    """Whoever is called."""

    async def rings(self) -> None:
        """Wait for that."""

    async def picks_up(self) -> None:
        """Answer."""

    async def rejects(self, cause: Cause) -> None:
        """Do not."""

    async def hangs_up(self) -> None:
        """Afterwards."""

    async def is_over(self) -> None:
        """Wait until it does not ring any more, or the other side has hung up."""


Story = Callable[[Channel, Caller, Destination], Awaitable[None]]
Tell = Callable[[Story], None]


class FakeDestination:
    """On fake lines."""

    def __init__(self, channel: FakeChannel) -> None:
        self._channel = channel

    @property
    def _line(self) -> FakeChannel:
        return self._channel.legs[-1]

    async def rings(self) -> None:
        """See Destination."""
        assert not self._line.gone

    async def picks_up(self) -> None:
        """See Destination."""
        self._line.picks_up()

    async def rejects(self, cause: Cause) -> None:
        """See Destination."""
        self._line.is_not_answered(cause)

    async def hangs_up(self) -> None:
        """See Destination."""
        self._line.caller_hangs_up()

    async def is_over(self) -> None:
        """See Destination."""
        while not self._line.gone:
            await self._line.changed()


class RealDestination:
    """A SIP phone."""

    def __init__(self, phone: Softphone) -> None:
        self._phone = phone
        self._call: IncomingCall | None = None

    @property
    def call(self) -> IncomingCall:
        """The one that rings."""
        assert self._call
        return self._call

    async def rings(self) -> None:
        """See Destination."""
        self._call = await self._phone.next_call(within=AT_MOST)

    async def picks_up(self) -> None:
        """See Destination."""
        self.call.answer()

    async def rejects(self, cause: Cause) -> None:
        """See Destination."""
        self.call.reject(STATUS[cause])

    async def hangs_up(self) -> None:
        """See Destination."""
        await self.call.hang_up()

    async def is_over(self) -> None:
        """See Destination."""
        await asyncio.wait_for(self.call.ended.wait(), AT_MOST)


def tell_fake(story: Story) -> None:
    """On the virtual clock."""

    async def play() -> None:
        channel = FakeChannel()
        await story(channel, FakeCaller(channel), FakeDestination(channel))
        await channel.hang_up()

    run_virtually(play())


@pytest.fixture(params=["fake", "http", "websocket"])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Tells a story to one of the lines."""
    if request.param == "fake":
        return tell_fake
    asterisk: PrivateAsterisk = request.getfixturevalue("asterisk")
    server = ("127.0.0.1", asterisk.instance.sip_port)

    async def play(story: Story) -> None:
        hand = _Hand()
        async with (
            served(asterisk, hand, request.param, endpoint="PJSIP/{number}"),
            Softphone(user="caller", server=server) as phone,
            Softphone(user=BEN, server=server) as ben,
        ):
            await ben.register()
            call = await phone.call("101")
            line = await asyncio.wait_for(hand.lines.get(), AT_MOST)
            await story(line, RealCaller(call), RealDestination(ben))
            hand.through.set()

    return lambda story: asyncio.run(asyncio.wait_for(play(story), STORY))


def leg(number: str = BEN, seconds: int = 10) -> Leg:
    """Somebody of the house."""
    return Leg(Allowed(number, Kind.INTERNAL, number), Shown("+49301234567", "Carla"), seconds)


async def talking(channel: Channel, destination: Destination) -> Channel:
    """Dial, be answered, and connect both."""
    other = await channel.dial(leg())
    await destination.rings()
    await destination.picks_up()
    await until(other, Answered)
    await channel.join(other)
    return other


def test_who_is_called_picks_up_talks_and_hangs_up(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        other = await talking(channel, destination)
        await destination.hangs_up()
        assert await until(other, HungUp) == HungUp(Cause.CLEARED)
        await channel.part()
        play = await channel.play([SHORT])
        assert (await until(channel, PlayEnded)).play_id == play
        await other.hang_up()
        await channel.part()

    tell(story)


@pytest.mark.parametrize("cause", STATUS)
def test_the_line_says_why_nobody_answers(tell: Tell, cause: Cause) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        other = await channel.dial(leg())
        await destination.rings()
        await destination.rejects(cause)
        assert await until(other, HungUp) == HungUp(cause)

    tell(story)


def test_it_rings_as_long_as_it_was_said(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        other = await channel.dial(leg(seconds=1))
        await destination.rings()
        assert await until(other, HungUp) == HungUp(Cause.NO_ANSWER)
        await destination.is_over()

    tell(story)


def test_a_line_that_is_hung_up_rings_no_more(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        other = await channel.dial(leg())
        await destination.rings()
        await other.hang_up()
        await destination.is_over()
        await until(other, HungUp)
        await other.hang_up()

    tell(story)


def test_the_caller_hears_something_until_it_is_stopped(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        for sound in Waiting:
            await channel.wait_with(sound)
            await channel.stop_waiting()
        await channel.stop_waiting()
        play = await channel.play([SHORT])
        assert (await until(channel, PlayEnded)).play_id == play

    tell(story)


def test_somebody_who_has_gone_cannot_be_joined(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        other = await channel.dial(leg())
        await destination.rings()
        await destination.picks_up()
        await until(other, Answered)
        await destination.hangs_up()
        await until(other, HungUp)
        with pytest.raises(LineFault):
            await channel.join(other)
        play = await channel.play([SHORT])
        assert (await until(channel, PlayEnded)).play_id == play

    tell(story)


def test_a_caller_who_hangs_up_leaves_the_other_one_there(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        other = await talking(channel, destination)
        await caller.hang_up()
        await until(channel, HungUp)
        await other.hang_up()
        await destination.is_over()
        await channel.part()

    tell(story)


def test_nobody_is_handed_over_whom_no_telephone_system_carries(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        other = await channel.dial(leg())
        await destination.rings()
        await destination.picks_up()
        await until(other, Answered)
        await channel.hand_over(other)
        await channel.join(other)
        await destination.hangs_up()
        await until(other, HungUp)
        await channel.part()

    tell(story)


def test_a_call_from_outside_has_been_nowhere(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller, destination: Destination) -> None:
        assert await channel.chain() == Chain()
        assert not await channel.has_other_nodes()

    tell(story)


def test_where_no_telephone_is_nothing_rings(asterisk: PrivateAsterisk) -> None:
    async def play() -> None:
        hand = _Hand()
        server = ("127.0.0.1", asterisk.instance.sip_port)
        async with (
            served(asterisk, hand, "auto", endpoint="PJSIP/{number}"),
            Softphone(user="caller", server=server) as phone,
        ):
            await phone.call("101")
            line = await asyncio.wait_for(hand.lines.get(), AT_MOST)
            with pytest.raises(LineFault):
                await line.dial(leg("199"))
            with pytest.raises(LineFault, match="not a number"):
                await line.dial(leg("104&Local/9@danger"))
            hand.through.set()

    asyncio.run(asyncio.wait_for(play(), STORY))
