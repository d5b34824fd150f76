"""Which greeting callers hear, by telephone: every recording has a tone of its own (GREET-08)."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import soundfile

from tests.patience import AT_MOST
from tests.system.callers import BEEP, Caller, NotHeard, calling, side_by_side
from tests.system.worlds import somebody
from vm_ari.adapters.audio_intake import AudioIntake, Sound
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.ear import RATE, tones
from vm_ari.adapters.greeting_files import FileGreetings
from vm_ari.adapters.sealing import KeyRing
from vm_ari.demo.world import Person, World
from vm_ari.domain.greetings import SITE, GlobalMode, GreetingKey, Slot, Source

HZ = {
    (Slot.WORK, "de"): 420,
    (Slot.HOME, "de"): 500,
    (Slot.VACATION, "de"): 580,
    (Slot.CUSTOM_1, "de"): 660,
    (Slot.CUSTOM_2, "de"): 740,
    (Slot.INTERNAL, "de"): 820,
    (Slot.GLOBAL, "de"): 900,
    (Slot.WORK, "en"): 1120,
    (Slot.NAME, "de"): 340,
}
SECONDS = 2.0
BERLIN = ZoneInfo("Europe/Berlin")
DEFAULT = ("you-have-reached",)


def tone_file(directory: Path, hz: int) -> Path:
    """Two seconds of it."""
    path = directory / f"{hz}.wav"
    times = np.arange(round(SECONDS * RATE)) / RATE
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * hz * times), RATE)
    return path


@dataclass(frozen=True)
class Case:
    """A mailbox, and what its callers should hear."""

    expected: tuple[Slot, str] | tuple[str, ...]
    """A recording, or prompts."""
    slots: tuple[tuple[Slot, str], ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    internal: bool = False
    number: str = ""


def now() -> datetime:
    """Where the mailboxes are."""
    return datetime.now(BERLIN)


def closed_now() -> dict[str, str]:
    """Office hours that are over, or have not begun: none of today's neighbours in the week."""
    day = (now() + timedelta(days=3)).strftime("%a").lower()
    return {"office_hours": f"{day} 09:00-17:00", "off_hours_profile": "custom-1"}


def day_off_now() -> dict[str, str]:
    """Open day and night, but for a day off: today, and tomorrow should it be midnight."""
    dates = [f"{now() + timedelta(days=n):%Y-%m-%d}" for n in (0, 1)]
    hours = "mon-sun 00:00-24:00"
    return {"office_hours": hours, "holidays": ", ".join(dates), "off_hours_profile": "custom-1"}


def break_now() -> dict[str, str]:
    """All day long is break, but for a minute at either end."""
    days = [(now() + timedelta(days=n)).strftime("%a").lower() for n in (0, 1)]
    hours = "; ".join(f"{day} 00:00-24:00 00:01-23:59" for day in days)
    return {"office_hours": hours, "break_profile": "custom-2"}


ALL = tuple(key for key in HZ if key[0] not in {Slot.GLOBAL, Slot.NAME})
WORK, HOME, OFF = (Slot.WORK, "de"), (Slot.HOME, "de"), (Slot.CUSTOM_1, "de")
CASES = {
    "the active profile": Case(WORK, ALL),
    "another active profile": Case(HOME, ALL, {"profile": "home"}),
    "vacation": Case((Slot.VACATION, "de"), ALL, {"profile": "vacation"}),
    "vacation is over": Case(
        WORK, ALL, {"profile": "vacation", "profile_until": "2026-01-01", "profile_after": "work"}
    ),
    "an internal caller": Case((Slot.INTERNAL, "de"), ALL, {"profile": "vacation"}, internal=True),
    "an internal caller, nothing recorded for them": Case(WORK, (WORK,), internal=True),
    "outside of office hours": Case(OFF, ALL, closed_now()),
    "outside of office hours, on vacation": Case(
        (Slot.VACATION, "de"), ALL, {**closed_now(), "profile": "vacation"}
    ),
    "outside of office hours, nothing recorded for that": Case(WORK, (WORK,), closed_now()),
    "a day off": Case(OFF, ALL, day_off_now()),
    "a break": Case((Slot.CUSTOM_2, "de"), ALL, break_now()),
    "the recorded name": Case(
        (Slot.NAME, "de"), (*ALL, (Slot.NAME, "de")), {"greeting_type": "personalised"}
    ),
    "the language of the caller's country": Case(
        (Slot.WORK, "en"), ALL, {"greeting_language": "caller"}, number="+442079460123"
    ),
    "nothing recorded": Case(DEFAULT),
    "disabled": Case(("mailbox-disabled",), ALL, {"voice_mail_enabled": "no"}),
}


async def mailbox(world: World, case: Case, tmp_path: Path) -> Person:
    """Somebody with these recordings and settings."""
    person = await somebody(world)
    await record(world, person.user.id, case.slots, tmp_path)
    directory = EmbeddedDirectory(
        f"sqlite:///{world.directory / 'directory.db'}", KeyRing(world.directory / "keys")
    )
    try:
        if case.settings:
            await directory.change_settings(person.user.id, dict(case.settings))
    finally:
        await directory.close()
    return person


_PREPARED: dict[str, Sound] = {}


