"""Calls that ring while the connection to the manager interface (AMI) is bad or away (MISSED-01).

Of a call whose beginning or end nobody saw nothing is told: better none than a wrong one. What is
told is right, and comes once.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from tests.patience import AT_MOST
from tests.proxy import Cut, End, Proxy, Way, proxy_to
from tests.rung_calls import BERLIN
from tests.system.callers import new_number
from tests.system.ringing_site import House, exchange, house, manager_account, until_over
from tests.system.test_missed_mails import Town, town
from tests.system.transfer_site import nothing_is_left
from vm_ari.adapters.ami import client, events
from vm_ari.adapters.ami.events import ManagerEvents
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone import IncomingCall, OutgoingCall
from vm_ari.domain.phone_numbers import PhoneNumbers
from vm_ari.domain.ring_events import Lost, RingEvent
from vm_ari.domain.ringing import Follower, RungCall
from vm_ari.services.ringing import RingFollower

# pyst2 calls setDaemon() and isSet()
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk.manager")

__all__ = ["exchange", "town"]

SHORT = 0.4
"""Seconds that it rings."""


@dataclass
class Followed:
    """Who follows the calls of one house, by a way that can be bad."""

    house: House
    link: Proxy
    over: list[RungCall] = field(default_factory=list)
    connections: int = 0
    """So many times the link was made."""

    def now(self) -> datetime:
        """The machine's time."""
        return datetime.now(UTC)

    async def add(self, call: RungCall) -> None:
        """One that is over."""
        self.over.append(call)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait for it."""
        async with asyncio.timeout(AT_MOST):
            while not reached():
                await asyncio.sleep(0.02)

    async def linked(self, connections: int) -> None:
        """Wait until the link was made so many times."""
        await self.until(lambda: self.connections >= connections)

    async def rings(self, phone: str) -> tuple[str, OutgoingCall, IncomingCall]:
        """Somebody whom nobody else is begins to call, and that phone rings."""
        caller = new_number()
        call = self.house.dials(phone, from_number=caller, from_name="")
        return caller, call, await self.house.rings(phone)

    async def rings_in_vain(self, phone: str, seconds: float = SHORT) -> str:
        """So long; the caller."""
        caller, call, ringing = await self.rings(phone)
        await asyncio.sleep(seconds)
        await call.hang_up()
        await until_over(call, ringing)
        return caller

    async def told(self, last: str) -> list[str]:
        """All callers of whom was told, until that one came."""
        await self.until(lambda: last in self.callers)
        await nothing_is_left(self.house.asterisk)
        await asyncio.sleep(0.1)
        return self.callers

    @property
    def callers(self) -> list[str]:
        """Of whom was told until now."""
        return [call.caller.number for call in self.over]


class _Noticed(ManagerEvents):
    """Tells when the link is made."""

    def __init__(self, followed: Followed) -> None:
        account = manager_account(followed.house.asterisk)
        super().__init__(replace(account, port=followed.link.port), followed)
        self._followed = followed

    async def listen(self) -> AsyncGenerator[RingEvent, None]:
        """The same."""
        async with aclosing(super().listen()) as heard:
            async for event in heard:
                self._followed.connections += isinstance(event, Lost)
                yield event


@asynccontextmanager
async def followed(asterisk: PrivateAsterisk) -> AsyncIterator[Followed]:
    """Calls from now on, by a good way at first."""
    async with house(asterisk) as people, proxy_to(asterisk.instance.ami_port or 0) as link:
        one = Followed(people, link)
        follower = RingFollower(_Noticed(one), Follower(PhoneNumbers(BERLIN)), one.add)
        following = asyncio.create_task(follower.run())
        try:
            await one.linked(1)
            yield one
        finally:
            following.cancel()
            await asyncio.wait([following])


def play(exchange: PrivateAsterisk, story: Callable[[Followed], Awaitable[None]]) -> None:
    """One story."""

    async def run() -> None:
        async with followed(exchange) as there:
            await story(there)

    asyncio.run(run())


@pytest.mark.parametrize("end", End)
def test_what_rings_while_the_link_breaks_is_not_told_and_the_next_call_is(
    exchange: PrivateAsterisk, end: End
) -> None:
    """One rings before and after it, one during it, one from then on; then one as usual."""

    async def story(there: Followed) -> None:
        _, before, ringing = await there.rings("101")
        there.link.refuse()
        there.link.cut(end)
        await there.rings_in_vain("102")
        _, meanwhile, also_ringing = await there.rings("103")
        there.link.heal()
        await there.linked(2)
        for call in (before, meanwhile):
            await call.hang_up()
        await until_over(before, ringing, meanwhile, also_ringing)
        last = await there.rings_in_vain("102")
        assert await there.told(last) == [last]

    play(exchange, story)


def test_an_answer_that_gets_lost_makes_no_caller_known_or_unknown(
    exchange: PrivateAsterisk,
) -> None:
    """Whether a number may be shown is asked for: without the answer nothing is told."""

    async def story(there: Followed) -> None:
        there.link.lose_answer_to(b"Getvar")
        await there.rings_in_vain("101", 1.0)
        await there.linked(2)
        assert there.link.answers_lost == 1
        last = await there.rings_in_vain("101")
        assert await there.told(last) == [last]

    play(exchange, story)


def test_a_link_that_breaks_in_the_middle_of_an_event_tells_nothing_wrong(
    exchange: PrivateAsterisk,
) -> None:
    """Wherever in what a whole call takes; how much that is the first call shows."""

    async def story(there: Followed) -> None:
        greeted = there.link.carried[Way.BACK]
        whole = [await there.rings_in_vain("101")]
        await there.told(whole[0])
        size = there.link.carried[Way.BACK] - greeted
        for part in (0.1, 0.4, 0.7, 0.95):
            made = there.connections
            there.link.cut_after(Cut(Way.BACK, greeted + int(part * size), times=1))
            there.link.cut()
            await there.linked(made + 1)
            await there.rings_in_vain("101")
            await there.linked(made + 2)
            whole.append(await there.rings_in_vain("102"))
            assert await there.told(whole[-1]) == whole
        assert all(call.rings for call in there.over)

    play(exchange, story)


def test_a_slow_link_changes_neither_caller_nor_length(exchange: PrivateAsterisk) -> None:
    """Events are late; how long it rang is Asterisk's own time."""

    async def story(there: Followed) -> None:
        there.link.delay = 0.4
        caller, call, ringing = await there.rings("101")
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(1.5)
        await call.hang_up()
        rang = asyncio.get_running_loop().time() - begun
        await until_over(call, ringing)
        assert await there.told(caller) == [caller]
        [ring] = there.over[0].rings
        assert 1.4 < ring.length.total_seconds() < rang + 0.35

    play(exchange, story)


