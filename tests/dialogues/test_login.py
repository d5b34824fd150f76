"""The owner logs in: from a greeting, and by the number for remote inquiry."""

from dataclasses import replace

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, BERT, PIN, Exchange, audio_of, message, tell
from tests.phone import Phone
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK
from vm_ari.domain.preferences import Access
from vm_ari.domain.settings import Rules
from vm_ari.services.logins import ANSWER_STEP
from vm_ari.speech.catalogue import P

RIGHT, WRONG = f"{PIN}#", "999999#"
FAILED, BYE = "en/login-failed", "en/goodbye"


async def gets_in(phone: Phone) -> None:
    await phone.hears(P.YOU_HAVE, P.FOR_NEW_VOICE_MESSAGES)
    phone.presses("#")
    await phone.hears(P.GOODBYE)
    await phone.hears_the_end()


# --- ways in


@pytest.mark.feature_part("CALL-03", "* asks for the PIN")
def test_from_the_greeting_only_the_pin_is_asked_for() -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED)
        phone.presses("*")
        await phone.hears(P.ENTER_PIN)
        phone.presses(RIGHT)
        await gets_in(phone)

    told = Exchange().phone_call(caller)
    assert "en/enter-mailbox" not in told.phone.heard_names()
    assert told.channel.left == ("SUCCESS", "")


@pytest.mark.feature_part("CALL-08", "a direct call asks for mailbox number and PIN")
def test_a_direct_call_asks_for_mailbox_and_pin() -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_MAILBOX)
        phone.presses("101#")
        await phone.hears(P.ENTER_PIN)
        phone.presses(RIGHT)
        await gets_in(phone)

    told = Exchange().phone_call(caller, dialled="", purpose="login")
    assert told.channel.answered
    assert told.channel.left == ("SUCCESS", "")


def test_a_direct_call_for_a_mailbox_asks_for_its_pin_in_its_language() -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        phone.presses(RIGHT)
        await gets_in(phone)

    told = Exchange().phone_call(caller, dialled="102", purpose="login", code="de")
    assert told.phone.heard_names()[0] == "de/enter-pin"


def test_a_direct_call_for_a_mailbox_that_does_not_exist_asks_for_another() -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_MAILBOX)
        phone.presses("101#" + RIGHT)
        await gets_in(phone)

    Exchange().phone_call(caller, dialled="199", purpose="login")


@pytest.mark.feature_part("LANG-01", "the menu speaks the user's language")
def test_after_the_login_the_menu_speaks_the_users_language() -> None:
    async def caller(phone: Phone) -> None:
        phone.presses("102#" + RIGHT)
        await gets_in(phone)

    told = Exchange().phone_call(caller, dialled="", purpose="login", code="de")
    assert all(name.startswith("de/") for name in told.phone.heard_names())


def test_the_star_key_goes_back_from_the_pin_to_the_mailbox_number() -> None:
    async def caller(phone: Phone) -> None:
        phone.presses("102#")
        await phone.hears(P.ENTER_PIN)
        phone.presses("*")
        await phone.hears(P.ENTER_MAILBOX)
        phone.presses("101#" + RIGHT)
        await gets_in(phone)

    site = Exchange()
    site.phone_call(caller, dialled="", purpose="login")
    assert site.directory.failures.get(BERT.id, 0) == 0


@pytest.mark.parametrize("dialled", ["", "101"])
def test_the_star_key_at_the_first_question_ends_the_call(dialled: str) -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN if dialled else P.ENTER_MAILBOX)
        phone.presses("*")
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = Exchange().phone_call(caller, dialled=dialled, purpose="login")
    assert told.channel.left == ("SUCCESS", "")


@pytest.mark.feature_part("MENU-03", "keys typed ahead pass the login in silence")
def test_mailbox_pin_and_menu_can_be_typed_ahead_in_silence() -> None:
    site = Exchange()
    site.put(message("a"))

    async def caller(phone: Phone) -> None:
        phone.presses(f"101#{PIN}#1")
        await phone.hears(audio_of(message("a")))
        phone.hangs_up()

    told = site.phone_call(caller, dialled="", purpose="login")
    assert told.phone.heard_names()[0] == "en/message-number"


@pytest.mark.feature_part("MENU-03", "a number needs no hash key")
def test_a_pause_ends_a_number_like_the_hash_key() -> None:
    async def caller(phone: Phone) -> None:
        for keys in ("101", PIN):
            for key in keys:
                phone.presses(key)
                await phone.waits(0.8)
            await phone.waits(3)
        await gets_in(phone)

    Exchange().phone_call(caller, dialled="", purpose="login")


