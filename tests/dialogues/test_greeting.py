"""A caller hears the greeting, and what he can do then."""

from dataclasses import replace

import pytest

from tests.dialogues.exchange import ANNA, BERT, THANKS, Exchange, audio_of, message
from tests.phone import Phone
from vm_ari.domain.numbers import Site
from vm_ari.domain.settings import NumberStyle, Rules
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits

BERLIN = Site("DE", "+4930555")
PAULA = replace(ANNA, numbers=("+4930555101", "+4915112345678"), mailbox="+4930555101")
SWITCHED_OFF = replace(ANNA, voice_mail_enabled=False)
ANNOUNCES = replace(ANNA, takes_messages=False)
SPELT_101 = ["en/digits/1", "en/digits/0", "en/digits/1"]
SPELT_PAULA = ["en/digits/plus", *(f"en/digits/{digit}" for digit in "4930555101")]


async def only_listens(phone: Phone) -> None:
    await phone.hears_the_end()


async def says_something(phone: Phone) -> None:
    await phone.speaks(3)
    phone.hangs_up()


@pytest.mark.feature_part("CALL-01", "the owner is who was dialled")
def test_a_message_is_for_the_owner_of_the_number_that_was_dialled() -> None:
    bert = replace(BERT, numbers=("+4930555102",))
    site = Exchange(users=(PAULA, bert), rules=Rules(site=BERLIN))
    site.phone_call(says_something, dialled="101")
    site.phone_call(says_something, dialled="0151 12345678")
    site.phone_call(says_something, dialled="102", code="de")
    kept = site.spool.kept
    assert [message.facts.user_id for message in kept] == ["anna", "anna", "bert"]
    assert len({message.facts.message_id for message in kept}) == 3
    assert site.deliveries_asked == 3


@pytest.mark.feature_part("GREET-06", "the number as extension or in full")
@pytest.mark.parametrize("dialled", ["101", "+4930555101"])
@pytest.mark.parametrize(
    ("style", "spelt"),
    [(NumberStyle.EXTENSION, SPELT_101), (NumberStyle.INTERNATIONAL, SPELT_PAULA)],
)
def test_the_greeting_says_the_number_as_the_site_wants_it(
    dialled: str, style: NumberStyle, spelt: list[str]
) -> None:
    site = Exchange(users=(replace(PAULA, number_style=style),), rules=Rules(site=BERLIN))
    told = site.phone_call(says_something, dialled=dialled)
    heard = ["en/you-have-reached", *spelt, "en/leave-a-message", "tones/beep"]
    assert told.phone.heard_names() == heard
    assert told.channel.answered


@pytest.mark.feature_part("GREET-06", "also while nobody knows whose number it is")
@pytest.mark.parametrize(
    ("style", "spelt"),
    [(NumberStyle.EXTENSION, SPELT_101), (NumberStyle.INTERNATIONAL, SPELT_PAULA)],
)
def test_it_says_the_number_the_same_way_while_the_directory_is_down(
    style: NumberStyle, spelt: list[str]
) -> None:
    site = Exchange(rules=Rules(site=BERLIN, number_style=style))
    site.directory.unavailable = True
    told = site.phone_call(says_something, dialled="101")
    assert told.phone.heard_names()[1:-2] == spelt


def test_an_owner_without_numbers_is_greeted_for_by_the_mailbox() -> None:
    site = Exchange(users=(replace(ANNA, numbers=()),))
    told = site.phone_call(says_something)
    assert told.phone.heard_names()[1:4] == SPELT_101
    assert site.messages == [3]


def test_the_greeting_is_in_the_owners_language() -> None:
    site = Exchange()
    told = site.phone_call(says_something, dialled="102", code="de")
    assert told.phone.heard_names()[0] == "de/you-have-reached"


def test_an_owner_with_a_language_nobody_speaks_is_greeted_for_in_the_sites() -> None:
    site = Exchange(users=(replace(ANNA, language="tlh"),))
    told = site.phone_call(says_something)
    assert told.phone.heard_names()[0] == "en/you-have-reached"
    assert site.messages == [3]


# --- keys during the greeting


