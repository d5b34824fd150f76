"""A recording under its listener's control, told from both ends."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.clock import run_virtually
from tests.phone import FakeChannel, Phone, Told, on_the_phone
from vm_ari.domain.playback import Speed
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Clip, Digits, Recorded
from vm_ari.telephony.call import Call, NoAnswer
from vm_ari.telephony.playback import PATIENCE, Control, Controls

MESSAGE = Recorded("/message")
SECONDS = 30.0
KEYS = {
    "0": Control.PAUSE,
    "3": Control.REWIND,
    "9": Control.FORWARD,
    "8": Control.SLOWER,
    "5": Control.FASTER,
}
HELP = (P.TO_GO_ON, P.PRESS, Digits("0"))
PREPARING = 0.5
"""Seconds that another speed takes."""
Story = Callable[[Phone], Awaitable[None]]


async def prepared(speed: Speed) -> Clip | None:
    if speed is Speed.NORMAL:
        return Clip("/message", absolute=True)
    await asyncio.sleep(PREPARING)
    return Clip(f"/message-{speed.value}", absolute=True)


async def impossible(speed: Speed) -> Clip | None:
    return await prepared(speed) if speed is Speed.NORMAL else None


def listening(
    story: Story,
    at_speed: Callable[[Speed], Awaitable[Clip | None]] = prepared,
    *,
    ahead: str = "",
    hang_up_after: float | None = None,
) -> tuple[Told, list[object]]:
    """Play the message to somebody; what came of it: begun or not, and the keys that are left."""
    came: list[object] = []

    async def script(call: Call) -> None:
        try:
            came.append(await call.listen(MESSAGE, Controls(KEYS, HELP, at_speed), skip="#"))
            came.append(await call.ask((), {key: key for key in "0123456789*#"}))
        except NoAnswer:
            came.append(NoAnswer)

    async def caller(phone: Phone) -> None:
        await story(phone)
        await phone.hears_the_end()

    channel = FakeChannel()
    channel.lengths = {"/message": SECONDS} | {
        f"/message-{speed.value}": SECONDS / speed.value for speed in Speed
    }
    for key in ahead:
        channel.key(key)
    told = run_virtually(on_the_phone(script, caller, channel=channel, hang_up_after=hang_up_after))
    return told, came


def begun(told: Told) -> list[tuple[str, float]]:
    """What was played of the message, and from where."""
    return [
        (Path(name).name.removeprefix("message").removeprefix("-"), round(at, 3))
        for name, at in told.channel.begun
        if name.startswith("/message")
    ]


@pytest.mark.feature_part("INBOX-05", "pause and resume")
def test_after_a_pause_it_goes_on_where_it_stopped() -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        await phone.waits(4)
        phone.presses("0")
        await phone.waits(9)
        phone.presses("0")
        await phone.waits(25.9)
        assert not phone.is_over()
        phone.presses("7")

    told, came = listening(story)
    assert begun(told) == [("", 0), ("", 4)]
    assert told.channel.silences == 1
    assert came == [True, "7"]


@pytest.mark.feature_part("INBOX-05", "back and forward 3 s")
def test_back_and_forward_are_three_seconds_each_and_add_up() -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        await phone.waits(10)
        phone.presses("3")
        await phone.waits(1)
        phone.presses("99")
        await phone.waits(1)
        phone.presses("1")

    told, came = listening(story)
    assert begun(told)[:2] == [("", 0), ("", 7)]
    assert begun(told)[-1] == ("", 14)
    assert came == [True, "1"]


@pytest.mark.feature_part("INBOX-05", "at the beginning and at the end")
def test_back_stops_at_the_beginning_and_forward_at_the_end() -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        await phone.waits(1)
        phone.presses("3")
        await phone.waits(28)
        phone.presses("9")
        await phone.waits(0.1)
        phone.presses("3")

    told, came = listening(story)
    assert begun(told) == [("", 0), ("", 0)]
    assert came == [True, "3"], "after the end it is a key of the menu again"
    assert told.seconds == pytest.approx(29.1)


@pytest.mark.feature_part("INBOX-05", "slower and faster, at the same place")
def test_another_speed_goes_on_at_the_same_place() -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        await phone.waits(6)
        phone.presses("5")
        await phone.waits(PREPARING + 4)
        phone.presses("5")
        await phone.waits(PREPARING + 2)
        phone.presses("5888")
        await phone.waits(3 * PREPARING + 1)
        phone.presses("2")

    told, came = listening(story)
    played = begun(told)
    assert played[0] == ("", 0.0)
    assert played[1] == ("1.25", round(6.5 / 1.25, 3))
    place = 6.5 + 4 * 1.25 + PREPARING * 1.25
    assert played[2] == ("1.5", round(place / 1.5, 3))
    place += 2 * 1.5 + PREPARING * 1.5  # it plays on while the slower one is prepared
    assert played[3] == ("1.25", round(place / 1.25, 3))
    assert played[4][0] == ""
    assert played[5][0] == "0.75"
    assert came == [True, "2"]


def test_where_no_other_speed_can_be_made_it_goes_on_as_before() -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        await phone.waits(6)
        phone.presses("5")
        await phone.hears(P.NOT_POSSIBLE_NOW, MESSAGE)
        phone.presses("6")

    told, came = listening(story, impossible)
    assert begun(told) == [("", 0), ("", 6)]
    assert came == [True, "6"]


@pytest.mark.feature_part("INBOX-05", "in a pause every key goes on from there")
@pytest.mark.parametrize(
    ("key", "then"),
    [("0", ("", 10.0)), ("3", ("", 7.0)), ("9", ("", 13.0)), ("5", ("1.25", 8.0))],
)
def test_each_key_ends_a_pause(key: str, then: tuple[str, float]) -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        await phone.waits(10)
        phone.presses("0")
        await phone.waits(5)
        phone.presses(key)
        await phone.waits(PREPARING)
        await phone.hears(*([Recorded("/message-1.25")] if key == "5" else [MESSAGE]))
        phone.presses("7")

    told, came = listening(story)
    assert begun(told)[1:] == [then]
    assert came == [True, "7"]


@pytest.mark.parametrize("key", ["7", "#"])
def test_a_pause_can_be_left_for_the_menu(key: str) -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        phone.presses("0")
        await phone.waits(1)
        phone.presses(key)
        if key == "#":
            await phone.waits(1)
            phone.presses("1")

    told, came = listening(story)
    assert len(begun(told)) == 1
    assert came == [True, "1" if key == "#" else "7"], "the skip key is used up"


@pytest.mark.feature_part("INBOX-05", "who does not know how to go on is told")
def test_a_pause_tells_how_to_go_on_and_is_not_for_ever() -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        phone.presses("0")
        for _ in PATIENCE:
            await phone.hears(*HELP)

    told, came = listening(story)
    assert came == [NoAnswer]
    assert told.seconds == pytest.approx(sum(PATIENCE) + 3 * len(PATIENCE))
    assert told.channel.silences == len(PATIENCE)


def test_the_words_of_a_pause_can_be_interrupted() -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        phone.presses("0")
        await phone.hears(P.TO_GO_ON)
        phone.presses("0")
        await phone.hears(MESSAGE)
        phone.presses("4")

    _told, came = listening(story)
    assert came == [True, "4"]


def test_keys_typed_ahead_are_for_what_comes_then() -> None:
    async def story(phone: Phone) -> None:
        await phone.waits(1)

    told, came = listening(story, ahead="9")
    assert begun(told) == []
    assert came == [False, "9"]


@pytest.mark.parametrize("keys", ["", "0", "05", "5", "99", "3"])
@pytest.mark.parametrize("seconds", [0.2, 3.0, 3.3, 12.0])
def test_whoever_hangs_up_is_gone_at_once(keys: str, seconds: float) -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(MESSAGE)
        await phone.waits(3)
        phone.presses(keys)

    told, came = listening(story, hang_up_after=seconds)
    assert came in ([], [True]), "the end of a playback is reported before that of the line"
    assert told.seconds <= max(seconds, 3.0) + PREPARING


def test_an_end_that_is_never_reported_is_noticed() -> None:
    async def script(call: Call) -> None:
        assert await call.listen(MESSAGE, Controls(KEYS, HELP, prepared))

    async def caller(phone: Phone) -> None:
        await phone.hears_the_end()

    channel = FakeChannel()
    channel.lengths, channel.reports_ends = {"/message": 7.0}, False
    told = run_virtually(on_the_phone(script, caller, channel=channel))
    assert told.seconds == pytest.approx(10)
