"""Calls that are over are told of, one after the other, whatever goes wrong with one of them."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tests.patience import AT_MOST
from tests.ring_records import BEGIN, recorded
from tests.rung_calls import BERLIN, told
from vm_ari.domain.phone_numbers import PhoneNumbers
from vm_ari.domain.ring_events import Lost, RingEvent
from vm_ari.domain.ringing import Follower, RungCall
from vm_ari.services import ringing
from vm_ari.services.ringing import RingFollower


class Recorded:
    """What Asterisk told in these stories, and then nothing more."""

    def __init__(self, *stories: str) -> None:
        self.stories = stories
        self.closed = False

    async def listen(self) -> AsyncGenerator[RingEvent, None]:
        """See `RingEvents`."""
        try:
            yield Lost(BEGIN)
            for story in self.stories:
                for event in recorded(story):
                    yield event
            await asyncio.Event().wait()
        finally:
            self.closed = True


def test_one_that_fails_does_not_end_the_others(caplog: pytest.LogCaptureFixture) -> None:
    calls: list[RungCall] = []
    through = asyncio.Event()

    async def over(call: RungCall) -> None:
        calls.append(call)
        if len(calls) == 1:
            raise RuntimeError("the first one")
        through.set()

    async def story() -> Recorded:
        events = Recorded("nobody_answers", "is_not_there", "hunting")
        following = asyncio.create_task(
            RingFollower(events, Follower(PhoneNumbers(BERLIN)), over).run()
        )
        await asyncio.wait_for(through.wait(), AT_MOST)
        following.cancel()
        await asyncio.wait([following])
        return events

    assert asyncio.run(story()).closed
    assert [call.called for call in told(calls)] == ["101", "210"]


def test_somebody_slow_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The events wait too, in the end: nothing piles up without a limit."""
    monkeypatch.setattr(ringing, "MOST_WAITING", 2)
    calls: list[RungCall] = []

    async def story() -> None:
        may_go_on = asyncio.Event()

        async def over(call: RungCall) -> None:
            await may_go_on.wait()
            calls.append(call)

        events = Recorded(*["nobody_answers"] * 5)
        follower = RingFollower(events, Follower(PhoneNumbers(BERLIN)), over)
        following = asyncio.create_task(follower.run())
        await asyncio.sleep(0.05)
        assert calls == []
        may_go_on.set()
        async with asyncio.timeout(AT_MOST):
            while len(calls) < 5:
                await asyncio.sleep(0.01)
        following.cancel()
        await asyncio.wait([following])

    asyncio.run(story())


def test_a_fault_of_our_own_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "LISTEN_AGAIN", 0.01)
    through = asyncio.Event()

    class Faulty(Recorded):
        async def listen(self) -> AsyncGenerator[RingEvent, None]:
            """Breaks in the middle of a call, once."""
            yield Lost(BEGIN)
            if not self.closed:
                self.closed = True
                for event in list(recorded("nobody_answers"))[:5]:
                    yield event
                raise ValueError("nobody has thought of this")
            for event in recorded("hunting"):
                yield event
            await asyncio.Event().wait()

    async def over(_: RungCall) -> None:
        through.set()

    async def story() -> Follower:
        follower = Follower(PhoneNumbers(BERLIN))
        following = asyncio.create_task(RingFollower(Faulty(), follower, over).run())
        await asyncio.wait_for(through.wait(), AT_MOST)
        following.cancel()
        await asyncio.wait([following])
        return follower

    assert asyncio.run(story()).forgotten == 1
