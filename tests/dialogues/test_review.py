"""The caller thinks again about what he has said."""

import pytest

from tests.dialogues.exchange import THANKS, Exchange
from tests.dialogues.leaving import is_thanked, records
from tests.phone import Phone
from vm_ari.domain.settings import Rules
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Recorded


@pytest.mark.feature_part("CALL-07", "listen, more than once")
def test_the_caller_may_listen_as_often_as_he_likes() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        await phone.hears(P.TO_HEAR)
        [facts] = site.spool.open.values()
        mine = Recorded(str(site.spool.recording_path(facts.id, 1)))
        for _ in range(4):
            phone.presses("2")
            await phone.hears(mine)
            await phone.hears(P.TO_SEND, P.TO_HEAR)
        phone.presses("1")
        await is_thanked(phone)

    site.phone_call(caller)
    assert site.messages == [5]


@pytest.mark.feature_part("CALL-07", "record again")
def test_the_second_recording_replaces_the_first() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        await phone.hears(P.TO_REDO)
        phone.presses("3")
        await phone.hears(P.BEEP)
        await phone.speaks(9)
        phone.presses("#")
        await phone.hears(P.TO_HEAR)
        phone.presses("2")
        [facts] = site.spool.open.values()
        await phone.hears(Recorded(str(site.spool.recording_path(facts.id, 2))), P.TO_SEND)
        phone.presses("1")
        await is_thanked(phone)

    site.phone_call(caller)
    assert site.messages == [9]
    assert site.spool.takes == {}


@pytest.mark.feature_part("CALL-07", "a useless second recording leaves the first")
@pytest.mark.parametrize("seconds", [0, 1.5])
def test_a_second_recording_that_comes_to_nothing_leaves_the_first_one_under_review(
    seconds: float,
) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end="#3")
        await phone.hears(P.BEEP)
        await phone.hears(P.BEEP)
        await phone.speaks(seconds)
        phone.presses("#")
        await phone.hears(P.NOTHING_RECORDED, P.TO_SEND, P.TO_HEAR)
        phone.presses("2")
        [facts] = site.spool.open.values()
        await phone.hears(Recorded(str(site.spool.recording_path(facts.id, 1))), P.TO_SEND)
        phone.presses("1")
        await is_thanked(phone)

    site.phone_call(caller)
    assert site.messages == [5]


@pytest.mark.feature_part("CALL-07", "mark urgent, and take the mark back")
@pytest.mark.parametrize(("presses", "urgent"), [(0, False), (1, True), (2, False), (3, True)])
def test_the_urgent_mark_can_be_set_and_taken_back(presses: int, urgent: bool) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        for turn in range(presses):
            await phone.hears(P.TO_MARK_NORMAL if turn % 2 else P.TO_MARK_URGENT)
            phone.presses("4")
            await phone.hears(P.MARKED_NORMAL if turn % 2 else P.MARKED_URGENT)
        await phone.hears(P.TO_MARK_NORMAL if urgent else P.TO_MARK_URGENT)
        phone.presses("1")
        await is_thanked(phone)

    site.phone_call(caller)
    assert [message.facts.urgent for message in site.spool.kept] == [urgent]


@pytest.mark.feature_part("CALL-07", "the mark survives a new recording")
def test_an_urgent_message_stays_urgent_when_it_is_recorded_again() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end="#43")
        await phone.hears(P.BEEP)
        await phone.hears(P.BEEP)
        await phone.speaks(6)
        phone.presses("#")
        await phone.hears(P.TO_MARK_NORMAL)
        phone.hangs_up()

    site.phone_call(caller)
    assert [(m.seconds, m.facts.urgent) for m in site.spool.kept] == [(6, True)]


def test_a_mark_that_the_disk_refuses_costs_the_mark_not_the_message() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        await phone.hears(P.TO_MARK_URGENT)
        site.spool.refuses.add("begin")
        phone.presses("4")
        await phone.hears(P.NOT_DONE, P.TO_SEND, P.TO_MARK_URGENT)
        phone.presses("1")
        await is_thanked(phone)

    site.phone_call(caller)
    assert [message.facts.urgent for message in site.spool.kept] == [False]


@pytest.mark.feature_part("CALL-07", "silence in the review sends the message")
@pytest.mark.feature_part("MENU-03", "three empty inputs end politely")
def test_three_silences_in_the_review_send_the_message() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        await phone.hears(P.TO_SEND, P.PLEASE_CHOOSE, P.TO_SEND, P.PLEASE_CHOOSE, P.TO_SEND)
        await is_thanked(phone)

    told = site.phone_call(caller)
    assert site.messages == [5]
    assert told.channel.left == ("SUCCESS", "")
    assert told.phone.heard_names()[-1] == THANKS


@pytest.mark.feature_part("MENU-03", "three wrong inputs end politely")
def test_three_wrong_keys_in_the_review_send_the_message() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end="#777")
        await is_thanked(phone)

    told = site.phone_call(caller)
    assert site.messages == [5]
    assert told.channel.left == ("SUCCESS", "")


def test_a_site_without_review_thanks_at_once() -> None:
    site = Exchange(rules=Rules(caller_may_review=False))

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        await is_thanked(phone)

    told = site.phone_call(caller)
    assert told.phone.heard_names() == ["tones/beep", THANKS]
    assert site.messages == [5]


@pytest.mark.feature_part("MENU-03", "the whole review can be typed ahead")
def test_everything_can_be_typed_ahead_behind_the_hash_key() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end="#421")
        await is_thanked(phone)

    told = site.phone_call(caller)
    assert [message.facts.urgent for message in site.spool.kept] == [True]
    assert told.phone.heard_names() == ["tones/beep", THANKS]


def test_the_caller_is_thanked_though_he_pressed_the_send_key_twice() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end="#11")
        await phone.hears(P.THANK_YOU_GOODBYE)
        phone.presses("1")
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.seconds == pytest.approx(1 + 5 + 1)
