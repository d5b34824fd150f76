"""Spoken messages on the virtual clock, orders on a real disk: busy, heard, cancelled, killed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.clock import run_virtually
from tests.fake_voice import FakeVoice
from tests.fakes import FakeDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spoken_orders import SpokenOrderFiles
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_settings import FaxReport
from vm_ari.domain.journal import JournalEntry, Kind, Result, merged
from vm_ari.domain.office_hours import parse_hours
from vm_ari.domain.orders import Way
from vm_ari.domain.retries import Retries
from vm_ari.domain.spoken_orders import (
    Cause,
    Ending,
    Hearing,
    SpokenOrder,
    SpokenState,
)
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports.spoken import SpokenScript
from vm_ari.services.order_reports import OrderReports
from vm_ari.services.order_sending import OrderHouse
from vm_ari.services.ordering import OrderRefused
from vm_ari.services.spoken_ordering import SpokenOrdering, WrongTime
from vm_ari.services.spoken_reports import spoken_told
from vm_ari.services.spoken_sending import SpokenRules, SpokenSending

START = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org", language="de")
NUMBER, TEXT = "+49301234567", "Guten Tag.\nBitte rufen Sie zurück."
MINUTE = timedelta(minutes=1)
RETRIES = Retries({Cause.BUSY: [MINUTE], Cause.TROUBLE: [MINUTE]})


class LoopClock:
    """See `Clock`."""

    def now(self) -> datetime:
        return START + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class Line:
    """`ports.spoken.SpokenLine`: each call ends after a while, as the next of *ends* says."""

    ends: list[Ending | Hearing | None]
    sending: SpokenSending | None = None
    rings: float = 5.0
    calls: list[tuple[str, str, datetime]] = field(default_factory=list)
    """Name, digits that were dialled, when."""
    shown: list[Caller] = field(default_factory=list)
    scripts: list[SpokenScript | None] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    over: dict[str, float] = field(default_factory=dict)
    why: dict[str, Ending] = field(default_factory=dict)

    async def call(self, call_id: str, number: Allowed, shown: Caller) -> None:
        """See `SpokenLine`."""
        loop = asyncio.get_running_loop()
        self.calls.append((call_id, number.dial, LoopClock().now()))
        self.shown.append(shown)
        self.over[call_id] = loop.time() + self.rings
        match self.ends.pop(0):
            case Ending() as ending:
                self.why[call_id] = ending
            case Hearing() as hearing:
                assert self.sending
                self.scripts.append(await self.sending.script(call_id))
                await self.sending.heard(replace(hearing, call_id=call_id))

    async def is_over(self, call_id: str) -> bool:
        """See `SpokenLine`; what another life of ours has called is long over."""
        return asyncio.get_running_loop().time() >= self.over.get(call_id, 0.0)

    async def hang_up(self, call_id: str) -> None:
        """See `SpokenLine`."""
        self.hung_up.append(call_id)
        self.over[call_id] = 0.0

    def ending(self, call_id: str) -> Ending | None:
        """See `SpokenLine`."""
        return self.why.pop(call_id, None)


@dataclass
class House:
    """Somebody sends, somebody is called, and what is told of it."""

    files: SpokenOrderFiles
    line: Line
    rules: SpokenRules
    user: User = ANNA
    voice: FakeVoice = field(default_factory=FakeVoice)
    mails: list[tuple[SystemMail, Mapping[str, object]]] = field(default_factory=list)
    entries: list[JournalEntry] = field(default_factory=list)

    def __post_init__(self) -> None:
        directory, clock = FakeDirectory(self.user), LoopClock()
        reports = OrderReports(directory, self, self, spoken_told)
        house = OrderHouse(directory, clock, reports.begins, reports.ends)
        self.line.sending = self.sending = SpokenSending(
            self.files, self.line, self.voice, house, self.rules
        )
        languages = ("de", "en")
        self.ordering = SpokenOrdering(
            self.files, clock, languages=languages, wake=self.sending.wake
        )

    async def tell(
        self, user: User, mail: SystemMail, values: Mapping[str, object], *, occasion: str
    ) -> None:
        """See `Notices`."""
        self.mails.append((mail, values))

    async def note(self, entry: JournalEntry) -> None:
        """See `Journal`."""
        self.entries.append(entry)

    async def order(self, **more: object) -> SpokenOrder:
        return await self.ordering.place(
            self.user,
            NUMBER,
            TEXT,
            way=Way.API,
            **more,  # type: ignore[arg-type]
        )

    async def over(self, order: SpokenOrder) -> SpokenOrder:
        """As soon as it is."""
        while True:
            found = await self.files.find(order.id)
            if found and found.state.is_over and order.id not in await self._open():
                return found
            await asyncio.sleep(1)

    async def _open(self) -> list[str]:
        return [one.id for one in await self.files.going_on()]


def in_house(
    base: Path,
    ends: list[Ending | Hearing | None],
    story: Callable[[House], Awaitable[None]],
    rules: SpokenRules | None = None,
    user: User = ANNA,
    voice: FakeVoice | None = None,
) -> House:
    async def run() -> House:
        files = SpokenOrderFiles(base / "spoken", KeyRing(base / "keys"))
        rules_ = rules or SpokenRules(retries=RETRIES)
        house = House(files, Line(list(ends)), rules_, user, voice or FakeVoice())
        running = asyncio.create_task(house.sending.run())
        try:
            await story(house)
        finally:
            running.cancel()
            files.shut()
        return house

    return run_virtually(run())


HEARD = Hearing("", whole=True, seconds=9.0)


@pytest.mark.feature_part("SPEECH-04", "tried again by cause, told by mail and journal")
def test_a_busy_line_is_called_again_and_the_sender_learns_that_it_was_heard(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        order = await house.over(await house.order())
        assert (order.state, order.calls, order.seconds) == (SpokenState.HEARD, 2, 9.0)

    house = in_house(tmp_path, [Ending(Cause.BUSY), HEARD], story)
    (_, first, then), (_, second, later) = house.line.calls
    assert first == second == "0301234567"
    assert later - then >= MINUTE
    assert house.line.shown[0] == Caller("+4930555101", "Anna")
    [script] = house.line.scripts
    assert script
    assert [one.name for one in script.sounds] == ["Guten Tag.", "Bitte rufen Sie zurück."]
    [(mail, values)] = house.mails
    assert (mail, values["state"], values["calls"]) == (SystemMail.SPOKEN_REPORT, "heard", 2)
    begun, *_, ended = house.entries
    entry = merged(begun, ended)
    assert (entry.kind, entry.result, entry.called) == (Kind.SPOKEN_SENT, Result.SENT, NUMBER)
    assert "Guten" not in entry.why


@pytest.mark.parametrize(
    ("end", "cause", "result"),
    [
        (Hearing("", whole=False, seconds=3.0), Cause.HUNG_UP, Result.HUNG_UP),
        (Ending(Cause.NO_ANSWER), Cause.NO_ANSWER, Result.NO_ANSWER),
        (Ending(Cause.DECLINED), Cause.DECLINED, Result.FAILED),
    ],
)
def test_what_was_not_heard_is_told_with_its_cause(
    tmp_path: Path, end: Ending | Hearing, cause: Cause, result: Result
) -> None:
    async def story(house: House) -> None:
        order = await house.over(await house.order())
        assert (order.state, order.cause) == (SpokenState.FAILED, cause)

    house = in_house(tmp_path, [end], story)
    assert house.mails[0][1]["cause"] == cause.value
    assert house.entries[-1].result is result


def test_nobody_is_called_outside_of_the_hours(tmp_path: Path) -> None:
    rules = SpokenRules(retries=RETRIES, hours=parse_hours("mon-fri 15:00-16:00"))

    async def story(house: House) -> None:
        await house.over(await house.order())

    house = in_house(tmp_path, [HEARD], story, rules, replace(ANNA, time_zone="Europe/Berlin"))
    [(_, _, when)] = house.line.calls
    assert when >= datetime(2026, 3, 4, 14, tzinfo=UTC)


def test_later_is_later_and_has_an_end(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.over(await house.order(later=START + timedelta(minutes=40)))
        with pytest.raises(WrongTime):
            await house.order(later=START + timedelta(days=99))

    [(_, _, when)] = in_house(tmp_path, [HEARD], story).line.calls
    assert when >= START + timedelta(minutes=40)


def test_what_is_cancelled_is_hung_up_and_nobody_is_mailed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.line.rings = 600.0
        order = await house.order()
        while not house.line.calls:
            await asyncio.sleep(1)
        await house.ordering.cancel(order)
        assert (await house.over(order)).state is SpokenState.CANCELLED

    house = in_house(tmp_path, [None], story)
    assert len(house.line.hung_up) == 1
    assert house.mails == []


def test_a_call_that_nobody_remembers_is_made_once_more(tmp_path: Path) -> None:
    """Its controller was killed while it went on."""

    async def killed(house: House) -> None:
        house.line.rings = 1000.0
        await house.order(occasion="one")
        while not house.line.calls:
            await asyncio.sleep(1)

    async def restarted(house: House) -> None:
        [order] = await house.files.going_on()
        assert order.state is SpokenState.CALLING
        assert (await house.order(occasion="one")).id == order.id
        assert (await house.over(order)).calls == 2

    in_house(tmp_path, [None], killed)
    assert len(in_house(tmp_path, [HEARD], restarted).line.calls) == 1


def test_what_was_heard_before_the_controller_died_is_not_said_again(tmp_path: Path) -> None:
    async def killed(house: House) -> None:
        house.line.rings = 1000.0
        await house.order()
        while not house.line.calls:
            await asyncio.sleep(1)

    async def restarted(house: House) -> None:
        [order] = await house.files.going_on()
        assert (await house.over(order)).state is SpokenState.HEARD

    in_house(tmp_path, [HEARD], killed)
    assert in_house(tmp_path, [], restarted).line.calls == []


def test_without_a_voice_nobody_is_called(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        order = await house.over(await house.order())
        assert (order.state, order.cause) == (SpokenState.FAILED, Cause.TROUBLE)

    assert in_house(tmp_path, [], story, voice=FakeVoice(missing=True)).line.calls == []


def test_what_is_forbidden_is_not_even_ordered(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        with pytest.raises(OrderRefused):
            await house.ordering.place(ANNA, "0900 123456", TEXT, way=Way.API)
        assert await house.files.of_user("") == []

    in_house(tmp_path, [], story)


def test_who_wants_no_reports_gets_none(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.over(await house.order())

    user = replace(ANNA, fax_report=FaxReport.NEVER)
    assert in_house(tmp_path, [HEARD], story, user=user).mails == []
