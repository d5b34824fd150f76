"""The verbs of a call, on the virtual clock."""

import pytest

from tests.phone import Phone, phone_call
from vm_ari.domain.recording import Ending, Limits
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.dtmf import Back, number_until_hash


def test_a_key_stops_the_prompt_and_answers_the_question() -> None:
    answers = []

    async def script(call: Call) -> None:
        answers.append(await call.ask((P.ENTER_PIN, P.GOODBYE), {"1": "one"}))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        await phone.waits(0.3)
        phone.presses("1")

    told = phone_call(script, caller)
    assert answers == ["one"]
    assert told.phone.heard_names() == ["en/enter-pin"]
    assert told.seconds == pytest.approx(0.3)


def test_keys_typed_ahead_pass_several_menus_in_silence() -> None:
    answers = []

    async def script(call: Call) -> None:
        for _ in range(3):
            answers.append(await call.ask((P.ENTER_PIN,), {"1": 1, "2": 2, "3": 3}))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        phone.presses("123")

    assert phone_call(script, caller).phone.heard_names() == ["en/enter-pin"]
    assert answers == [1, 2, 3]


def test_three_useless_inputs_end_the_question() -> None:
    async def script(call: Call) -> None:
        with pytest.raises(NoAnswer):
            await call.ask((P.ENTER_PIN,), {"1": 1})

    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        phone.presses("7")
        await phone.hears(P.KEY_NOT_USED, P.ENTER_PIN)
        await phone.hears(P.PLEASE_CHOOSE, P.ENTER_PIN, P.PLEASE_CHOOSE)

    phone_call(script, caller)


def test_hang_up_is_raised_where_the_script_talks() -> None:
    raised = []

    async def script(call: Call) -> None:
        await call.say(P.GOODBYE)
        with pytest.raises(CallerHungUp):
            await call.say(P.GOODBYE)
        raised.append(True)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.GOODBYE)
        phone.hangs_up()

    phone_call(script, caller)
    assert raised == [True]


def test_a_number_ends_with_hash_or_a_pause() -> None:
    numbers = []

    async def script(call: Call) -> None:
        numbers.append(await call.collect((P.ENTER_PIN,), number_until_hash()))
        numbers.append(await call.collect((P.ENTER_PIN,), number_until_hash()))
        numbers.append(await call.collect((P.ENTER_PIN,), number_until_hash()))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        phone.presses("123456#")
        await phone.hears(P.ENTER_PIN)
        phone.presses("42")
        await phone.hears(P.ENTER_PIN)
        phone.presses("*")

    phone_call(script, caller)
    assert numbers == ["123456", "42", Back.BACK]


LIMITS = Limits(longest=60, silence=8)


@pytest.mark.parametrize(
    ("ends", "ending"),
    [("key", Ending.KEY), ("hang-up", Ending.HANG_UP), ("silence", Ending.SILENCE)],
)
def test_record_returns_however_it_ends(ends: str, ending: Ending) -> None:
    endings = []

    async def script(call: Call) -> None:
        endings.append(await call.record("r", LIMITS))

    async def caller(phone: Phone) -> None:
        await phone.speaks(5)
        match ends:
            case "key":
                phone.presses("#")
            case "hang-up":
                phone.hangs_up()
            case _:
                await phone.waits(20)

    told = phone_call(script, caller)
    assert endings == [ending]
    assert told.channel.takes["r"].speech_seconds == pytest.approx(5)


def test_the_end_key_is_swallowed_and_later_keys_are_kept() -> None:
    answers = []

    async def script(call: Call) -> None:
        await call.record("r", LIMITS)
        answers.append(await call.ask((P.ENTER_PIN,), {"1": 1, "#": "hash"}))

    async def caller(phone: Phone) -> None:
        await phone.speaks(3)
        phone.presses("5#1")

    told = phone_call(script, caller)
    assert answers == [1]
    assert told.phone.heard_names() == []


def test_a_beep_warns_before_the_longest_recording_ends() -> None:
    endings = []

    async def script(call: Call) -> None:
        endings.append(await call.record("r", LIMITS))

    async def caller(phone: Phone) -> None:
        await phone.speaks(49)
        assert phone.whispered_names() == []
        await phone.speaks(2)
        assert phone.whispered_names() == ["tones/warning-beep"]
        await phone.speaks(20)

    phone_call(script, caller)
    assert endings == [Ending.LIMIT]


def test_our_own_timer_ends_a_recording_that_asterisk_forgets() -> None:
    endings = []

    async def script(call: Call) -> None:
        endings.append(await call.record("r", LIMITS))

    async def caller(phone: Phone) -> None:
        phone.sends_no_audio()
        await phone.is_recorded()

    told = phone_call(script, caller)
    assert endings == [Ending.SILENCE]
    assert told.seconds < 15
