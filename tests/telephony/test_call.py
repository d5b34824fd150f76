"""The verbs of a call, on the virtual clock."""

import asyncio

import pytest

from tests.clock import run_virtually
from tests.fake_channel import FakeChannel
from tests.phone import Phone, on_the_phone, phone_call
from vm_ari.domain.recording import Limits
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer, Timers
from vm_ari.telephony.channel import LineFault
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
        await phone.hears(P.PLEASE_CHOOSE, P.ENTER_PIN)

    told = phone_call(script, caller)
    assert told.phone.heard_names()[-1] == "en/enter-pin"


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


def test_nothing_to_say_says_nothing() -> None:
    async def script(call: Call) -> None:
        assert not await call.say()
        assert await call.say(P.GOODBYE)

    told = phone_call(script, Phone.hears_the_end)
    assert told.seconds == 1


def test_a_prompt_tells_whether_it_was_to_be_heard() -> None:
    begun = []

    async def script(call: Call) -> None:
        begun.append(await call.say(P.GOODBYE, P.GOODBYE))
        begun.append(await call.say(P.GOODBYE))

    async def caller(phone: Phone) -> None:
        await phone.waits(0.2)
        phone.presses("1")

    phone_call(script, caller)
    assert begun == [True, False]


def test_the_second_question_may_be_another_than_the_first() -> None:
    async def script(call: Call) -> None:
        assert await call.ask((), {"1": 1}, again=(P.FOR_OPTIONS,)) == 1

    async def caller(phone: Phone) -> None:
        await phone.waits(4.9)
        assert phone.heard_names() == []
        await phone.hears(P.PLEASE_CHOOSE, P.FOR_OPTIONS)
        phone.presses("2")
        await phone.hears(P.KEY_NOT_USED, P.FOR_OPTIONS)
        phone.presses("1")

    phone_call(script, caller)


def test_a_silent_person_is_asked_for_a_number_again_without_a_reproach() -> None:
    async def script(call: Call) -> None:
        with pytest.raises(NoAnswer):
            await call.collect((P.ENTER_PIN,), number_until_hash())

    told = phone_call(script, Phone.hears_the_end)
    assert told.phone.heard_names() == ["en/enter-pin"] * 3
    assert told.seconds == pytest.approx(3 * (1 + Timers().first_key))


def test_a_number_must_come_to_an_end() -> None:
    numbers = []

    async def script(call: Call) -> None:
        numbers.append(await call.collect((P.ENTER_PIN,), number_until_hash(longest=99)))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        for _ in range(40):
            phone.presses("1")
            await phone.waits(1)

    phone_call(script, caller)
    assert numbers == ["1" * 30]


def test_last_words_are_heard_whatever_was_and_is_typed() -> None:
    async def script(call: Call) -> None:
        await call.say(P.PLEASE_CHOOSE)
        await call.last_words(P.MESSAGE_SENT, P.GOODBYE)

    async def caller(phone: Phone) -> None:
        phone.presses("123")
        await phone.hears(P.MESSAGE_SENT)
        phone.presses("456")
        await phone.hears_the_end()

    told = phone_call(script, caller)
    assert told.phone.heard_names() == ["en/message-sent", "en/goodbye"]
    assert told.seconds == 2


def test_forgotten_keys_answer_nothing_though_nobody_has_read_them_yet() -> None:
    async def script(call: Call) -> None:
        assert await call.ask((P.ENTER_PIN,), {"1": 1}) == 1
        await call.forget_keys()
        assert await call.ask((P.ENTER_PIN,), {"2": 2, "3": 3}) == 3

    async def caller(phone: Phone) -> None:
        phone.presses("12")
        await phone.hears(P.ENTER_PIN)
        phone.presses("3")

    phone_call(script, caller)


def test_an_end_that_is_reported_before_the_hang_up_is_not_taken_for_listening() -> None:
    stayed = []

    async def script(call: Call) -> None:
        await call.say(P.GOODBYE)
        stayed.append(False)
        await call.stays()
        stayed.append(True)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.GOODBYE)
        await phone.waits(0.5)
        phone.hangs_up()

    phone_call(script, caller)
    assert stayed == [False]


def test_a_playback_whose_end_nobody_reports_is_over_in_the_end() -> None:
    channel = FakeChannel()
    channel.reports_ends = False

    async def script(call: Call) -> None:
        await call.say(P.GOODBYE)
        await call.say(P.ENTER_PIN)

    told = run_virtually(on_the_phone(script, Phone.hears_the_end, channel=channel))
    assert told.phone.heard_names() == ["en/goodbye", "en/enter-pin"]
    assert told.seconds == 10


@pytest.mark.parametrize("verb", ["record", "play", "answer"])
def test_a_command_that_the_telephone_system_refuses_is_a_fault_of_the_line(verb: str) -> None:
    channel = FakeChannel()
    channel.refuses = {verb}

    async def everything(call: Call) -> None:
        await call.answer()
        await call.say(P.GOODBYE)
        await call.record("r", Limits())

    async def script(call: Call) -> None:
        with pytest.raises(LineFault):
            await everything(call)

    run_virtually(on_the_phone(script, Phone.hears_the_end, channel=channel))


def test_commands_after_the_hang_up_say_that_he_has_hung_up() -> None:
    async def script(call: Call) -> None:
        for verb in (call.answer(), call.say(P.GOODBYE), call.record("r", Limits()), call.stays()):
            with pytest.raises(CallerHungUp):
                await verb
        await call.leave("SUCCESS")

    async def caller(phone: Phone) -> None:
        phone.hangs_up()

    async def late(call: Call) -> None:
        await asyncio.sleep(1)
        await script(call)

    told = phone_call(late, caller)
    assert told.channel.left is None
