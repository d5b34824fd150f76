"""What callers hear first, and what they can do instead of leaving a message."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.dialogues.exchange import ANNA, START, Exchange
from tests.fake_channel import FakeChannel
from tests.phone import Phone, Told
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import DiallingRules, parse_rule
from vm_ari.domain.greetings import (
    SITE,
    GlobalMode,
    Greeting,
    GreetingKey,
    GreetingType,
    Slot,
    Source,
)
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.profiles import ProfileName, TransferOffer
from vm_ari.domain.settings import Rules
from vm_ari.domain.transfer import TransferRules
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, InLanguage, Recorded
from vm_ari.telephony.channel import Cause, Leg

WORK = ProfileName.WORK
PRESS_1, PRESS_2 = (P.PRESS, Digits("1")), (P.PRESS, Digits("2"))


def recording(
    slot: Slot, language: str = "en", owner: str = "anna", days: int | None = None
) -> Greeting:
    """A greeting that is good for so many days."""
    expires = None if days is None else START + timedelta(days=days)
    path = Path(f"/greetings/{owner or 'site'}/{slot}-{language}")
    return Greeting(GreetingKey(owner, slot, language), path, 4.0, START, Source.PHONE, expires)


def of(greeting: Greeting) -> Recorded:
    """What callers hear of it."""
    return Recorded(str(greeting.path))


def site_of(
    user: User, *greetings: Greeting, mode: GlobalMode = GlobalMode.OFF, **rules: object
) -> Exchange:
    """A site with these recordings."""
    site = Exchange(users=(user,), rules=Rules(**rules))  # type: ignore[arg-type]
    for greeting in greetings:
        site.greetings.owners.setdefault(greeting.key.owner, {})[greeting.key] = greeting
    site.greetings.mode = mode
    return site


async def only_listens(phone: Phone) -> None:
    """Until the tone, and hangs up."""
    await phone.hears(P.BEEP)
    phone.hangs_up()


def heard(told: Told) -> list[str]:
    """Without the tone."""
    return [name for name in told.phone.heard_names() if name != P.BEEP]


DEFAULT = ["en/you-have-reached", *(f"en/digits/{digit}" for digit in "101"), "en/leave-a-message"]


@pytest.mark.feature_part("GREET-01", "callers hear the greeting of the active profile")
def test_callers_hear_the_greeting_of_the_active_profile() -> None:
    greetings = [recording(Slot.WORK), recording(Slot.HOME)]
    for profile, greeting in zip((WORK, ProfileName.HOME), greetings, strict=True):
        site = site_of(replace(ANNA, profile=profile), *greetings)
        assert heard(site.phone_call(only_listens)) == [str(greeting.path)]


@pytest.mark.feature_part("GREET-04", "callers hear a sentence with the recorded name")
def test_callers_hear_the_name_where_the_user_wants_that() -> None:
    user = replace(ANNA, greeting_type=GreetingType.PERSONALISED)
    site = site_of(user, recording(Slot.WORK), name := recording(Slot.NAME))
    assert heard(site.phone_call(only_listens)) == [
        "en/mailbox-of",
        str(name.path),
        "en/leave-a-message",
    ]


@pytest.mark.feature_part("GREET-07", "callers hear the global greeting")
def test_callers_hear_the_global_greeting_when_the_site_wants_that() -> None:
    own, everybodys = recording(Slot.WORK), recording(Slot.GLOBAL, owner=SITE)
    cases = (
        (GlobalMode.ALWAYS, (own, everybodys), [str(everybodys.path)]),
        (GlobalMode.IF_NONE, (own, everybodys), [str(own.path)]),
        (GlobalMode.IF_NONE, (everybodys,), [str(everybodys.path)]),
        (GlobalMode.OFF, (everybodys,), DEFAULT),
    )
    for mode, greetings, expected in cases:
        site = site_of(ANNA, *greetings, mode=mode)
        assert heard(site.phone_call(only_listens)) == expected


@pytest.mark.feature_part("GREET-10", "an expired greeting plays no more")
def test_an_expired_greeting_is_as_if_it_were_not_there() -> None:
    assert heard(site_of(ANNA, recording(Slot.WORK, days=-1)).phone_call(only_listens)) == DEFAULT
    good = recording(Slot.WORK, days=1)
    assert heard(site_of(ANNA, good).phone_call(only_listens)) == [str(good.path)]


def test_callers_are_greeted_also_while_greetings_cannot_be_read() -> None:
    site = site_of(ANNA, recording(Slot.WORK))
    site.greetings.unavailable = True
    assert heard(site.phone_call(only_listens)) == DEFAULT


@pytest.mark.feature_part("CALL-05", "a recorded announcement ends politely")
def test_a_recorded_announcement_ends_politely() -> None:
    user = replace(ANNA, takes_messages_in=((WORK, False),))
    site = site_of(user, own := recording(Slot.WORK))
    told = site.phone_call(Phone.hears_the_end)
    assert told.phone.heard_names() == [str(own.path), "en/goodbye"]
    assert site.spool.open == {}


@pytest.mark.feature_part("CALL-04", "disabled for everybody")
def test_a_site_can_switch_every_mailbox_off() -> None:
    site = site_of(ANNA, recording(Slot.WORK), voice_mail_enabled=False)
    told = site.phone_call(Phone.hears_the_end)
    assert told.phone.heard_names() == ["en/mailbox-disabled", "en/goodbye"]


# --- the language


MENU = replace(ANNA, greeting_language=LanguageMode.MENU)


def language_menu(codes: Iterable[str]) -> tuple[InLanguage, ...]:
    return tuple(
        InLanguage(code, (P.LANGUAGE_CHOICE, P.PRESS, Digits(str(key))))
        for key, code in enumerate(sorted(codes), start=1)
    )


@pytest.mark.feature_part("LANG-02", "the caller chooses from a spoken menu")
@pytest.mark.parametrize(("key", "code"), [("1", "de"), ("2", "en"), ("", "en"), ("7", "en")])
def test_callers_can_choose_their_language(key: str, code: str) -> None:
    greetings = {code: recording(Slot.WORK, code) for code in ("de", "en")}
    site = site_of(MENU, *greetings.values())

    async def caller(phone: Phone) -> None:
        await phone.hears(*language_menu(greetings))
        phone.presses(key)
        await phone.hears(of(greetings[code]), P.BEEP)
        phone.hangs_up()

    site.phone_call(caller, code=code)


@pytest.mark.feature_part("LANG-02", "the language of the caller's country")
def test_callers_are_greeted_in_the_language_of_their_country() -> None:
    user = replace(ANNA, greeting_language=LanguageMode.CALLER)
    greetings = [recording(Slot.WORK, "en"), recording(Slot.WORK, "de")]
    told = site_of(user, *greetings).phone_call(only_listens, code="de")
    assert heard(told) == ["/greetings/anna/work-de"]


def test_who_chose_a_language_is_not_asked_again_after_the_login_was_given_up() -> None:
    site = site_of(MENU, recording(Slot.WORK, "de"), recording(Slot.WORK, "en"))

    async def caller(phone: Phone) -> None:
        await phone.hears(*language_menu(["de", "en"]))
        phone.presses("1")
        await phone.hears(Recorded("/greetings/anna/work-de"))
        phone.presses("*")
        await phone.waits(0.5)
        phone.presses("*")
        await phone.hears(Recorded("/greetings/anna/work-de"), P.BEEP)
        phone.hangs_up()

    told = site.phone_call(caller, code="de")
    assert told.phone.heard_names().count("en/language-choice") == 1


# --- somebody else


COLLEAGUE = "+493012345699"
CONNECTS = replace(ANNA, transfers=((WORK, COLLEAGUE),), transfer_offer=TransferOffer.SYSTEM)
OFFER = (P.TO_LEAVE_A_MESSAGE, *PRESS_1, P.TO_BE_CONNECTED, *PRESS_2)


def transfer_call(site: Exchange, caller: object, then: object) -> tuple[Told, list[Leg]]:
    """A call in which the destination does *then*."""
    line, dialled = site.line(), []

    def on_dial(leg_line: FakeChannel, leg: Leg) -> None:
        dialled.append(leg)
        then(leg_line)  # type: ignore[operator]

    line.on_dial = on_dial
    return site.phone_call(caller, line=line), dialled  # type: ignore[arg-type]


@pytest.mark.feature_part("XFER-01", "the system offers the destination of the profile")
def test_callers_are_connected_with_whom_the_profile_names() -> None:
    site = site_of(CONNECTS)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED, Digits("101"), *OFFER)
        phone.presses("2")
        await phone.hears(P.PLEASE_HOLD)
        await phone.waits(60)
        phone.hangs_up()

    told, [leg] = transfer_call(site, caller, FakeChannel.picks_up)
    assert leg.destination.number == COLLEAGUE
    assert leg.shown == Caller("+49301234567", "Carla Weber")
    assert told.channel.legs[0].gone
    assert site.spool.open == {}


@pytest.mark.feature_part("XFER-02", "whoever is not connected may leave a message")
@pytest.mark.parametrize(
    ("cause", "words"), [(Cause.BUSY, P.DESTINATION_BUSY), (Cause.REFUSED, P.NOT_REACHED)]
)
def test_whoever_is_not_connected_may_leave_a_message(cause: Cause, words: P) -> None:
    site = site_of(CONNECTS)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED)
        phone.presses("2")
        await phone.hears(P.PLEASE_HOLD, words, P.LEAVE_A_MESSAGE)
        await phone.speaks(5)
        phone.presses("#1")
        await phone.hears(P.THANK_YOU_GOODBYE)

    transfer_call(site, caller, lambda line: line.is_not_answered(cause))
    [kept] = site.spool.kept
    assert kept.facts.user_id == "anna"


@pytest.mark.feature_part("XFER-01", "the greeting itself tells about the destination")
def test_who_does_not_choose_leaves_a_message() -> None:
    user = replace(CONNECTS, transfer_offer=TransferOffer.USER)
    site = site_of(user, own := recording(Slot.WORK))

    async def caller(phone: Phone) -> None:
        await phone.hears(of(own))
        await phone.waits(3)
        assert not phone.is_being_recorded()
        await phone.speaks(5)
        phone.hangs_up()

    told = site.phone_call(caller)
    assert heard(told) == [str(own.path)]
    assert len(site.spool.kept) == 1


def test_a_destination_that_may_not_be_dialled_is_not_dialled() -> None:
    site = site_of(replace(CONNECTS, transfers=((WORK, "+4990012345"),)))

    async def caller(phone: Phone) -> None:
        phone.presses("2")
        await phone.hears(P.NOT_REACHED, P.LEAVE_A_MESSAGE, P.BEEP)
        phone.hangs_up()

    _, dialled = transfer_call(site, caller, FakeChannel.picks_up)
    assert dialled == []


def test_where_no_messages_are_taken_there_is_only_the_transfer() -> None:
    site = site_of(replace(CONNECTS, takes_messages=False))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.NO_MESSAGES_TAKEN, P.TO_BE_CONNECTED, *PRESS_2)
        phone.presses("2")
        await phone.hears(P.DESTINATION_BUSY, P.GOODBYE)

    told, _ = transfer_call(site, caller, lambda line: line.is_not_answered(Cause.BUSY))
    assert told.channel.left == ("SUCCESS", "")
    assert site.spool.open == {}


# --- the operator


OPERATOR = "+493012345600"


@pytest.mark.feature_part("CALL-12", "a key connects with the operator")
def test_a_key_connects_with_the_operator() -> None:
    site = site_of(replace(ANNA, operator=OPERATOR), operator_key=True)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.LEAVE_A_MESSAGE, P.FOR_THE_OPERATOR, P.PRESS, Digits("9"))
        phone.presses("9")
        await phone.hears(P.PLEASE_HOLD)
        await phone.waits(10)
        phone.hangs_up()

    _, [leg] = transfer_call(site, caller, FakeChannel.picks_up)
    assert leg.destination.number == OPERATOR


@pytest.mark.feature_part("CALL-12", "off by default")
def test_without_the_key_there_is_no_operator() -> None:
    site = site_of(replace(ANNA, operator=OPERATOR))

    async def caller(phone: Phone) -> None:
        phone.presses("9")
        await phone.hears(P.LEAVE_A_MESSAGE, P.BEEP)
        phone.hangs_up()

    told, dialled = transfer_call(site, caller, FakeChannel.picks_up)
    assert (dialled, heard(told)) == ([], DEFAULT)


def test_the_rules_of_the_moment_decide() -> None:
    site = site_of(CONNECTS)
    denied = DiallingRules((parse_rule("deny +49301234", site.rules.site),))
    site.desk = replace(site.desk, transfer=TransferRules(dialling=denied))

    async def caller(phone: Phone) -> None:
        await phone.hears(*OFFER)
        phone.presses("2")
        await phone.hears(P.NOT_REACHED, P.LEAVE_A_MESSAGE, P.BEEP)
        phone.hangs_up()

    _, dialled = transfer_call(site, caller, FakeChannel.picks_up)
    assert dialled == []