@pytest.mark.feature_part("CALL-02", "0 at any moment of the greeting")
@pytest.mark.parametrize("moment", [0, 0.5, 1.5, 4.9])
def test_zero_goes_straight_to_the_tone(moment: float) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await phone.waits(moment)
        phone.presses("0")
        await phone.is_recorded()
        started.append(phone.now())
        await phone.speaks(4)
        phone.hangs_up()

    started: list[float] = []
    told = site.phone_call(caller)
    assert started == [pytest.approx(moment + 1)]
    assert told.phone.heard_names()[-1] == "tones/beep"
    assert told.phone.heard_names().count("tones/beep") == 1
    assert site.messages == [4]


@pytest.mark.feature_part("MENU-03", "the greeting ignores what means nothing there")
def test_other_keys_do_not_disturb_the_greeting() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("17")
        for key in "2#3456789":
            await phone.waits(0.4)
            phone.presses(key)
        await phone.speaks(3)
        phone.presses("#")
        await phone.hears(P.TO_SEND)
        phone.hangs_up()

    told = site.phone_call(caller)
    assert told.phone.heard_names()[:6] == [
        "en/you-have-reached",
        *SPELT_101,
        "en/leave-a-message",
        "tones/beep",
    ]
    assert "en/key-not-used" not in told.phone.heard_names()
    assert site.messages == [3]


@pytest.mark.feature_part("CALL-07", "only keys pressed after the message answer the review")
@pytest.mark.parametrize("keys", ["001", "0123#1", "0#1"])
def test_impatient_keys_before_and_during_the_tone_do_not_answer_the_review(keys: str) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses(keys)
        await phone.hears(P.BEEP)
        phone.presses(keys)
        await phone.speaks(5)
        phone.presses("#")
        await phone.hears(P.TO_SEND, P.TO_HEAR, P.TO_REDO, P.TO_MARK_URGENT)
        phone.presses("1")
        await phone.hears(P.THANK_YOU_GOODBYE)

    told = site.phone_call(caller)
    assert "en/key-not-used" not in told.phone.heard_names()
    assert site.messages == [5]


def test_nor_do_they_when_silence_ends_the_recording() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears(P.BEEP)
        phone.presses("#1")
        await phone.speaks(5)
        await phone.hears(P.TO_SEND, P.TO_HEAR)
        phone.hangs_up()

    site.phone_call(caller)
    assert site.messages == [pytest.approx(5, abs=0.5)]


@pytest.mark.feature_part("CALL-03", "* asks for the PIN and leads to the main menu")
@pytest.mark.parametrize("moment", [0, 2.5])
def test_the_owner_logs_in_by_the_star_key(moment: float) -> None:
    site = Exchange()
    site.put(message("a"))

    async def caller(phone: Phone) -> None:
        await phone.waits(moment)
        phone.presses("*")
        await phone.hears(P.ENTER_PIN)
        phone.presses("246813#")
        await phone.hears(P.YOU_HAVE, P.FOR_NEW_VOICE_MESSAGES)
        phone.presses("1")
        await phone.hears(audio_of(message("a")))
        phone.hangs_up()

    told = site.phone_call(caller)
    assert "tones/beep" not in told.phone.heard_names()
    assert site.spool.open == {}


@pytest.mark.feature_part("CALL-03", "the star key leads back to the greeting")
def test_who_pressed_the_star_key_by_mistake_comes_back_to_the_greeting_by_it() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("*")
        await phone.hears(P.ENTER_PIN)
        phone.presses("*")
        await phone.hears(P.YOU_HAVE_REACHED, P.LEAVE_A_MESSAGE, P.BEEP)
        await phone.speaks(6)
        phone.hangs_up()

    site.phone_call(caller)
    assert site.messages == [6]


# --- mailboxes that take no messages


@pytest.mark.feature_part("CALL-04", "a disabled mailbox")
def test_a_mailbox_that_is_switched_off_says_so_and_takes_nothing() -> None:
    site = Exchange(users=(SWITCHED_OFF,))

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears(P.MAILBOX_DISABLED)
        phone.presses("0")
        await phone.hears(P.GOODBYE)

    told = site.phone_call(caller)
    assert told.phone.heard_names() == ["en/mailbox-disabled", "en/goodbye"]
    assert told.channel.left == ("SUCCESS", "")
    assert site.spool.open == {}


