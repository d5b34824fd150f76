"""What else is decided before a word is spoken: message, transfer, operator."""

from dataclasses import replace
from typing import Any

import pytest

from tests.domain.calls import ANNA, COLLEAGUE, HOURS, RESTING, RULES, call, recordings
from vm_ari.domain.answering import Answer, decide
from vm_ari.domain.greetings import GlobalMode, GreetingType, Slot
from vm_ari.domain.profiles import ProfileName, TransferOffer
from vm_ari.domain.users import User

P = ProfileName
HEIR = replace(RULES, default_recipient="info@example.org")


def answered(user: User | None = ANNA, **more: Any) -> Answer:
    return decide(call(user, **more))


@pytest.mark.feature_part("CALL-05", "per user and per profile, as a decision")
@pytest.mark.parametrize(
    ("general", "own", "expected"),
    [
        (True, (), True),
        (False, (), False),
        (True, ((P.WORK, False),), False),
        (False, ((P.WORK, True),), True),
        (True, ((P.HOME, False),), True),
        (False, ((P.HOME, True),), False),
    ],
)
def test_messages_are_taken_by_user_and_by_profile(
    general: bool, own: tuple[tuple[ProfileName, bool], ...], expected: bool
) -> None:
    user = replace(ANNA, takes_messages=general, takes_messages_in=own)
    verdict = answered(user).takes_message
    assert verdict.yes is expected
    assert ("in profile work" in verdict.reason) is any(profile is P.WORK for profile, _ in own)


def test_the_profile_that_answers_decides() -> None:
    user = replace(
        ANNA,
        office_hours=HOURS,
        off_hours_profile=P.HOME,
        takes_messages_in=((P.HOME, False),),
        transfers=((P.WORK, "102"), (P.HOME, "0171 1234567")),
    )
    by_day, by_night = answered(user), answered(user, at=RESTING)
    assert (by_day.takes_message.yes, by_night.takes_message.yes) == (True, False)
    assert (by_day.transfer.number, by_night.transfer.number) == ("102", "0171 1234567")
    assert by_night.active
    assert by_night.active.profile is P.HOME


@pytest.mark.feature_part("CALL-04", "by user or for everybody: nothing else is offered")
def test_after_a_notice_nothing_is_offered() -> None:
    user = replace(ANNA, transfers=((P.WORK, "102"),), operator="100")
    rules = replace(RULES, operator_key=True)
    for answer in (
        answered(replace(user, voice_mail_enabled=False), rules=rules),
        answered(user, rules=replace(rules, voice_mail_enabled=False)),
        answered(None, rules=rules),
    ):
        assert answer.ends_after_greeting
        assert not answer.takes_message.yes
        assert (answer.transfer.number, answer.operator.number) == ("", "")
        assert answer.active is None
    assert not answered(user, rules=rules).ends_after_greeting


def test_nobodys_mailbox_takes_messages_for_the_default_recipient() -> None:
    answer = answered(None, rules=HEIR)
    assert answer.takes_message.yes
    assert (answer.active, answer.transfer.number) == (None, "")


@pytest.mark.feature_part("XFER-01", "a destination per profile, and who tells about it")
@pytest.mark.parametrize(
    ("offer", "slots", "more", "announcer"),
    [
        (TransferOffer.USER, [Slot.WORK], {}, TransferOffer.USER),
        (TransferOffer.SYSTEM, [Slot.WORK], {}, TransferOffer.SYSTEM),
        (TransferOffer.USER, [], {}, TransferOffer.SYSTEM),
        (TransferOffer.USER, [Slot.HOME], {}, TransferOffer.SYSTEM),
        (
            TransferOffer.USER,
            [Slot.WORK, Slot.GLOBAL],
            {"global_mode": GlobalMode.ALWAYS},
            TransferOffer.SYSTEM,
        ),
    ],
)
def test_who_tells_about_the_transfer(
    offer: TransferOffer, slots: list[Slot], more: dict[str, Any], announcer: TransferOffer
) -> None:
    user = replace(ANNA, transfers=((P.WORK, "102"),), transfer_offer=offer)
    found = answered(user, greetings=recordings(slots), **more).transfer
    assert (found.number, found.announced_by) == ("102", announcer)


def test_a_sentence_with_the_name_does_not_tell_about_the_transfer() -> None:
    user = replace(ANNA, transfers=((P.WORK, "102"),), greeting_type=GreetingType.PERSONALISED)
    found = answered(user, greetings=recordings([Slot.NAME, Slot.WORK])).transfer
    assert found.announced_by is TransferOffer.SYSTEM


def test_what_is_left_open_for_internal_callers_is_as_for_others() -> None:
    user = replace(ANNA, transfers=((P.WORK, "102"),), takes_messages_in=((P.WORK, False),))
    inside = answered(user, caller=COLLEAGUE)
    assert inside.active
    assert inside.active.profile is P.INTERNAL
    assert (inside.transfer.number, inside.takes_message.yes) == ("102", False)
    own = replace(
        user,
        transfers=((P.WORK, "102"), (P.INTERNAL, "")),
        takes_messages_in=((P.WORK, False), (P.INTERNAL, True)),
    )
    inside = answered(own, caller=COLLEAGUE)
    assert (inside.transfer.number, inside.takes_message.yes) == ("", True)
    outside = answered(own)
    assert (outside.transfer.number, outside.takes_message.yes) == ("102", False)


def test_another_profiles_greeting_and_destination_stay_its_own() -> None:
    """Nobody is connected to the office at night because nothing is decided for the night."""
    user = replace(
        ANNA,
        office_hours=HOURS,
        off_hours_profile=P.HOME,
        transfers=((P.WORK, "102"),),
        takes_messages_in=((P.WORK, False),),
    )
    made = recordings([Slot.WORK])
    night = answered(user, at=RESTING, greetings=made)
    assert (night.transfer.number, night.takes_message.yes) == ("", True)
    home = replace(user, transfers=((P.WORK, "102"), (P.HOME, "103")))
    night = answered(home, at=RESTING, greetings=made)
    assert (night.transfer.number, night.transfer.announced_by) == ("103", TransferOffer.SYSTEM)
    day = answered(home, greetings=made)
    assert (day.transfer.number, day.transfer.announced_by) == ("102", TransferOffer.USER)


@pytest.mark.feature_part("CALL-12", "off by default; the site's operator or the user's")
def test_where_the_operator_key_leads() -> None:
    on = replace(HEIR, operator_key=True, operator="100")
    user = replace(ANNA, operator="0171 1234567")
    assert answered(user, rules=replace(on, operator_key=False)).operator.number == ""
    assert answered(user).operator.number == "", "off by default"
    assert answered(user, rules=on).operator.number == "0171 1234567"
    assert answered(replace(user, operator=""), rules=on).operator.number == ""
    assert answered(None, rules=on).operator.number == "100"
