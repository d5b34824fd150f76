"""The controller is killed before and after each single step of an order, and started again.

Steps are all that it does to disk, telephone system, journal and mails; these outlive it. Real
kills at random moments: `tests/system/test_fax_sending.py` with ``VM_ARI_FAX_KILLS``.
"""

import asyncio
import inspect
import os
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.clock import run_virtually
from tests.fake_voice import FakeVoice
from tests.fakes import FakeDirectory
from vm_ari.adapters.fax_orders import FaxOrderFiles
from vm_ari.adapters.order_files import OrderFiles
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spoken_orders import SpokenOrderFiles
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_calls import NEVER_MADE
from vm_ari.domain.fax_orders import Cause as FaxCause
from vm_ari.domain.fax_orders import Ending, FaxLimits, FaxOrder, FaxState
from vm_ari.domain.journal import JournalEntry, Result, merged
from vm_ari.domain.orders import Way
from vm_ari.domain.retries import Retries
from vm_ari.domain.spoken_orders import Cause as SpokenCause
from vm_ari.domain.spoken_orders import Ending as SpokenEnding
from vm_ari.domain.spoken_orders import Hearing, SpokenOrder, SpokenState
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports.fax_sending import FaxCall, Paper, Printed, Progress
from vm_ari.services.fax_reports import fax_told
from vm_ari.services.fax_sending import FaxRules, FaxSending
from vm_ari.services.journal_writing import GATHER
from vm_ari.services.order_reports import OrderReports
from vm_ari.services.order_sending import OrderHouse
from vm_ari.services.spoken_reports import spoken_told
from vm_ari.services.spoken_sending import SpokenRules, SpokenSending

START = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org", language="de")
NUMBER = "+49301234567"
RINGS, LASTS = 1.0, 2.5
MINUTE = timedelta(minutes=1)
SOON, LATE = 1.0, 30.0
"""Seconds until it is started again: the call goes on, or has long ended."""
EVER = 600.0
part = pytest.mark.feature_part


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are killed here, and the machine goes on: what was written is there."""
    monkeypatch.setattr(os, "fsync", lambda _file: None)


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Life:
    """Of one controller, which ends with a step; 0: with none."""

    until: int = 0
    with_it: bool = False
    """Is that step still done?"""
    steps: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def step(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """Nothing of it is done any more when the life is over."""
        self.steps += 1
        if self.over.is_set() or (self.steps == self.until and not self.with_it):
            self._end()
        done = await work()
        if self.steps >= self.until > 0:
            self._end()
        return done

    def _end(self) -> None:
        self.over.set()
        raise Killed

    def of(self, real: Any) -> Any:
        """The same, as long as the controller lives."""
        return _Mortal(real, self)


class _Mortal:
    def __init__(self, real: Any, life: Life) -> None:
        self._real = real
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *given, **named: self._life.step(lambda: found(*given, **named))


class LoopClock:
    """See `Clock`."""

    def now(self) -> datetime:
        return START + timedelta(seconds=_now())


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass
class World:
    """What outlives controllers."""

    files: OrderFiles[Any]
    calls: dict[str, float] = field(default_factory=dict)
    """When each began."""
    forgotten: set[str] = field(default_factory=set)
    heard: list[str] = field(default_factory=list)
    """Calls in which a message was heard to its end."""
    mails: set[tuple[SystemMail, str]] = field(default_factory=set)
    """By their occasion, as those that a mail queue knows already."""
    entries: dict[str, JournalEntry] = field(default_factory=dict)

    async def tell(
        self, user: User, mail: SystemMail, values: Mapping[str, object], *, occasion: str
    ) -> None:
        self.mails.add((mail, occasion))

    # --- a telephone system for faxes

    async def call(self, call: FaxCall) -> None:
        assert call.id not in self.calls, "one call is made twice"
        self.calls[call.id] = _now()

    async def progress(self, call_id: str) -> Progress:
        lasted = _now() - self.calls.get(call_id, -LASTS)
        if lasted >= LASTS:
            return Progress.OVER
        return Progress.RINGING if lasted < RINGS else Progress.CONNECTED

    async def ending(self, call_id: str) -> Ending:
        known = call_id in self.calls and call_id not in self.forgotten
        return Ending(None, pages=2, seconds=LASTS - RINGS) if known else NEVER_MADE

    async def hang_up(self, call_id: str) -> None:
        raise AssertionError("nobody has cancelled it")

    async def forget(self, call_id: str) -> None:
        self.forgotten.add(call_id)

    async def sweep(self, known: Collection[str]) -> None:
        """Nothing is that old."""


class Printer:
    """`FaxPrinter`."""

    async def body(self, papers: object, order: FaxOrder, user: User, limits: FaxLimits) -> Printed:
        return Printed(b"two pages", 2)

    async def sheets(self, printed: Printed, order: FaxOrder, user: User, now: datetime) -> Printed:
        return printed


@dataclass
class Journal:
    """Written in the background: what was noted just before a kill is lost."""

    world: World
    life: Life

    async def note(self, entry: JournalEntry) -> None:
        asyncio.get_running_loop().call_later(GATHER, self._write, entry)

    def _write(self, entry: JournalEntry) -> None:
        if not self.life.over.is_set():
            before = self.world.entries.get(entry.id)
            self.world.entries[entry.id] = merged(before, entry) if before else entry


@dataclass
class SpokenLine:
    """In one life: its dialogue tells what was heard, and the call ends with it."""

    world: World
    life: Life
    sending: SpokenSending | None = None
    _talks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def call(self, call_id: str, number: Allowed, shown: Caller) -> None:
        self.world.calls[call_id] = _now()
        self._talks.append(asyncio.create_task(self._speak(call_id)))

    async def _speak(self, call_id: str) -> None:
        await asyncio.sleep(LASTS / 2)
        if not self.life.over.is_set():
            self.world.heard.append(call_id)
            assert self.sending
            await self.sending.heard(Hearing(call_id, whole=True, seconds=LASTS / 2))

    async def is_over(self, call_id: str) -> bool:
        return _now() - self.world.calls.get(call_id, -LASTS) >= LASTS

    async def hang_up(self, call_id: str) -> None:
        raise AssertionError("nobody has cancelled it")

    def ending(self, call_id: str) -> SpokenEnding | None:
        return None


def _house(world: World, life: Life, told: Any) -> OrderHouse[Any]:
    directory, journal = FakeDirectory(ANNA), life.of(Journal(world, life))
    reports = OrderReports[Any](directory, life.of(world), journal, told)
    return OrderHouse(directory, LoopClock(), reports.begins, reports.ends, recalls=reports.recalls)


def _fax_sending(world: World, life: Life) -> FaxSending:
    house = _house(world, life, fax_told)
    rules = FaxRules(retries=Retries({FaxCause.TROUBLE: [MINUTE]}))
    return FaxSending(life.of(world.files), Printer(), life.of(world), house, rules)


def _spoken_sending(world: World, life: Life) -> SpokenSending:
    house = _house(world, life, spoken_told)
    rules = SpokenRules(retries=Retries({SpokenCause.TROUBLE: [MINUTE, MINUTE]}))
    line = SpokenLine(world, life)
    line.sending = SpokenSending(life.of(world.files), life.of(line), FakeVoice(), house, rules)
    return line.sending


Sending = Callable[[World, Life], FaxSending | SpokenSending]


async def _live(world: World, life: Life, sending: Sending) -> None:
    """Until it is killed, or nothing is to be done any more."""
    running = asyncio.create_task(sending(world, life).run())
    while await world.files.going_on() and not life.over.is_set():
        await asyncio.sleep(0.5)
    if not life.over.is_set():
        await asyncio.sleep(GATHER * 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def _two_lives(world: World, first: Life, sending: Sending, pause: float) -> bool:
    """Was the first one killed?"""
    async with asyncio.timeout(EVER):
        await _live(world, first, sending)
        await asyncio.sleep(pause)
        await _live(world, Life(), sending)
    return first.over.is_set()


def each_kill(story: Callable[[Life, float], bool]) -> int:
    """Before and after each step, started again soon or late. How often it was killed."""
    kills, step = 0, 1
    while True:
        pause = SOON if step % 2 else LATE  # after a step is before the next one: both are tried
        killed = [story(Life(step, with_it), pause) for with_it in (False, True)]
        kills, step = kills + sum(killed), step + 1
        if not any(killed):
            return kills


@part("UM-04", "a fax is sent once, wherever the controller is killed")
def test_a_fax_is_sent_once_wherever_the_controller_is_killed(tmp_path: Path) -> None:
    keys = KeyRing(tmp_path / "keys")

    def story(life: Life, pause: float) -> bool:
        async def told() -> bool:
            base = tmp_path / f"{life.until}-{life.with_it}-{pause}"
            files = FaxOrderFiles(base, keys)
            world = World(files)
            order = FaxOrder("fax1", ANNA.id, NUMBER, LoopClock().now(), Way.API)
            await files.add(order, [Paper("text/plain", b"Hello")])
            killed = await _two_lives(world, life, _fax_sending, pause)
            found = await files.find(order.id)
            files.shut()
            assert found
            assert (found.state, found.confirmed) == (FaxState.SENT, 2), base.name
            assert len(world.calls) == 1, base.name
            assert len(world.mails) == 1
            assert [one.result for one in world.entries.values()] == [Result.SENT]
            return killed

        return run_virtually(told())

    assert each_kill(story) >= 40


@part("SPEECH-04", "a message is spoken again only where nobody knows whether it was heard")
def test_a_text_is_spoken_once_more_at_most(tmp_path: Path) -> None:
    keys = KeyRing(tmp_path / "keys")

    def story(life: Life, pause: float) -> bool:
        async def told() -> bool:
            base = tmp_path / f"{life.until}-{life.with_it}-{pause}"
            files = SpokenOrderFiles(base, keys)
            world = World(files)
            now = LoopClock().now()
            order = SpokenOrder("text1", ANNA.id, NUMBER, now, Way.API, now, "Hello", "en")
            await files.add(order)
            killed = await _two_lives(world, life, _spoken_sending, pause)
            found = await files.find(order.id)
            files.shut()
            assert found
            assert found.state is SpokenState.HEARD, base.name
            assert 1 <= len(world.heard) <= 2
            assert len(world.mails) == 1
            assert [one.result for one in world.entries.values()] == [Result.SENT]
            return killed

        return run_virtually(told())

    assert each_kill(story) >= 40