def test_a_black_hole_holds_the_news_up_or_is_given_up(
    exchange: PrivateAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short one delays; a long one is noticed, and what it swallowed is not told."""
    monkeypatch.setattr(events, "QUIET_SECONDS", 3.0)

    async def story(there: Followed) -> None:
        first, call, ringing = await there.rings("101")
        await there.until(lambda: b"num-pres" in there.link.heard[Way.THERE])
        await asyncio.sleep(SHORT)
        there.link.hold()
        await call.hang_up()
        await until_over(call, ringing)
        await asyncio.sleep(0.5)
        assert there.over == []
        there.link.flow()
        assert await there.told(first) == [first]
        assert there.connections == 1

        monkeypatch.setattr(events, "QUIET_SECONDS", 0.3)
        monkeypatch.setattr(client, "ANSWER_SECONDS", 0.5)
        _, call, ringing = await there.rings("101")
        there.link.hold()
        await there.until(lambda: there.link.connections > 1)
        monkeypatch.setattr(client, "ANSWER_SECONDS", 5.0)
        there.link.heal()
        await there.linked(2)
        await call.hang_up()
        await until_over(call, ringing)
        last = await there.rings_in_vain("102")
        assert await there.told(last) == [first, last]

    play(exchange, story)


RULES = 'tell = "all"\nshortest_seconds = 0.2'


@pytest.mark.feature_part("MISSED-01", "the link to Asterisk's manager breaks while phones ring")
def test_mails_are_right_when_the_link_of_a_controller_breaks(town: Town) -> None:
    async def story() -> None:
        before, during, after = (new_number() for _ in range(3))
        async with (
            proxy_to(town.world.asterisk.instance.ami_port or 0) as link,
            replace(town, manager_port=link.port).with_rules(RULES) as there,
        ):
            await there.rings_in_vain(before, "101")
            call = there.house.dials("101", from_number=during, from_name="")
            ringing = await there.house.rings("101")
            made = there.following()
            link.cut()
            async with asyncio.timeout(AT_MOST):
                while there.following() == made:
                    await asyncio.sleep(0.05)
            await call.hang_up()
            await until_over(call, ringing)
            await there.rings_in_vain(after, "101", "102", dials="200")
            assert await there.told(before, during, after) == {
                before: ["anna"],
                during: [],
                after: ["anna", "ben"],
            }
            await there.in_journal("anna", {before, after})
            assert during not in await there.journal("anna")

    asyncio.run(story())
