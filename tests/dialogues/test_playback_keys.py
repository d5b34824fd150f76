"""Remote inquiry: keys of a message that plays, and the order of what is heard (INBOX-03, -05)."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialogues.exchange import ANNA, Exchange, audio_of, logged_in
from tests.dialogues.listening import A, B, at_audio, at_heading, at_options, inbox_of
from tests.fake_channel import FakeChannel
from tests.phone import Phone, Told
from vm_ari.dialogues.listening import PAUSED
from vm_ari.domain.callers import Caller
from vm_ari.domain.playback import Speed
from vm_ari.domain.settings import InformationOrder
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Number, Part, Recorded
from vm_ari.telephony.menu import spoken

SECONDS = 20.0


async def faster_files(recording: Path, speed: Speed) -> Path | None:
    return recording.with_stem(f"{recording.stem}-{round(speed.value * 100)}")


def call(site: Exchange, caller: Callable[[Phone], object]) -> Told:
    """Messages of 20 s, which can be played at other speeds."""
    line = site.line()
    for uid in "ab":
        line.lengths[f"/listening/{uid}"] = SECONDS
        for speed in Speed:
            name = f"/listening/{uid}-{round(speed.value * 100)}"
            line.lengths[name] = SECONDS / speed.value
    site.desk = replace(site.desk, at_speed=faster_files)
    return logged_in(site, caller, line=line)  # type: ignore[arg-type]


def begun(line: FakeChannel) -> list[tuple[str, float]]:
    """What was played of messages, and from where."""
    prefix = "/listening/"
    return [
        (name.removeprefix(prefix), round(at, 2))
        for name, at in line.begun
        if name.startswith(prefix)
    ]


@pytest.mark.feature_part("INBOX-05", "every key, while a message plays")
def test_the_keys_control_the_message_that_plays() -> None:
    site = inbox_of(A, B)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        await phone.waits(5)
        phone.presses("3")  # back to 2
        await phone.waits(1)
        phone.presses("9")  # on to 6
        await phone.waits(1)
        phone.presses("0")  # pause at 7
        await phone.waits(8)
        phone.presses("0")
        await phone.waits(1)
        phone.presses("5")  # faster from 8
        await phone.waits(4)
        phone.presses("8")  # at 13 as it was spoken
        await phone.waits(1)
        phone.presses("8")  # slower from 14
        await phone.waits(1)
        phone.presses("#")
        await phone.hears(P.TO_REPEAT)
        phone.presses("6")
        await at_heading(phone, 2)
        phone.hangs_up()

    told = call(site, caller)
    assert begun(told.channel) == [
        *[("a", 0), ("a", 2), ("a", 6), ("a", 7), ("a-125", 6.4), ("a", 13)],
        ("a-75", round(14 / 0.75, 2)),
    ]
    assert site.counts() == (1, 1)


@pytest.mark.feature_part("INBOX-05", "a pause tells what can be done")
def test_a_pause_offers_its_keys_and_can_end_the_call_politely() -> None:
    site = inbox_of(A)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        phone.presses("0")
        await phone.hears(*spoken(PAUSED, site.desk.keys))
        await phone.hears(P.TO_GO_ON, P.TO_GO_ON, P.TO_GO_ON, P.GOODBYE)
        await phone.hears_the_end()

    told = call(site, caller)
    assert told.channel.left == ("SUCCESS", "")
    assert site.counts() == (1, 0), "not heard to the end"


@pytest.mark.feature_part("INBOX-04", "keys at any time")
def test_a_deleted_message_can_be_controlled_too() -> None:
    site = inbox_of(A)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        await phone.waits(4)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        phone.presses("1")
        await at_audio(phone)
        await phone.waits(4)
        phone.presses("3")
        await phone.hears(audio_of(A))
        phone.presses("7")
        await phone.hears(P.MESSAGE_RESTORED)
        phone.hangs_up()

    told = call(site, caller)
    assert begun(told.channel) == [("a", 0), ("a", 0), ("a", 1)]
    assert site.counts() == (0, 1)


# --- what is said of a message, and when


ORDERS: dict[InformationOrder, tuple[str, ...]] = {
    InformationOrder.DATE_SENDER_CONTENT: ("date", "sender", "content"),
    InformationOrder.CONTENT_DATE_SENDER: ("content", "date", "sender"),
    InformationOrder.DATE_CONTENT_SENDER: ("date", "content", "sender"),
}


@pytest.mark.feature_part("INBOX-03", "three orders, of voice messages")
@pytest.mark.parametrize("order", InformationOrder)
def test_the_site_chooses_the_order(order: InformationOrder) -> None:
    site = inbox_of(replace(A, urgent=True), information_order=order)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(P.MESSAGE_NUMBER, Number(1), P.KIND_VOICE, P.URGENT)
        await phone.hears(P.TO_REPEAT)
        phone.hangs_up()

    told = call(site, caller)
    marks = {"en/moment/today": "date", "en/from": "sender", "/listening/a": "content"}
    heard = [marks[name] for name in told.phone.heard_names() if name in marks]
    assert tuple(heard) == ORDERS[order]


@pytest.mark.parametrize("order", InformationOrder)
def test_the_skip_key_goes_from_part_to_part_in_every_order(order: InformationOrder) -> None:
    site = inbox_of(A, B, information_order=order)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_heading(phone)
        phone.presses("#")
        await at_audio(phone)
        phone.presses("#")
        if order is not InformationOrder.DATE_SENDER_CONTENT:
            await phone.hears(P.FROM)
            phone.presses("#")
        await phone.hears(P.TO_REPEAT)
        phone.presses("#")
        await at_heading(phone, 2)
        phone.hangs_up()

    call(site, caller)
    assert site.counts() == (1, 1)


@pytest.mark.parametrize("order", InformationOrder)
def test_a_key_behind_the_content_does_its_work_at_once(order: InformationOrder) -> None:
    site = inbox_of(A, B, information_order=order)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone)
        await phone.waits(SECONDS + 0.5)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        phone.hangs_up()

    call(site, caller)
    assert list(site.mailboxes.deleted["anna"]) == ["a"]


@pytest.mark.feature_part("INBOX-03", "the sender by name where it can be said, else by number")
@pytest.mark.parametrize(
    ("known", "said"),
    [
        (True, (P.FROM_NAME, Recorded("/names/carla"))),
        (False, (P.FROM, Digits("102"))),
    ],
)
def test_the_sender_is_said_by_name_or_number(*, known: bool, said: tuple[Part, ...]) -> None:
    site = inbox_of(replace(A, caller=Caller("102", "Carla Weber")))
    asked: list[tuple[User, Caller]] = []

    async def names(listener: User, sender: Caller) -> Path | None:
        asked.append((listener, sender))
        return Path("/names/carla") if known else None

    site.desk = replace(site.desk, sender_name=names)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(*said, audio_of(A), P.TO_REPEAT)
        phone.presses("9")
        await phone.hears(P.RECEIVED, *said, P.LENGTH)
        phone.hangs_up()

    told = call(site, caller)
    assert asked == [(ANNA, Caller("102", "Carla Weber"))] * 2
    assert ("en/from" in told.phone.heard_names()) is not known


# --- what others do meanwhile


@pytest.mark.feature_part("INBOX-02", "what arrives during the walk comes at its end")
def test_a_message_that_arrives_meanwhile_is_told_at_the_end() -> None:
    site = inbox_of(A)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        site.put(replace(B, urgent=True))
        phone.presses("67")  # the 7 was meant for the menu behind the list
        await phone.hears(P.NEW_MESSAGE_ARRIVED, P.MESSAGE_NUMBER, Number(2))
        await at_options(phone, B)
        phone.presses("4")
        await at_options(phone, A)
        phone.presses("66")
        await phone.hears(P.NO_MORE_MESSAGES, P.FOR_NEW_VOICE_MESSAGES)
        phone.hangs_up()

    call(site, caller)
    assert site.counts() == (0, 2)


def test_heard_messages_have_no_arrivals() -> None:
    site = inbox_of(replace(A, new=False))

    async def caller(phone: Phone) -> None:
        phone.presses("2")
        await at_options(phone)
        site.put(B)
        phone.presses("6")
        await phone.hears(P.NO_MORE_MESSAGES)
        phone.hangs_up()

    call(site, caller)


@pytest.mark.feature_part("INBOX-02", "what vanishes during the walk is passed over")
def test_previous_passes_over_what_has_vanished() -> None:
    messages = [replace(A, uid=uid) for uid in "dcba"]  # all of one second: heard as d, c, b, a
    site = inbox_of(*messages)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_heading(phone)
        phone.presses("66")
        await at_heading(phone, 3)
        site.mailboxes.lose(ANNA, "c")
        phone.presses("4")
        await phone.hears(P.MESSAGE_GONE)
        await at_options(phone, messages[0])
        phone.presses("6")
        await at_heading(phone, 3)
        await phone.hears(audio_of(messages[2]))
        phone.hangs_up()

    call(site, caller)


def test_when_all_have_vanished_the_walk_is_over() -> None:
    site = inbox_of(A, B)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone, A)
        for uid in "ab":
            site.mailboxes.lose(ANNA, uid)
        phone.presses("7")
        await phone.hears(P.MESSAGE_GONE, P.MESSAGE_GONE, P.NO_MORE_MESSAGES)
        phone.hangs_up()

    call(site, caller)
