"""Real calls while the ways to Asterisk, directory and mail servers break, swallow or crawl."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.dovecot import need_dovecot
from tests.faults.bad_networks import House, audio_of, house_of
from tests.faults.event_shuffler import shuffler_before
from tests.faults.test_fallback import GREETING, first_sound
from tests.patience import AT_MOST
from tests.proxy import Cut, Way
from tests.slapd import need_slapd
from tests.system.callers import BEEP, assert_kept, babble, calling
from tests.system.mails import on_their_way
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.ear import Audio
from vm_ari.adapters.softphone import CallEnded
from vm_ari.demo.world import Person, World

BREAKS_AFTER = 60_000
"""Bytes from Asterisk: about three calls."""
BEHIND = 4_000
"""Bytes per second: the events of one call take seconds, and others wait behind them."""
FALLBACK_WITHIN = 4.0
NEXT_TRY = 60.0
"""Seconds until a delivery that failed is tried again (docs/reliability.md)."""

Run = Callable[[Callable[[House], Awaitable[None]]], None]


@pytest.fixture(scope="module")
def on_house(new_world: NewWorld) -> Iterator[Run]:
    """Tell a story in one house for all; its networks are good again afterwards."""
    need_slapd()
    need_dovecot()
    with asyncio.Runner() as runner:
        opening = house_of(new_world)
        house = runner.run(opening.__aenter__())

        async def told(story: Callable[[House], Awaitable[None]]) -> None:
            try:
                await story(house)
            finally:
                house.heal()
                await house.ready()

        yield lambda story: runner.run(told(story))
        runner.run(opening.__aexit__(None, None, None))


async def speaks(world: World, person: Person, said: Audio, *, sends: bool = False) -> str:
    """Skip what comes before the tone, whoever says it, and leave a message; the caller's number.

    Raises `CallEnded` if the line ended before everything was said.
    """
    async with (
        world.outside_phone() as phone,
        calling(phone, person.number, within=AT_MOST) as caller,
    ):
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(said)
        if sends:
            with contextlib.suppress(CallEnded):
                await caller.presses("#")
                await asyncio.sleep(1)
                await caller.presses("1")
                await asyncio.sleep(1)
        return caller.number


def losses(house: House) -> int:
    """How often the controller has lost Asterisk."""
    return house.world.controller_log.read_text().count("connection to Asterisk lost")


def test_a_connection_to_asterisk_that_breaks_again_and_again_costs_no_message(
    on_house: Run,
) -> None:
    said = [babble(2.6 + n / 10, n) for n in range(8)]

    async def story(house: House) -> None:
        people = [await somebody(house.world) for _ in range(2)]
        before = losses(house)
        house.asterisk.cut_after(Cut(Way.BACK, BREAKS_AFTER))
        house.asterisk.cut()

        async def one(n: int) -> str:
            await asyncio.sleep(n * 0.5)
            return await speaks(house.world, people[n % 2], said[n], sends=n % 3 == 0)

        numbers = await asyncio.gather(*(one(n) for n in range(len(said))))
        broken = losses(house) - before
        house.heal()
        await house.all_is_delivered(20)
        found = [mail for person in people for mail in await house.messages(person)]
        print(f"{broken} broken connections for {len(said)} calls")
        assert broken > 1, "it broke at the beginning only"
        assert Counter(str(mail["X-VM-ARI-Caller"]) for mail in found) == Counter(numbers)
        by_number = {str(mail["X-VM-ARI-Caller"]): mail for mail in found}
        for number, words in zip(numbers, said, strict=True):
            assert_kept(words, audio_of(by_number[number]), lost=0.5)

    on_house(story)


def test_who_talks_when_asterisks_answer_gets_lost_is_not_interrupted(on_house: Run) -> None:
    """Over HTTP, where the proxy can see which request it is: the one that begins to record."""
    said = babble(5.0, 1)

    async def story(house: House) -> None:
        person = await somebody(house.world)
        await house.restart(way="http")
        try:
            house.asterisk.lose_answer_to(b"/record")
            async with (
                house.world.outside_phone() as phone,
                calling(phone, person.number) as caller,
            ):
                await caller.presses("0")
                await caller.hears(BEEP)
                await caller.speaks(said)
                await caller.presses("#")
                await caller.hears("to-send")
                await caller.presses("1")
                await caller.hears("thank-you-goodbye")
                assert caller.told().count(BEEP) == 1
            assert house.asterisk.answers_lost == 1
            await house.all_is_delivered(10)
            [mail] = await house.messages(person)
            assert_kept(said, audio_of(mail))
        finally:
            await house.restart()

    on_house(story)


@pytest.mark.feature_part("CALL-10", "a network that swallows everything")
def test_a_black_hole_before_asterisk_costs_nobody_a_message(on_house: Run) -> None:
    """One talks when it opens, one calls at once, one when the dialplan has noticed."""
    said = [babble(3.0 + n, n) for n in range(3)]

    async def story(house: House) -> None:
        people = [await somebody(house.world) for _ in said]
        recording = asyncio.Event()

        async def talks() -> None:
            async with (
                house.world.outside_phone() as phone,
                calling(phone, people[0].number) as caller,
            ):
                await caller.presses("0")
                await caller.hears(BEEP)
                recording.set()
                await caller.speaks(said[0])

        async def by_dialplan(n: int) -> float:
            async with (
                house.world.outside_phone() as phone,
                calling(phone, people[n].number) as caller,
            ):
                waited = await first_sound(caller)
                await caller.hears(BEEP)
                assert GREETING in caller.told(), "something got through"
                await caller.speaks(said[n])
                return waited

        talking = asyncio.create_task(talks())
        await recording.wait()
        house.asterisk.hold()
        at_once = asyncio.create_task(by_dialplan(1))
        await asyncio.sleep(3.5)
        later = asyncio.create_task(by_dialplan(2))
        await talking
        assert await at_once < FALLBACK_WITHIN
        assert await later < FALLBACK_WITHIN
        house.heal()
        await house.ready()
        await house.all_is_delivered(30)
        for person, words in zip(people, said, strict=True):
            [mail] = await house.messages(person)
            assert_kept(words, audio_of(mail), lost=0.5)

    on_house(story)


def test_slow_and_narrow_networks_slow_a_call_down_and_that_is_all(on_house: Run) -> None:
    said = babble(3.0, 1)

    async def story(house: House) -> None:
        person = await somebody(house.world)
        before = {way: way.carried.total() for way in house.ways}
        for way in house.ways:
            way.delay = 0.1
        house.imap.rate = 20_000
        async with house.world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.hears("you-have-reached")
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(said)
            await caller.presses("#")
            await caller.hears("to-send")
            await caller.presses("1")
            await caller.hears("thank-you-goodbye")
            await caller.is_hung_up_on()
        await house.all_is_delivered(30)
        [mail] = await house.messages(person)
        assert_kept(said, audio_of(mail))
        carried = {way: way.carried.total() - before[way] for way in house.ways}
        assert all(carried.values()), "a network was not needed, so it was not slow"

    on_house(story)


def test_a_reader_of_events_that_is_far_behind_costs_no_message(on_house: Run) -> None:
    """What happens in calls comes to the controller seconds later, and its answers, too.

    Who cannot be served in time is the dialplan's; who is recorded already is heard to the end.
    """
    said = [babble(6.0 + n / 2, n) for n in range(3)]

    async def story(house: House) -> None:
        people = [await somebody(house.world) for _ in said]
        talks, *others = (speaks(house.world, *one) for one in zip(people, said, strict=True))
        talking = asyncio.create_task(talks)
        async with asyncio.timeout(AT_MOST):
            while not list(house.world.spool.glob("open/*/take-1.wav")):
                await asyncio.sleep(0.05)
        before = house.asterisk.carried[Way.BACK]
        house.asterisk.rate = BEHIND
        await asyncio.gather(talking, *others)
        assert house.asterisk.carried[Way.BACK] - before > 2 * BEHIND, "it was never behind"
        house.heal()
        await house.ready()
        await house.all_is_delivered(AT_MOST)
        for person, words in zip(people, said, strict=True):
            [mail] = await house.messages(person)
            assert_kept(words, audio_of(mail), lost=0.5)

    on_house(story)


def test_events_that_come_twice_and_in_disorder_do_not_matter(on_house: Run) -> None:
    said = [babble(3.0 + n / 10, n) for n in range(4)]

    async def story(house: House) -> None:
        people = [await somebody(house.world) for _ in said]
        instance = house.world.asterisk.instance
        async with shuffler_before(instance.http_port) as (port, shuffler):
            house.asterisk.target = port
            house.asterisk.cut()
            await house.ready()

            async def one(n: int) -> None:
                async with (
                    house.world.outside_phone() as phone,
                    calling(phone, people[n].number) as caller,
                ):
                    await caller.presses("0")
                    await caller.hears(BEEP)
                    await caller.speaks(said[n])
                    if n:  # to hear it: a key that counted twice would do something else, too
                        await caller.presses("#2")
                        await caller.hears_audio(said[n])
                        await caller.hears("to-send")
                        await caller.presses("1")
                        await caller.hears("thank-you-goodbye")
                        assert caller.told().count(BEEP) == 1

            try:
                await asyncio.gather(*(one(n) for n in range(len(said))))
            finally:
                house.asterisk.target = instance.http_port
                house.asterisk.cut()
            assert sum(stream.events for stream in shuffler.streams) > 40
            assert sum(stream.swapped for stream in shuffler.streams) > 5
        await house.ready()
        await house.all_is_delivered(20)
        for person, words in zip(people, said, strict=True):
            [mail] = await house.messages(person)
            assert_kept(words, audio_of(mail))

    on_house(story)


@pytest.mark.feature_part("DIR-08", "with the mail servers away as well")
def test_with_every_server_away_callers_notice_nothing_and_all_comes_later(on_house: Run) -> None:
    """SMTP refuses, then IMAP, too, and the directory hangs; a minute after that all has come.

    Ben's first call makes a welcome mail, which goes by SMTP.
    """
    said = babble(3.0, 1)

    async def story(house: House) -> None:
        world, anna, ben = house.world, house.world.anna, house.world.ben
        async with world.phone_of(anna) as phone, world.outside_phone() as outside:
            await phone.register()
            before = len(await house.messages(anna))
            await phone.lamp(before, within=AT_MOST)
            house.smtp.refuse()
            await speaks(world, ben, babble(2.5, 2))
            house.ldap.hold()
            house.imap.refuse()
            house.imap.cut()
            async with calling(outside, anna.number) as caller:
                await caller.hears("you-have-reached", within=6)
                assert GREETING not in caller.told()
                await caller.presses("0")
                await caller.hears(BEEP)
                await caller.speaks(said)
                await caller.presses("#1")
                await caller.hears("thank-you-goodbye")
            assert on_their_way(world)
            only_messages = len(await house.messages(ben)) == len(await world.store.mails(ben))
            assert only_messages, "his welcome mail got through"
            assert phone.lamps[-1].new == before, "it is not counted, and not guessed"
            house.heal()
            await phone.lamp(before + 1, within=NEXT_TRY + 30)
            await house.all_is_delivered(10)
            *_, mail = await house.messages(anna)
            assert_kept(said, audio_of(mail))
            async with asyncio.timeout(NEXT_TRY + 30):
                while len(await house.messages(ben)) == len(await world.store.mails(ben)):
                    await asyncio.sleep(0.5)
        assert world.controller_log.read_text().count("Traceback") == 0

    on_house(story)
