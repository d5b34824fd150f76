"""A house with two sites: who is greeted how, and with whom callers are connected, by telephone."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.patience import AT_MOST
from tests.system.callers import BEEP, Caller, calling, digits, side_by_side
from tests.system.test_greetings_heard import Case, mailbox, plays
from tests.system.transfer_site import hears_tone, nothing_is_left, tone
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.softphone import IncomingCall, Softphone
from vm_ari.demo.world import Person, World
from vm_ari.domain.greetings import Slot

HAMBURG = "+49407770"
SETTINGS = f"""
[[sites]]
name = "Hamburg"
region = "DE"
area = "40"
base_number = "{HAMBURG}"
[calls]
operator_key = true
operator = "102"
[dialling]
rules = ["deny +4930555066"]
"""
OFFICE = """
[default]
exten => _10[12],1,Dial(PJSIP/${EXTEN},20)
 same => n,Hangup(${HANGUPCAUSE})
"""
EXTENSIONS = itertools.count(7017)
"""In Hamburg."""
INTERNAL = (Slot.INTERNAL, "de")
WORK = (Slot.WORK, "de")


@pytest.fixture(scope="module")
def house(new_world: NewWorld) -> Iterator[World]:
    one = new_world(settings=SETTINGS, extra_configuration={"extensions.conf": OFFICE})
    asyncio.run(one.__aenter__())
    yield one
    asyncio.run(one.__aexit__(None, None, None))


@asynccontextmanager
async def from_outside(house: World, person: Person, number: str = "") -> AsyncIterator[Caller]:
    """A caller; what is left of the call fails the test."""
    async with house.outside_phone() as phone:
        async with calling(phone, person.number, number=number) as caller:
            yield caller
        await nothing_is_left(house.asterisk)


@asynccontextmanager
async def ben_at_his_phone(house: World) -> AsyncIterator[Softphone]:
    async with house.phone_of(house.ben) as phone:
        await phone.register()
        yield phone


async def they_talk(caller: Caller, rings: IncomingCall) -> None:
    """Each hears the other one; then one hangs up, and the other one is hung up on."""
    rings.answer()
    await asyncio.gather(
        caller.speaks(tone(1000, 2)),
        rings.speak(tone(1700, 2)),
        hears_tone(rings, 1000),
        hears_tone(caller.call, 1700),
    )
    await rings.hang_up()
    await caller.is_hung_up_on()


@pytest.mark.feature("SITE-01")
@pytest.mark.feature_part("GREET-06", "the extension of the mailbox's own site")
def test_a_mailbox_of_another_site_says_its_own_extension(house: World) -> None:
    extension = str(next(EXTENSIONS))

    async def scenario() -> None:
        number = f"{HAMBURG}{extension}"
        await somebody(house, numbers=(number,), mailbox=extension)
        async with house.outside_phone() as phone, calling(phone, number) as caller:
            await caller.hears("you-have-reached", *digits(extension), "leave-a-message")
            await caller.hears(BEEP)

    asyncio.run(scenario())


@pytest.mark.feature("SITE-01", "GREET-02")
def test_callers_from_every_site_are_internal(house: World, tmp_path: Path) -> None:
    numbers = {
        f"{HAMBURG}55": INTERNAL,  # another site
        "+493055509": INTERNAL,  # this site
        "+4940778055": WORK,  # nearly
    }

    async def greeted(number: str, expected: tuple[Slot, str]) -> None:
        case, directory = Case(expected, (INTERNAL, WORK), {"profile": "work"}), tmp_path / number
        directory.mkdir()
        person = await mailbox(house, case, directory)
        async with (
            house.outside_phone() as phone,
            calling(phone, person.number, number=number) as caller,
        ):
            await plays(caller, case.expected)

    async def scenario() -> None:
        await side_by_side(greeted(*each) for each in numbers.items())
        await nothing_is_left(house.asterisk)

    asyncio.run(scenario())


@pytest.mark.feature("XFER-01")
@pytest.mark.feature_part("SITE-03", "an allowed number is dialled")
def test_a_caller_is_connected_with_whom_the_profile_names(house: World) -> None:
    settings = {"transfer_work": "0305550102", "transfer_offer": "system"}

    async def scenario() -> None:
        person = await mailbox(house, Case((), (), settings), house.directory)
        async with ben_at_his_phone(house) as ben, from_outside(house, person) as caller:
            await caller.hears("to-leave-a-message", "press", "digits/1")
            await caller.hears("to-be-connected", "press", "digits/2")
            await caller.presses("2")
            await caller.hears("please-hold")
            await they_talk(caller, await ben.next_call(within=AT_MOST))

    asyncio.run(scenario())


@pytest.mark.feature("XFER-01")
def test_the_greeting_itself_can_tell_about_the_destination(house: World) -> None:
    case = Case(WORK, (WORK,), {"transfer_work": "102"})

    async def scenario() -> None:
        person = await mailbox(house, case, house.directory)
        async with ben_at_his_phone(house) as ben, from_outside(house, person) as caller:
            await plays(caller, case.expected)
            await caller.presses("2")
            await caller.hears("please-hold")
            await they_talk(caller, await ben.next_call(within=AT_MOST))
        async with from_outside(house, person) as caller:  # who does not choose leaves a message
            await plays(caller, case.expected)
            await caller.hears(BEEP)
            await caller.hangs_up()

    asyncio.run(scenario())


@pytest.mark.feature_part("SITE-03", "what is not allowed is not dialled")
def test_what_the_rules_do_not_allow_is_not_dialled(house: World) -> None:
    """Stored before the rules were made; they are asked when it is dialled."""

    async def not_connected(destination: str) -> None:
        settings = {"transfer_work": destination, "transfer_offer": "system"}
        person = await mailbox(house, Case((), (), settings), house.directory)
        async with house.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.hears("to-be-connected")
            await caller.presses("2")
            await caller.hears("not-reached", "leave-a-message", BEEP)

    async def scenario() -> None:
        forbidden = ("0900 123456", "+1 212 555 0100", "030 555 06612")
        await side_by_side(map(not_connected, forbidden))
        await nothing_is_left(house.asterisk)

    asyncio.run(scenario())


@pytest.mark.feature("CALL-12")
def test_a_key_leads_to_the_operator(house: World) -> None:
    async def scenario() -> None:
        person = await mailbox(house, Case(()), house.directory)
        async with ben_at_his_phone(house) as ben, from_outside(house, person) as caller:
            await caller.hears("leave-a-message")
            await caller.hears("for-the-operator")
            await caller.presses("9")
            await caller.hears("please-hold")
            await they_talk(caller, await ben.next_call(within=AT_MOST))

    asyncio.run(scenario())


@pytest.mark.feature("CALL-12")
def test_a_user_can_have_an_operator_of_ones_own(house: World) -> None:
    async def scenario() -> None:
        person = await mailbox(house, Case((), (), {"operator": "101"}), house.directory)
        async with house.phone_of(house.anna) as anna, from_outside(house, person) as caller:
            await anna.register()
            await caller.presses("9")
            await they_talk(caller, await anna.next_call(within=AT_MOST))

    asyncio.run(scenario())
