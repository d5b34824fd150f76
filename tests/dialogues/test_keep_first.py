"""Keep first, thank later: what the caller is told is so."""

import asyncio
from dataclasses import replace

import pytest

from tests.dialogues.exchange import ANNA, THANKS, Exchange, tell
from tests.dialogues.leaving import (
    NOT_STORED,
    being_recorded,
    is_thanked,
    left_for_adoption,
    records,
)
from tests.phone import Phone
from vm_ari.domain.recording import Limits, Take
from vm_ari.domain.settings import Rules
from vm_ari.speech.catalogue import P


@pytest.mark.feature_part("CALL-10", "thanks only for what is safe")
@pytest.mark.parametrize("after", ["#1", "#", "#777"])
def test_the_message_is_safe_before_the_caller_is_thanked(after: str) -> None:
    site = Exchange()
    site.spool.seconds = 5

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end=after)
        await phone.hears(P.THANK_YOU_GOODBYE)
        assert site.messages == [5]
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.phone.heard_names()[-1] == THANKS
    assert told.seconds > 5 + 5 + 5


def test_the_facts_are_safe_before_the_tone() -> None:
    site = Exchange()
    site.spool.seconds = 5

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.waits(4.9)
        assert phone.heard_names() == []
        assert site.spool.open == {}
        await phone.hears(P.BEEP)
        assert [facts.called for facts in site.spool.open.values()] == ["101"]
        phone.hangs_up()

    site.phone_call(caller)


def test_a_full_disk_is_told_before_the_tone() -> None:
    site = Exchange()
    site.spool.refuses = {"begin"}

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.phone.heard_names() == NOT_STORED
    assert told.channel.left == ("FAILED", "")
    assert site.deliveries_asked == 0


@pytest.mark.parametrize("end", ["#1", "#", "#777"])
def test_nobody_is_thanked_for_what_the_disk_did_not_keep(end: str) -> None:
    site = Exchange()
    site.spool.refuses = {"keep"}

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end=end)
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.phone.heard_names()[-2:] == NOT_STORED
    assert THANKS not in told.phone.heard_names()
    assert site.messages == []
    assert tell(left_for_adoption(site)) == [[1]]
    assert site.deliveries_asked == 0


@pytest.mark.parametrize("refused", ["inspect", "keep"])
def test_what_the_disk_did_not_keep_at_the_hang_up_stays_for_a_later_try(refused: str) -> None:
    site = Exchange()
    site.spool.refuses = {refused}

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(5)
        phone.hangs_up()

    site.phone_call(caller)
    assert tell(left_for_adoption(site)) == [[1]]


def test_a_recording_that_cannot_be_looked_at_is_left_alone() -> None:
    site = Exchange()
    site.spool.refuses = {"inspect"}

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.phone.heard_names()[1:] == NOT_STORED
    assert tell(left_for_adoption(site)) == [[1]]


def test_a_recording_that_is_no_audio_is_set_aside_and_the_caller_told() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(5)
        site.spool.unreadable.add(being_recorded(site))
        phone.presses("#")
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.phone.heard_names()[1:] == NOT_STORED
    assert len(site.spool.corrupt) == 1
    assert site.spool.open == {}


def test_a_full_recording_disk_is_told_though_asterisk_reports_success() -> None:
    site = Exchange()
    line = site.line()
    line.disk_full = True

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(4)
        await line.stop_recording(being_recorded(site))
        await phone.hears_the_end()

    told = site.phone_call(caller, line=line)
    assert told.phone.heard_names()[1:] == NOT_STORED
    assert site.messages == []


def test_what_a_fault_cut_short_is_kept_and_marked_partial() -> None:
    site = Exchange()
    line = site.line()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(1.5)
        await line.stop_recording(being_recorded(site))
        await phone.hears(P.RECORDING_INTERRUPTED, P.TO_SEND)
        phone.presses("1")
        await is_thanked(phone)

    site.phone_call(caller, line=line)
    assert [(message.seconds, message.partial) for message in site.spool.kept] == [(1.5, True)]


@pytest.mark.parametrize("end", ["", "#"])
def test_what_found_no_room_is_kept_however_short_and_marked_partial(end: str) -> None:
    """Asterisk noticed nothing: the caller ended it before the next write to the full disk."""
    site = Exchange()
    line = site.line()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(1.5)
        site.spool.cut_short.add(being_recorded(site))
        if end:
            phone.presses(end)
            await phone.hears(P.RECORDING_INTERRUPTED, P.TO_SEND)
            phone.presses("1")
            await is_thanked(phone)
        else:
            phone.hangs_up()

    site.phone_call(caller, line=line)
    assert [(message.seconds, message.partial) for message in site.spool.kept] == [(1.5, True)]
    assert [entry.partial for entry in site.noted()] == [True]


def test_a_dialogue_that_breaks_leaves_the_recording_to_the_adoption() -> None:
    site = Exchange()
    line = site.line()

    async def caller(phone: Phone) -> None:
        await records(phone, 5)
        await phone.hears(P.TO_SEND)
        line.refuses = {"play"}
        phone.presses("2")
        await phone.hears_the_end()

    told = site.phone_call(caller, line=line)
    assert told.channel.left == ("FAILED", "")
    assert THANKS not in told.phone.heard_names()
    assert tell(left_for_adoption(site)) == [[1]]
    assert list(site.spool.takes.values()) == [Take(5, 5)]


def test_a_warning_beep_that_fails_does_not_cost_the_message() -> None:
    site = Exchange(rules=Rules(limits=Limits(longest=40)))
    line = site.line()
    line.refuses = {"whisper"}

    async def caller(phone: Phone) -> None:
        await records(phone, 35, end="#1")
        await is_thanked(phone)

    site.phone_call(caller, line=line)
    assert site.messages == [35]


def test_two_callers_at_once_leave_two_messages() -> None:
    site = Exchange(users=(replace(ANNA),))

    async def caller(phone: Phone) -> None:
        await records(phone, 5, end="#1")
        await is_thanked(phone)

    async def both() -> None:
        await asyncio.gather(site.call(caller), site.call(caller))

    tell(both())
    assert site.messages == [5, 5]
    assert len({message.facts.id for message in site.spool.kept}) == 2
