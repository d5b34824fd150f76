"""The owner hears and handles messages by telephone, over SIP, RTP and real key presses."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.patience import AT_MOST
from tests.system.callers import BEEP, Caller, babble, calling, digits
from tests.system.mails import Mail, arrived, mails
from tests.system.worlds import somebody
from vm_ari.adapters.ear import RATE, Audio
from vm_ari.demo.world import Person, World

DELETED = "Deleted voice messages"
ORDINARY = b"From: Carla <carla@demo.example>\nSubject: Hello\n\nThis is no voice message.\n"


async def leave(
    world: World, person: Person, said: Audio, number: str = "", *, urgent: bool = False
) -> None:
    """Leave a message, as fast as it goes."""
    async with (
        world.outside_phone() as phone,
        calling(phone, person.number, person.language, number=number) as caller,
    ):
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(said)
        if urgent:
            await caller.presses("#4")
            await caller.hears("marked-urgent")


def other_mail(world: World, person: Person, name: str) -> None:
    """What a mail server does: a mail that is no voice message."""
    folder = world.mail_directory(person)
    (folder / "tmp" / name).write_bytes(ORDINARY)
    (folder / "tmp" / name).rename(folder / "new" / name)


@asynccontextmanager
async def logged_in(world: World, person: Person, then: str = "") -> AsyncIterator[Caller]:
    """The owner at the main menu; *then*: keys typed ahead."""
    async with (
        world.outside_phone() as phone,
        calling(phone, person.number, person.language) as caller,
    ):
        await caller.presses(f"*{person.pin}#{then}", ms=60)
        yield caller


@pytest.mark.feature("INBOX-01", "INBOX-04")
@pytest.mark.feature_part("INBOX-03", "number, date, sender, then the content")
@pytest.mark.feature_part("INBOX-06", "into the folder")
def test_the_owner_walks_through_the_messages(world: World) -> None:
    said = [babble(2.2, seed) for seed in range(3)]

    async def messages(person: Person) -> None:
        async def one(place: int) -> None:
            await asyncio.sleep(1.2 * place)  # the order is that of whole seconds
            number = ("301", "302", "+4989555")[place]
            await leave(world, person, said[place], number, urgent=place == 0)

        await asyncio.gather(*map(one, range(3)))
        await arrived(world, person, 3)
        other_mail(world, person, "1.other")

    async def walk(caller: Caller) -> None:
        await caller.hears("you-have", "digits/3", "new-voice-message/many", "and")
        await caller.hears("new-other-message/one", "for-new-voice-messages")
        await caller.presses("1")
        await caller.hears("message-number", "digits/1", "urgent", "moment/today", "from")
        await caller.hears(*digits("301"))
        await caller.hears_audio(said[0])
        await caller.hears("to-repeat")
        await caller.presses("9")
        await caller.hears("received", "moment/today", "from", *digits("301"), "length")
        await caller.presses("6")
        await caller.hears("message-number", "digits/2")
        await caller.presses("#")
        await caller.hears_audio(said[2])  # the newest
        for key, answer in (("7", "deleted"), ("7", "restored"), ("2", "kept-new")):
            await caller.presses(key)
            await caller.hears(f"message-{answer}")
        await caller.presses("6")
        await caller.hears("message-number", "digits/3")
        await caller.presses("#")
        await caller.hears_audio(said[1])
        await caller.presses("1")
        await caller.hears("message-number", "digits/3")
        await caller.presses("7")
        await caller.hears("message-deleted")
        await caller.presses("4")
        await caller.hears("message-number", "digits/2")
        await caller.presses("*")
        await caller.hears("for-new-voice-messages")
        await caller.presses("2")
        await caller.hears("message-number", "digits/1", "urgent")
        await caller.presses("6")
        await caller.hears("no-more-messages")
        await caller.presses("#")
        await caller.hears("goodbye")
        await caller.is_hung_up_on()

    async def scenario() -> tuple[Sequence[Mail], Sequence[Mail]]:
        person = await somebody(world)
        await messages(person)
        async with logged_in(world, person) as caller:
            await walk(caller)
        return mails(world, person), mails(world, person, DELETED)

    inbox, deleted = asyncio.run(scenario())
    states = {mail.caller: mail.new for mail in inbox if mail.caller}
    assert states == {"+49305550301": False, "+4989555": True}
    assert [mail.caller for mail in deleted] == ["+49305550302"]


@pytest.mark.feature_part("INBOX-02", "the local store")
def test_what_happens_in_the_mailbox_is_so_on_the_phone(world: World) -> None:
    async def scenario() -> None:
        person, said = await somebody(world, "en"), babble(2.5, 1)
        await leave(world, person, said)
        [mail] = await arrived(world, person)
        async with logged_in(world, person) as caller:
            await caller.hears("you-have", "new-voice-message/one")
            seen = world.mail_directory(person) / "cur" / f"{mail.path.name.partition(':')[0]}:2,S"
            mail.path.rename(seen)  # as a mail program does
            await caller.presses("0")
            await caller.hears("you-have", "new-voice-message/none", "heard-voice-message/one")
            other_mail(world, person, "1.other")
            seen.rename(mail.path)
            await caller.presses("0")
            await caller.hears("new-voice-message/one", "and", "new-other-message/one")
            await caller.presses("1")
            await caller.hears("message-number")
            await caller.presses("#")
            await caller.hears_audio(said)
            await caller.hears("to-repeat")
            [heard] = [m for m in mails(world, person) if m.caller]
            assert not heard.new
            heard.path.unlink()
            await caller.presses("7")
            await caller.hears("message-gone", "no-more-messages")
            await leave(world, person, said)
            await caller.presses("0")
            await caller.hears("new-voice-message/one")

    asyncio.run(scenario())


@pytest.mark.feature("MENU-03")
def test_keys_pressed_ahead_are_never_lost(world: World) -> None:
    async def scenario() -> None:
        person, said = await somebody(world), [babble(2.5, 1), babble(2.5, 2)]
        for words in said:
            await leave(world, person, words)
        await arrived(world, person, 2)
        async with logged_in(world, person, "16#") as caller:  # the second message's content
            await caller.hears_audio(said[0])
            assert set(caller.told()) <= {"you-have-reached-"}
            await caller.presses("7*#", ms=60)
            await caller.hears("goodbye")
            await caller.is_hung_up_on()
        assert [len(mails(world, person, folder)) for folder in ("", DELETED)] == [1, 1]

    asyncio.run(scenario())


@pytest.mark.feature("MENU-03")
def test_every_prompt_can_be_interrupted(world: World) -> None:
    """At each station one prompt is heard, and the key falls into the next one."""

    async def scenario() -> list[str]:
        person, said = await somebody(world), babble(8, 1)
        await leave(world, person, said)
        await arrived(world, person)
        stations: tuple[tuple[str | Audio | None, str], ...] = (
            ("you-have-reached", "*"),
            (None, f"{person.pin}#"),  # into "enter-pin"
            ("you-have", "0"),
            ("for-new-voice-messages", "1"),
            ("message-number", "#"),
            (said[:RATE], "2"),  # into the content
            ("message-kept-new", "1"),
            ("message-number", "#"),
            (said[:RATE], "#"),
            ("to-repeat", "6"),
            ("no-more-messages", ""),
            ("for-new-voice-messages", "#"),
        )
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            for prompt, keys in stations:
                match prompt:
                    case None:
                        await new_sound(caller)
                    case str():
                        await caller.hears(prompt)
                    case _:
                        await caller.hears_audio(prompt)
                await caller.presses(keys)
            await caller.hears("goodbye")
            await caller.is_hung_up_on()
            return caller.told()

    whole = [name for name in asyncio.run(scenario()) if not name.endswith("-")]
    assert whole == [
        *("you-have-reached", "you-have", "you-have", "new-voice-message/one"),
        *("for-new-voice-messages", "message-number", "message-kept-new", "message-number"),
        *("to-repeat", "no-more-messages", "for-new-voice-messages", "goodbye"),
    ]


async def new_sound(caller: Caller) -> None:
    """Wait for half a second of something that has begun after the last key."""
    await caller.call.falls_silent(0.02)
    begun = len(caller.call.heard)
    async with asyncio.timeout(AT_MOST):
        while len(caller.call.heard) < begun + 4000:
            await asyncio.sleep(0.05)


@pytest.mark.feature("MENU-03")
def test_three_empty_or_wrong_inputs_end_politely(world: World) -> None:
    async def silent(person: Person) -> list[str]:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses("*")
            await caller.is_hung_up_on()
            return caller.told()

    async def wrong(person: Person) -> list[str]:
        async with logged_in(world, person, "*") as caller:
            await caller.hears("key-not-used")
            await caller.presses("*")
            await caller.hears("key-not-used")
            await caller.presses("*")
            await caller.is_hung_up_on()
            return caller.told()

    async def scenario() -> tuple[list[str], list[str]]:
        people = await somebody(world), await somebody(world)
        return await asyncio.gather(silent(people[0]), wrong(people[1]))

    empty, confused = asyncio.run(scenario())
    assert [name for name in empty if not name.endswith("-")] == ["enter-pin"] * 3 + ["goodbye"]
    assert confused[-1] == "goodbye"


FAIL2BAN = Path(__file__).parents[2] / "asterisk-conf" / "fail2ban" / "filter.conf"


def found_by_fail2ban(log: Path) -> list[str]:
    """The callers' numbers that our filter finds."""
    program = shutil.which("fail2ban-regex")
    assert program, "setup installs fail2ban"
    command = [program, "-o", "id", str(log), str(FAIL2BAN)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.feature("LOGIN-03", "LOGIN-09")
@pytest.mark.feature_part("LOGIN-08", "no PIN in the log")
def test_wrong_pins_lock_the_login_also_over_a_restart(world: World, login_log: Path) -> None:
    wrong = ["000001", "000002", "000003", "000004", "000005"]

    async def tries(person: Person, pins: Sequence[str]) -> list[str]:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses("*")
            for pin in pins:
                await caller.presses(f"{pin}#", ms=60)
                await caller.hears("login-failed")
            await caller.is_hung_up_on()
            return caller.told()

    async def scenario() -> tuple[Person, Person]:
        person, other = await somebody(world), await somebody(world)
        told = await asyncio.gather(tries(person, wrong[:3]), right(other))
        assert told[0][-1] == "goodbye"
        await world.stop_controller()
        await world.start_controller()
        both = await asyncio.gather(*(locked(person, pin) for pin in wrong[3:]), right(other))
        assert all("you-have" not in heard for heard in both[:2])
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses(f"*{person.pin}#", ms=60)
            await caller.hears("login-locked", "goodbye")
            await caller.is_hung_up_on()
        return person, other

    async def locked(person: Person, pin: str) -> list[str]:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses(f"*{pin}#", ms=60)
            await caller.hears("login-failed")
            return caller.told()

    async def right(person: Person) -> list[str]:
        async with logged_in(world, person) as caller:
            await caller.hears("you-have", "new-voice-message/none")
            return caller.told()

    people = asyncio.run(scenario())
    log = world.controller_log.read_text()
    for pin in (*wrong, *(person.pin for person in people)):
        assert pin not in log
    assert log.count("login failed") >= 6
    own = login_log.read_text()
    lines = [line for line in own.splitlines() if f"mailbox={people[0].number} " in line]
    assert len(lines) >= 6, own
    callers = {line.partition("caller=")[2].split()[0] for line in lines} - {"unknown"}
    assert callers
    assert callers <= set(found_by_fail2ban(login_log))