class IntakeOnce(AudioIntake):
    """Prepares each tone once for all mailboxes: every time would be a process of its own."""

    async def prepare(self, audio: Path) -> Sound:
        """See `AudioIntake`; a file's name tells its tone."""
        if audio.name not in _PREPARED:
            _PREPARED[audio.name] = await super().prepare(audio)
        return _PREPARED[audio.name]


async def record(
    world: World, owner: str, slots: tuple[tuple[Slot, str], ...], tmp_path: Path
) -> None:
    """Greetings, each with its tone."""
    store = FileGreetings(world.directory / "greetings", intake=IntakeOnce())
    for slot, language in slots:
        key = GreetingKey(owner, slot, language)
        await store.keep(key, tone_file(tmp_path, HZ[slot, language]), Source.UPLOAD)


async def plays(caller: Caller, expected: tuple[Slot, str] | tuple[str, ...]) -> None:
    """Listen up to the tone after the greeting; then it must have been this and nothing else."""
    if not isinstance(expected[0], Slot):
        await caller.hears(*(str(prompt) for prompt in expected))
    else:
        async with asyncio.timeout(AT_MOST):
            while not tones(caller.call.heard, HZ[expected], min_seconds=1.5):  # type: ignore[index]
                await asyncio.sleep(0.1)
    others = [key for key in HZ if key != expected]
    heard = [key for key in others if tones(caller.call.heard, HZ[key], min_seconds=0.3)]
    if heard:
        raise NotHeard(f"{heard} instead of {expected}")


@asynccontextmanager
async def calls(world: World, person: Person, case: Case) -> AsyncIterator[Caller]:
    """From a phone of the house, or from outside."""
    phone = world.phone_of(world.anna) if case.internal else world.outside_phone()
    target = person.extension if case.internal else person.number
    number = world.anna.extension if case.internal else case.number
    async with phone, calling(phone, target, number=number) as caller:
        yield caller


@pytest.mark.feature("CALL-04", "GREET-03", "GREET-08", "HOURS-01", "HOURS-02", "HOURS-03")
@pytest.mark.feature_part("GREET-02", "internal callers have a profile of their own")
@pytest.mark.feature_part("GREET-10", "vacation has an end")
@pytest.mark.feature("GREET-01", "GREET-04", "LANG-02")
def test_callers_hear(world: World, tmp_path: Path) -> None:
    async def one(name: str) -> None:
        case, directory = CASES[name], tmp_path / name
        directory.mkdir()
        try:
            person = await mailbox(world, case, directory)
            async with calls(world, person, case) as caller:
                await plays(caller, case.expected)
        except (NotHeard, TimeoutError) as error:
            raise NotHeard(f"{name}: {error}") from error

    asyncio.run(side_by_side(map(one, CASES), at_once=4))


@pytest.mark.feature("CALL-05")
def test_a_profile_can_be_an_announcement_only(world: World, tmp_path: Path) -> None:
    settings = {"takes_messages_home": "no", "profile": "home"}
    announces, takes = Case(HOME, ALL, settings), Case(WORK, ALL, {**settings, "profile": "work"})

    async def scenario() -> None:
        person = await mailbox(world, announces, tmp_path)
        async with calls(world, person, announces) as caller:
            await caller.presses("0")
            await plays(caller, announces.expected)
            await caller.hears("goodbye")
            await caller.is_hung_up_on()
        person = await mailbox(world, takes, tmp_path)
        async with calls(world, person, takes) as caller:
            await plays(caller, takes.expected)
            await caller.hears(BEEP)
            await caller.hangs_up()

    asyncio.run(scenario())


@pytest.mark.feature("LANG-02")
def test_callers_choose_the_language(world: World, tmp_path: Path) -> None:
    both = ((Slot.WORK, "de"), (Slot.WORK, "en"))
    case = Case((Slot.WORK, "en"), both, {"greeting_language": "menu"})

    async def scenario() -> None:
        person = await mailbox(world, case, tmp_path)
        async with calls(world, person, case) as caller:
            await caller.hears("language-choice", "press", "digits/1")
            await caller.presses("2")
            await plays(caller, case.expected)

    asyncio.run(scenario())


@pytest.mark.feature("GREET-07")
def test_callers_hear_the_global_greeting(world: World, tmp_path: Path) -> None:
    everybodys = (Slot.GLOBAL, "de")
    cases = {
        GlobalMode.ALWAYS: Case(everybodys, ALL),
        GlobalMode.IF_NONE: Case(everybodys),
    }

    async def scenario() -> None:
        store = FileGreetings(world.directory / "greetings")
        await record(world, SITE, (everybodys,), tmp_path)
        for mode, case in cases.items():
            await store.set_global_mode(mode)
            person = await mailbox(world, case, tmp_path)
            async with calls(world, person, case) as caller:
                await plays(caller, case.expected)
        with_own = Case(WORK, ALL)
        person = await mailbox(world, with_own, tmp_path)
        async with calls(world, person, with_own) as caller:
            await plays(caller, with_own.expected)

    async def tidy_up() -> None:
        store = FileGreetings(world.directory / "greetings")
        await store.set_global_mode(GlobalMode.OFF)
        await store.delete_all(SITE)

    try:
        asyncio.run(scenario())
    finally:
        asyncio.run(tidy_up())
