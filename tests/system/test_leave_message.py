"""A caller leaves a message: SIP and RTP through a real Asterisk into the real controller."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from tests.patience import AT_MOST
from tests.system.callers import (
    BEEP,
    Caller,
    assert_kept,
    babble,
    calling,
    digits,
    likeness,
)
from tests.system.listening import voice
from tests.system.mails import Mail, arrived, mails, on_their_way
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.ear import Audio
from vm_ari.demo.world import Person, World


async def to_the_tone(caller: Caller) -> None:
    """Skip the greeting."""
    await caller.presses("0")
    await caller.hears(BEEP)


async def came(world: World, person: Person) -> Sequence[Mail]:
    """Wait for a mail while other calls go on."""
    async with asyncio.timeout(AT_MOST):
        while not (found := mails(world, person)):
            await asyncio.sleep(0.05)
    return found


async def nothing_came(world: World, person: Person) -> None:
    """Nothing was recorded, nothing was mailed."""
    assert on_their_way(world) == []
    assert mails(world, person) == []


@pytest.mark.feature_part("CALL-01", "into the local store")
def test_a_message_arrives_in_the_mailbox_whose_number_was_dialled(world: World) -> None:
    async def leave(person: Person, said: Audio) -> None:
        async with (
            world.outside_phone() as phone,
            calling(phone, person.number, person.language) as caller,
        ):
            greeting = ["you-have-reached", *digits(person.extension), "leave-a-message", BEEP]
            await caller.hears(*greeting)
            await caller.speaks(said)
            await caller.hangs_up()
            caller.heard_only(*greeting)

    async def scenario() -> None:
        people = [await somebody(world, "de"), await somebody(world, "en")]
        said = [voice("de", 1), voice("en", 2)]
        await asyncio.gather(*map(leave, people, said))
        for person, words in zip(people, said, strict=True):
            [mail] = await arrived(world, person)
            assert mail["X-VM-ARI-Mailbox"] == person.extension
            assert_kept(words, mail.audio)

    asyncio.run(scenario())


@pytest.mark.feature("CALL-02")
def test_0_during_the_greeting_goes_straight_to_the_tone(world: World) -> None:
    async def leave(person: Person, after: Sequence[str], said: Audio) -> float:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.hears(*after)
            await caller.presses("0")
            pressed = time.monotonic()
            await caller.hears(BEEP)
            waited = time.monotonic() - pressed
            await caller.speaks(said)
            await caller.hangs_up()
            told = caller.told()
            assert [name for name in told if name == "leave-a-message"] == []
            assert told[-1] == BEEP
        return waited

    async def scenario() -> None:
        person = await somebody(world)
        moments = ((), ("you-have-reached",), ("you-have-reached", "digits/2"))
        words = [babble(2.5, seed) for seed in range(3)]
        waits = await asyncio.gather(
            *(leave(person, after, said) for after, said in zip(moments, words, strict=True))
        )
        assert max(waits) < 4  # the tone itself lasts 0.35 s, the greeting more than 5
        received = await arrived(world, person, 3)
        for said in words:
            assert_kept(said, max((m.audio for m in received), key=lambda a: likeness(said, a)[1]))

    asyncio.run(scenario())


@pytest.mark.feature("CALL-03")
@pytest.mark.parametrize("language", ["de", "en"])
def test_star_during_the_greeting_leads_the_owner_to_the_main_menu(
    world: World, language: str
) -> None:
    async def scenario() -> None:
        person = await somebody(world, language)
        async with (
            world.outside_phone() as phone,
            calling(phone, person.number, language) as caller,
        ):
            await caller.hears("you-have-reached")
            await caller.presses("*")
            await caller.hears("enter-pin")
            await caller.presses(f"{person.pin}#")
            await caller.hears("you-have", "new-voice-message/none", "for-new-voice-messages")
            await caller.presses("#")
            await caller.hears("goodbye")
            await caller.is_hung_up_on()
            assert "leave-a-message" not in caller.told()

    asyncio.run(scenario())


@pytest.mark.feature_part("CALL-04", "the user's own switch")
def test_a_disabled_mailbox_says_so_and_takes_nothing(world: World) -> None:
    async def scenario() -> None:
        person = await somebody(world, voice_mail_enabled=False)
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses("0")  # the quick message is not there either
            await caller.hears("mailbox-disabled", "goodbye")
            await caller.is_hung_up_on()
            caller.heard_only("mailbox-disabled", "goodbye")
        await nothing_came(world, person)

    asyncio.run(scenario())


@pytest.mark.feature_part("CALL-05", "per user, not yet per profile")
def test_without_messages_the_greeting_is_an_announcement(world: World) -> None:
    async def scenario() -> None:
        person = await somebody(world, takes_messages=False)
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses("0")
            await caller.is_hung_up_on()
            announcement = ["you-have-reached", *digits(person.extension)]
            caller.heard_only(*announcement, "no-messages-taken", "goodbye")
        await nothing_came(world, person)

    asyncio.run(scenario())


@pytest.mark.feature("CALL-09")
def test_an_unknown_number_does_not_exist_or_goes_to_the_default_recipient(
    world: World, new_world: NewWorld
) -> None:
    async def nobody_there() -> None:
        async with world.outside_phone() as phone, calling(phone, "+49305550999") as caller:
            await caller.is_hung_up_on()
            caller.heard_only("unknown-mailbox", "goodbye")

    async def with_recipient() -> None:
        settings = '[site]\ndefault_recipient = "office@demo.example"\n'
        async with new_world(settings=settings) as other, other.outside_phone() as phone:
            async with calling(phone, "+49305550999") as caller:
                await to_the_tone(caller)
                await caller.speaks(said := babble(2.5, 1))
                await caller.hangs_up()
            await arrived(other, other.anna, 0)
            [mailbox] = {path.name for path in other.mail.iterdir()} - {"101", "102"}
            [mail] = await arrived(other, Person("", mailbox, "de"))
            assert (mail["To"], mail["X-VM-ARI-Called"]) == ("office@demo.example", "+49305550999")
            assert_kept(said, mail.audio)

    async def scenario() -> None:
        await asyncio.gather(nobody_there(), with_recipient())

    asyncio.run(scenario())


LIMITS = """
[calls]
longest_seconds = 5
warning_seconds = 2
silence_seconds = 2
shortest_seconds = 2.0
"""


@pytest.mark.feature("CALL-06")
def test_a_recording_ends_by_time_by_silence_and_by_key(new_world: NewWorld) -> None:
    async def too_long(world: World, person: Person) -> None:
        said = babble(8, 1)
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await to_the_tone(caller)
            began = time.monotonic()
            talking = asyncio.create_task(caller.speaks(said))
            await caller.hears_warning()
            warned = time.monotonic() - began
            await caller.hears("to-send")
            talking.cancel()
            await caller.hangs_up()
        assert 2.8 < warned < 4.9
        [mail] = await came(world, person)
        seconds, alike = likeness(said, mail.audio)
        assert 4.8 < seconds < 6.2
        assert alike > 0.99, "the warning beep is in the recording"

    async def falls_silent(world: World, person: Person) -> None:
        said = voice("de", 1, 3.0)
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await to_the_tone(caller)
            await caller.speaks(said)
            silent = time.monotonic()
            await caller.hears("to-send")
            assert 2.0 < time.monotonic() - silent < 15  # the prompt itself lasts 1.5 s
            await caller.hangs_up()
        [mail] = await came(world, person)
        assert_kept(said, mail.audio)

    async def says(world: World, person: Person, said: Audio, *, hash_key: bool) -> None:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await to_the_tone(caller)
            await caller.speaks(said)
            if hash_key:
                await caller.presses("#")
            await caller.hears("nothing-recorded", "goodbye")
            await caller.is_hung_up_on()
        assert mails(world, person) == []

    async def scenario() -> None:
        async with new_world(settings=LIMITS) as world:
            people = [await somebody(world) for _ in range(5)]
            silence = babble(2.5, 3) * 0
            await asyncio.gather(
                too_long(world, people[0]),
                falls_silent(world, people[1]),
                says(world, people[2], babble(1.5, 2), hash_key=True),
                says(world, people[3], silence, hash_key=True),
                says(world, people[4], silence, hash_key=False),
            )
            assert on_their_way(world) == []

    asyncio.run(scenario())


@pytest.mark.feature("CALL-07")
def test_the_caller_reviews_the_message(world: World) -> None:
    """Listen, mark urgent, take that back, re-record, mark urgent again, send."""

    async def scenario() -> None:
        person = await somebody(world)
        first, second = babble(2.5, 1), voice("de", 2, 3.0)
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await to_the_tone(caller)
            await caller.speaks(first)
            await caller.presses("#")
            await caller.hears("to-send", "press", "digits/1", "to-hear", "press", "digits/2")
            await caller.presses("2")
            await caller.hears_audio(first)
            await caller.presses("4")
            await caller.hears("marked-urgent")
            await caller.presses("4")
            await caller.hears("marked-normal")
            await caller.presses("3")
            await caller.hears(BEEP)
            await caller.speaks(second)
            await caller.presses("#")
            await caller.presses("4")
            await caller.hears("marked-urgent")
            assert mails(world, person) == []
            await caller.presses("1")
            await caller.hears("thank-you-goodbye")
            await caller.is_hung_up_on()
        [mail] = await arrived(world, person)
        assert_kept(second, mail.audio)
        assert likeness(first, mail.audio)[1] < 0.5
        assert mail["Importance"] == "high"
        assert mail["X-VM-ARI-Urgent"] == "yes"
        assert mail.path.name.endswith(":2,F")

    asyncio.run(scenario())


@pytest.mark.feature("CALL-07")
def test_what_is_not_sent_by_key_is_sent_all_the_same(world: World) -> None:
    """Three wrong keys at the review, a hang-up there, one after a mark, one while re-recording."""

    async def confused(person: Person, said: Audio) -> None:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await to_the_tone(caller)
            await caller.speaks(said)
            await caller.presses("#9")
            await caller.hears("key-not-used", "to-send")
            await caller.presses("99")
            await caller.hears("thank-you-goodbye")
            await caller.is_hung_up_on()

    async def hangs_up(person: Person, said: Audio, keys: str, then: str) -> None:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await to_the_tone(caller)
            await caller.speaks(said)
            await caller.presses("#")
            await caller.hears("to-send")
            if keys:
                await caller.presses(keys)
                await caller.hears(then)

    async def scenario() -> None:
        people = [await somebody(world) for _ in range(4)]
        words = [babble(2.5, seed) for seed in range(4)]
        await asyncio.gather(
            confused(people[0], words[0]),
            hangs_up(people[1], words[1], "", ""),
            hangs_up(people[2], words[2], "3", BEEP),
            hangs_up(people[3], words[3], "4", "marked-urgent"),
        )
        received = [(await arrived(world, person))[0] for person in people]
        for mail, said in zip(received, words, strict=True):
            assert_kept(said, mail.audio)
        assert [mail["X-VM-ARI-Urgent"] for mail in received] == ["no", "no", "no", "yes"]

    asyncio.run(scenario())


@pytest.mark.feature("GREET-06")
@pytest.mark.parametrize("style", ["extension", "international"])
def test_the_default_greeting_says_the_number(
    world: World, new_world: NewWorld, style: str
) -> None:
    async def greeted(there: World, language: str) -> None:
        person = await somebody(there, language)
        spoken = person.extension if style == "extension" else person.number
        async with (
            there.outside_phone() as phone,
            calling(phone, person.number, language) as caller,
        ):
            greeting = ["you-have-reached", *digits(spoken), "leave-a-message", BEEP]
            await caller.hears(BEEP)
            caller.heard_only(*greeting)

    async def both(there: World) -> None:
        await asyncio.gather(greeted(there, "de"), greeted(there, "en"))

    async def scenario() -> None:
        if style == "extension":
            await both(world)
        else:
            async with new_world(settings='[site]\nnumber_style = "international"\n') as other:
                await both(other)

    asyncio.run(scenario())