# --- those who do not get in


@pytest.mark.feature_part("LOGIN-03", "wrong PINs are counted")
@pytest.mark.parametrize("dialled", ["", "101"])
def test_three_wrong_pins_end_the_call(dialled: str) -> None:
    site = Exchange()
    typed = WRONG if dialled else "101#" + WRONG

    async def caller(phone: Phone) -> None:
        for _ in range(3):
            phone.presses(typed)
            await phone.hears(P.LOGIN_FAILED)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = site.phone_call(caller, dialled=dialled, purpose="login")
    assert site.directory.failures == {"anna": 3}
    assert told.phone.heard_names().count(FAILED) == 3
    assert told.channel.left == ("SUCCESS", "")


@pytest.mark.feature_part("LOGIN-03", "the right PIN after wrong ones")
def test_the_right_pin_may_come_late() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("*" + WRONG)
        await phone.hears(P.LOGIN_FAILED, P.ENTER_PIN)
        phone.presses(WRONG)
        await phone.hears(P.LOGIN_FAILED, P.ENTER_PIN)
        phone.presses(RIGHT)
        await gets_in(phone)

    site.phone_call(caller)
    assert site.directory.failures == {"anna": 0}


@pytest.mark.feature_part("LOGIN-03", "digits are cleared after a wrong PIN")
def test_what_was_typed_behind_a_wrong_pin_is_forgotten() -> None:
    site = Exchange()
    site.put(message("a"))

    async def caller(phone: Phone) -> None:
        phone.presses(f"*999999#{WRONG}17")
        await phone.hears(P.LOGIN_FAILED, P.ENTER_PIN)
        await phone.waits(0.5)
        assert site.directory.failures == {"anna": 1}
        phone.presses(RIGHT)
        await phone.hears(P.YOU_HAVE)
        phone.hangs_up()

    told = site.phone_call(caller)
    assert told.phone.heard_names() == [FAILED, "en/enter-pin", "en/you-have"]


@pytest.mark.feature_part("LOGIN-03", "locked after five wrong PINs")
def test_a_locked_mailbox_says_so_to_who_dialled_it() -> None:
    site = Exchange()

    async def guesses(phone: Phone) -> None:
        phone.presses("*")
        for _ in range(3):
            await phone.hears(P.ENTER_PIN)
            phone.presses(WRONG)
        await phone.hears_the_end()

    async def knows_it(phone: Phone) -> None:
        phone.presses("*" + RIGHT + "11")
        await phone.hears(P.LOGIN_LOCKED, P.GOODBYE)
        await phone.hears_the_end()

    async def story() -> None:
        await site.call(guesses)
        told = await site.call(guesses)
        assert told.phone.heard_names()[-2:] == ["en/login-locked", BYE]
        assert site.directory.failures == {"anna": FAILURES_BEFORE_LOCK}
        told = await site.call(knows_it)
        assert told.phone.heard_names() == ["en/login-locked", BYE]

    tell(story())


@pytest.mark.feature_part("LOGIN-03", "nobody learns from a login which mailboxes there are")
def test_unknown_wrong_locked_and_forbidden_mailboxes_are_all_answered_alike() -> None:
    users = (ANNA, BERT, replace(ANNA, id="max", mailbox="103", numbers=(), access=Access.NONE))
    heard = {}

    async def story() -> None:
        site = Exchange(users=users)
        site.directory.failures["bert"] = FAILURES_BEFORE_LOCK
        for mailbox, pin in [("199", PIN), ("101", "999999"), ("102", PIN), ("103", PIN)]:

            async def caller(phone: Phone, typed: str = f"{mailbox}#{pin}#") -> None:
                for _ in range(3):
                    await phone.hears(P.ENTER_MAILBOX)
                    phone.presses(typed)
                await phone.hears_the_end()

            told = await site.call(caller, dialled="", purpose="login")
            heard[mailbox] = (told.phone.heard_names(), told.seconds)

    tell(story())
    question = "en/enter-mailbox"
    assert set(heard) == {"199", "101", "102", "103"}
    for names, seconds in heard.values():
        assert names == [question, FAILED, question, FAILED, question, FAILED, BYE]
        assert seconds == pytest.approx(4 + 3 * ANSWER_STEP)