@pytest.mark.feature_part("CALL-05", "announcement only")
def test_an_announcement_ends_politely_without_a_tone() -> None:
    site = Exchange(users=(ANNOUNCES,))
    told = site.phone_call(only_listens)
    assert told.phone.heard_names() == [
        "en/you-have-reached",
        *SPELT_101,
        "en/no-messages-taken",
        "en/goodbye",
    ]
    assert told.channel.left == ("SUCCESS", "")
    assert site.spool.open == {}


@pytest.mark.feature_part("CALL-04", "the owner still gets in")
@pytest.mark.parametrize("owner", [SWITCHED_OFF, ANNOUNCES])
def test_its_owner_still_gets_in(owner: User) -> None:
    site = Exchange(users=(owner,))

    async def caller(phone: Phone) -> None:
        phone.presses("*246813#")
        await phone.hears(P.YOU_HAVE)
        phone.hangs_up()

    site.phone_call(caller)


@pytest.mark.feature_part("CALL-09", "an unknown number without a default recipient")
@pytest.mark.parametrize("dialled", ["199", "no number at all", ""])
def test_a_number_that_nobody_owns_does_not_exist(dialled: str) -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("00")
        await phone.hears(P.UNKNOWN_MAILBOX, P.GOODBYE)

    told = site.phone_call(caller, dialled=dialled)
    assert told.phone.heard_names() == ["en/unknown-mailbox", "en/goodbye"]
    assert told.channel.left == ("NOMAILBOX", "")


@pytest.mark.feature_part("CALL-09", "an unknown number with a default recipient")
def test_the_default_recipient_gets_messages_to_numbers_that_nobody_owns() -> None:
    site = Exchange(rules=Rules(default_recipient="desk@site.example"))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED, Digits("199"), P.LEAVE_A_MESSAGE)
        await phone.speaks(5)
        phone.presses("#1")
        await phone.hears(P.THANK_YOU_GOODBYE)

    site.phone_call(caller, dialled="199")
    [kept] = site.spool.kept
    assert (kept.facts.user_id, kept.facts.called) == (None, "199")


@pytest.mark.feature_part("DIR-08", "a directory that is down does not keep callers away")
def test_a_message_is_taken_while_the_directory_is_down() -> None:
    site = Exchange(rules=Rules(language="de"))
    site.directory.unavailable = True

    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED, P.LEAVE_A_MESSAGE)
        await phone.speaks(5)
        phone.presses("#1")
        await phone.hears(P.THANK_YOU_GOODBYE)

    told = site.phone_call(caller, code="de")
    [kept] = site.spool.kept
    assert (kept.facts.user_id, kept.facts.called) == (None, "101")
    assert told.channel.left == ("SUCCESS", "")


# --- ways out


@pytest.mark.feature_part("CALL-12", "the operator key")
@pytest.mark.parametrize("owner", [ANNA, ANNOUNCES, SWITCHED_OFF])
def test_the_operator_key_leaves_where_the_dialplan_has_an_operator(owner: User) -> None:
    site = Exchange(users=(owner,))

    async def caller(phone: Phone) -> None:
        await phone.waits(0.7)
        phone.presses("9")
        await phone.hears_the_end()

    told = site.phone_call(caller, exits="o")
    assert told.channel.left == ("USEREXIT", "o")
    assert site.spool.open == {}


def test_without_an_operator_the_key_means_nothing() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("9")
        await says_something(phone)

    told = site.phone_call(caller)
    assert told.channel.left is None
    assert site.messages == [3]


@pytest.mark.parametrize("dialled", ["101", "199"])
def test_the_star_key_leaves_to_the_assistant_where_there_is_one(dialled: str) -> None:
    site = Exchange(rules=Rules(default_recipient="desk@site.example"))

    async def caller(phone: Phone) -> None:
        phone.presses("*")
        await phone.hears_the_end()

    told = site.phone_call(caller, dialled=dialled, exits="oa")
    assert told.channel.left == ("USEREXIT", "a")
    assert told.phone.heard_names() == []


def test_zero_goes_to_the_tone_even_where_there_is_an_operator() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(4)
        phone.presses("#1")
        await phone.hears(P.THANK_YOU_GOODBYE)

    told = site.phone_call(caller, exits="oa")
    assert site.messages == [4]
    assert told.phone.heard_names() == ["tones/beep", THANKS]
