"""The keys of a mail that is read aloud work in every clip, and lead from one to the next."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialogues.exchange import Exchange, logged_in
from tests.dialogues.listening import at_heading
from tests.dialogues.reading_site import put, site_of
from tests.fake_voice import FakeVoice, said
from tests.phone import Phone, Told
from vm_ari.dialogues.listening import PAUSED
from vm_ari.domain.playback import Speed
from vm_ari.speech.catalogue import P
from vm_ari.telephony.menu import spoken

LETTER = "The first one is about you.\r\n\r\nThe second is for them.\r\n\r\nThe third is from us."
FIRST, SECOND, THIRD = (said(line) for line in LETTER.split("\r\n\r\n"))
SECONDS = 10.0
Story = Callable[[Phone], Awaitable[None]]


async def faster_files(recording: Path, speed: Speed) -> Path | None:
    return recording.with_stem(f"{recording.stem}-{round(speed.value * 100)}")


def call(site: Exchange, story: Story) -> Told:
    """A user with one mail of three clips of 10 s each, at the first of them."""
    line = site.line()
    for clip in (FIRST, SECOND, THIRD):
        line.lengths[clip.path] = SECONDS
        for speed in Speed:
            path = f"{clip.path}-{round(speed.value * 100)}"
            line.lengths[path] = SECONDS / speed.value
    site.desk = replace(site.desk, at_speed=faster_files)
    put(site, "a", LETTER)

    async def caller(phone: Phone) -> None:
        phone.presses("3#")
        await phone.hears(FIRST)
        await story(phone)
        phone.hangs_up()

    return logged_in(site, caller, line=line)


def begun(told: Told) -> list[tuple[str, float]]:
    """Word and place of each clip of the text that was begun."""
    return [
        (name.split(" ")[1] + name.partition(".")[2], round(at, 2))
        for name, at in told.channel.begun
        if name.startswith("/spoken/en/The")
    ]


@pytest.mark.feature_part("INBOX-05", "every key, while a mail is read")
def test_back_and_forward_lead_from_clip_to_clip() -> None:
    async def story(phone: Phone) -> None:
        await phone.waits(11)  # 1 into the second
        phone.presses("3")  # to 8 of the first
        await phone.waits(1)
        phone.presses("3")  # to 6
        await phone.waits(5)  # 1 into the second
        phone.presses("0")
        await phone.waits(5)
        phone.presses("0")
        await phone.waits(10)  # 1 into the third
        phone.presses("33333")  # by 8, 5 and 2 of the second to 9 and 6 of the first
        await phone.waits(0.5)
        phone.presses("333")
        await phone.waits(0.5)

    told = call(site_of(), story)
    assert begun(told)[:6] == [
        *[("first", 0), ("second", 0), ("first", 8), ("first", 6), ("second", 0), ("second", 1)],
    ]
    assert begun(told)[6:] == [("third", 0), ("first", 6), ("first", 0)]


def test_forward_beyond_the_end_is_the_next_clip() -> None:
    async def story(phone: Phone) -> None:
        await phone.waits(8)
        phone.presses("9")
        await phone.hears(SECOND)
        phone.presses("9999")
        await phone.hears(THIRD)

    assert begun(call(site_of(), story)) == [("first", 0), ("second", 0), ("third", 0)]


@pytest.mark.feature_part("INBOX-05", "the speed of a mail is kept from clip to clip")
def test_the_speed_is_kept_from_clip_to_clip() -> None:
    async def story(phone: Phone) -> None:
        phone.presses("5")
        await phone.waits(9)
        phone.presses("8")
        await phone.waits(1)

    told = call(site_of(), story)
    assert begun(told) == [("first", 0), ("first-125", 0), ("second-125", 0), ("second", 1.25)]


def test_back_at_the_beginning_begins_again() -> None:
    async def story(phone: Phone) -> None:
        await phone.waits(1)
        phone.presses("3")
        await phone.waits(1)

    assert begun(call(site_of(), story)) == [("first", 0), ("first", 0)]


@pytest.mark.feature_part("INBOX-05", "a pause in a mail tells what can be done")
def test_a_pause_in_a_mail_offers_its_keys() -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears(*spoken(PAUSED, site.desk.keys))
        phone.presses("0")
        await phone.hears(FIRST, SECOND)

    call(site, story)


def test_skip_goes_to_the_end_and_another_key_does_its_work() -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("#")
        await phone.hears(P.TO_REPEAT)
        phone.presses("1")
        await at_heading(phone)
        phone.presses("##")
        await phone.hears(P.TO_REPEAT)
        phone.presses("1")
        await phone.hears(FIRST)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)

    call(site, story)
    assert list(site.mailboxes.deleted["anna"]) == ["a"]


def test_a_key_that_controls_while_nothing_plays_yet_is_passed_on() -> None:
    site = site_of(FakeVoice(seconds=15.0))

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await at_heading(phone)
        await phone.waits(10)
        phone.presses("9")
        await phone.hears(P.RECEIVED)
        phone.hangs_up()

    put(site, "a")
    logged_in(site, caller)


@pytest.mark.parametrize("second", range(1, 40, 3))
def test_a_hang_up_at_any_moment_leaves_nothing_behind(second: int) -> None:
    site = site_of(FakeVoice(seconds=1.0))
    line = site.line()
    for clip in (FIRST, SECOND, THIRD):
        line.lengths[clip.path] = SECONDS
    put(site, "a", LETTER)

    async def caller(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(THIRD)
        await phone.waits(100)

    logged_in(site, caller, line=line, hang_up_after=float(second))
    assert site.counts() == (1, 0)