@pytest.mark.feature_part("LOGIN-01", "no telephone login")
@pytest.mark.parametrize(("purpose", "keys"), [("leave", "*1"), ("login", "")])
def test_who_may_not_log_in_is_told_before_he_types_his_pin(purpose: str, keys: str) -> None:
    site = Exchange(users=(replace(ANNA, access=Access.NONE),))

    async def caller(phone: Phone) -> None:
        phone.presses(keys)
        await phone.hears(P.LOGIN_NOT_POSSIBLE, P.GOODBYE)
        await phone.hears_the_end()

    told = site.phone_call(caller, purpose=purpose)
    assert "en/enter-pin" not in told.phone.heard_names()
    assert site.directory.failures == {}


@pytest.mark.feature_part("MENU-03", "three empty inputs end politely")
@pytest.mark.parametrize(("dialled", "question"), [("", P.ENTER_MAILBOX), ("101", P.ENTER_PIN)])
def test_who_types_nothing_is_asked_three_times(dialled: str, question: P) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await phone.hears_the_end()

    told = site.phone_call(caller, dialled=dialled, purpose="login")
    assert told.phone.heard_names() == [f"en/{question}"] * 3 + [BYE]
    assert told.channel.left == ("SUCCESS", "")
    assert site.directory.failures == {}


@pytest.mark.feature_part("MENU-03", "an empty number is asked for again")
def test_the_hash_key_alone_is_no_pin() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        phone.presses("#")
        await phone.hears(P.KEY_NOT_USED, P.ENTER_PIN)
        phone.presses(RIGHT)
        await gets_in(phone)

    site.phone_call(caller, dialled="101", purpose="login")
    assert site.directory.failures == {"anna": 0}


# --- when something is down


@pytest.mark.feature_part("LOGIN-03", "a directory that is down is not counted")
@pytest.mark.parametrize("dialled", ["", "101"])
def test_a_directory_that_is_down_is_not_the_users_fault(dialled: str, logs: Logs) -> None:
    site = Exchange()
    site.directory.unavailable = True

    async def caller(phone: Phone) -> None:
        phone.presses("101#" + RIGHT)
        await phone.hears(P.TECHNICAL_PROBLEM)
        await phone.hears_the_end()

    told = site.phone_call(caller, dialled=dialled, purpose="login")
    assert told.channel.left == ("FAILED", "")
    assert site.directory.failures == {}
    assert [entry["log_level"] for entry in logs if entry["event"] != "greeting"] == ["warning"]


@pytest.mark.feature_part("LOGIN-03", "a directory that is down is not counted")
def test_nor_if_it_goes_down_while_the_pin_is_typed() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("*")
        await phone.hears(P.ENTER_PIN)
        site.directory.unavailable = True
        phone.presses(WRONG)
        await phone.hears(P.TECHNICAL_PROBLEM)
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.channel.left == ("FAILED", "")
    assert site.directory.failures == {}


def test_the_star_key_works_again_when_the_directory_is_back() -> None:
    site = Exchange(rules=Rules())
    site.directory.unavailable = True

    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED)
        site.directory.unavailable = False
        phone.presses("*")
        await phone.hears(P.ENTER_MAILBOX)
        phone.presses("101#" + RIGHT)
        await gets_in(phone)

    site.phone_call(caller)


@pytest.mark.feature_part("INBOX-02", "a mailbox that is down")
def test_a_mailbox_that_is_down_is_told_after_the_login(logs: Logs) -> None:
    site = Exchange()
    site.mailboxes.unavailable = True

    async def caller(phone: Phone) -> None:
        phone.presses("*" + RIGHT + "1")
        await phone.hears(P.MAILBOX_UNAVAILABLE, P.GOODBYE)
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.channel.left == ("SUCCESS", "")
    assert site.lamps.shown == {}
    assert [entry["log_level"] for entry in logs if entry["event"] != "greeting"] == ["warning"]


# --- what is written down


@pytest.mark.feature_part("LOGIN-09", "a failed login is logged with caller and mailbox")
@pytest.mark.feature_part("LOGIN-08", "no PIN reaches a log")
def test_a_failed_login_is_logged_without_the_pin(logs: Logs) -> None:
    async def caller(phone: Phone) -> None:
        phone.presses("101#" + WRONG)
        await phone.hears(P.LOGIN_FAILED)
        phone.presses("199#" + RIGHT)
        await phone.hears(P.LOGIN_FAILED)
        phone.hangs_up()

    Exchange().phone_call(caller, dialled="", purpose="login")
    failures = [entry for entry in logs if entry["event"] == "login failed"]
    assert [(entry["caller"], entry["mailbox"]) for entry in failures] == [
        ("+49301234567", "101"),
        ("+49301234567", "199"),
    ]
    assert "999999" not in str(logs)
    assert PIN not in str(logs)
