"""After the tone: what ends the recording, and what is worth keeping."""

import pytest

from tests.dialogues.exchange import CALLER, THANKS, Exchange
from tests.dialogues.leaving import NOTHING, is_thanked, records
from tests.phone import Phone
from vm_ari.domain.recording import Limits
from vm_ari.domain.settings import Rules
from vm_ari.speech.catalogue import P


@pytest.mark.feature_part("CALL-06", "the hash key ends the recording and is not part of it")
def test_a_message_is_recorded_sent_and_thanked_for() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.LEAVE_A_MESSAGE, P.BEEP)
        await phone.speaks(7)
        phone.presses("#")
        await phone.hears(P.TO_SEND)
        phone.presses("1")
        await is_thanked(phone)

    told = site.phone_call(caller)
    [message] = site.spool.kept
    assert message.seconds == 7
    assert (message.facts.user_id, message.facts.called) == ("anna", "101")
    assert (message.facts.caller, message.facts.channel_id) == (CALLER, "fake-1")
    assert (message.facts.urgent, message.partial) == (False, False)
    assert told.channel.left == ("SUCCESS", "")
    assert site.deliveries_asked == 1


@pytest.mark.feature_part("CALL-06", "silence ends the recording")
def test_silence_ends_the_recording_and_leads_to_the_review() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(5)
        await phone.hears(P.TO_SEND)
        phone.presses("1")
        await is_thanked(phone)

    told = site.phone_call(caller)
    assert site.messages == [pytest.approx(5, abs=0.5)]
    assert told.seconds == pytest.approx(1 + 5 + 8 + 1, abs=0.2)


@pytest.mark.feature_part("CALL-06", "the longest time, and a beep before it")
def test_a_beep_warns_before_the_longest_time_is_over() -> None:
    site = Exchange(rules=Rules(limits=Limits(longest=60)))
    warned = []

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        for _ in range(65):
            await phone.speaks(1)
            warned.append(phone.whispered_names())
            if not phone.is_being_recorded():
                break
        await phone.hears(P.TO_SEND)
        phone.presses("1")
        await is_thanked(phone)

    site.phone_call(caller)
    beep = ["tones/warning-beep"]
    assert warned.index(beep) in (48, 49, 50)
    assert all(names == beep for names in warned[51:])
    assert site.messages == [60]


@pytest.mark.feature_part("CALL-06", "a short limit has no room for a warning")
def test_a_short_limit_has_no_room_for_a_warning() -> None:
    site = Exchange(rules=Rules(limits=Limits(longest=20)))

    async def caller(phone: Phone) -> None:
        await records(phone, 25, end="1")
        await is_thanked(phone)

    told = site.phone_call(caller)
    assert told.phone.whispered_names() == []
    assert site.messages == [20]


@pytest.mark.feature_part("CALL-06", "shorter or silent recordings are discarded")
@pytest.mark.parametrize(("seconds", "kept"), [(0, []), (1.9, []), (2.0, [2.0]), (2.1, [2.1])])
def test_what_is_too_short_is_discarded(seconds: float, kept: list[float]) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await records(phone, seconds, end="#1")
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert site.messages == [pytest.approx(length) for length in kept]
    assert told.phone.heard_names()[1:] == ([THANKS] if kept else NOTHING)
    assert told.channel.left == ("SUCCESS", "")
    assert site.spool.open == {}
    assert site.spool.takes == {}
    assert site.deliveries_asked == len(kept)


@pytest.mark.feature_part("CALL-06", "shorter or silent recordings are discarded")
@pytest.mark.parametrize("hash_key", [True, False])
def test_silence_alone_is_no_message(hash_key: bool) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.is_recorded()
        await phone.waits(5)
        if hash_key:
            phone.presses("#")
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert site.messages == []
    assert site.spool.open == {}
    assert told.phone.heard_names()[1:] == NOTHING


def test_keys_pressed_while_talking_are_no_answers() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        for keys in ("1", "23", "1*"):
            await phone.speaks(2)
            phone.presses(keys)
        phone.presses("#")
        await phone.hears(P.TO_SEND, P.TO_MARK_URGENT)
        phone.presses("1")
        await is_thanked(phone)

    told = site.phone_call(caller)
    assert "en/key-not-used" not in told.phone.heard_names()
    assert site.messages == [6]


def test_a_dead_microphone_ends_the_call_though_asterisk_does_not_notice() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.sends_no_audio()
        phone.presses("0")
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.phone.heard_names()[1:] == NOTHING
    assert site.spool.open == {}
    assert told.seconds < 20
