"""When a spoken message was heard, when it is tried again, who may send it, how it is said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import NotAllowed, Way
from vm_ari.domain.retries import Retries
from vm_ari.domain.rights_settings import Scope
from vm_ari.domain.spoken_orders import (
    Cause,
    Ending,
    Hearing,
    SpokenOrder,
    SpokenRights,
    SpokenState,
    after,
    after_hearing,
    begun,
    language_for,
    may_speak,
    put_off,
    way_back,
    words_of,
)
from vm_ari.domain.users import User

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SITE = Site(base_number="+4930555")
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org")
ORDER = SpokenOrder("a1", "anna", "+49301234567", NOON, Way.PORTAL, NOON, "Guten Tag.", "de")
MINUTE = timedelta(minutes=1)
RETRIES = Retries({Cause.BUSY: [MINUTE, 5 * MINUTE], Cause.UNCONFIRMED: [MINUTE]})
WHOLE = Hearing("a1-1", whole=True, seconds=12.0)


def heard(hearing: Hearing, *, confirm: bool = False) -> SpokenOrder:
    return after_hearing(begun(replace(ORDER, confirm=confirm)), hearing, RETRIES, NOON)


def test_who_has_heard_everything_has_got_it() -> None:
    order = heard(WHOLE)
    assert (order.state, order.cause, order.seconds) == (SpokenState.HEARD, None, 12.0)
    assert order.ended == NOON


def test_who_hangs_up_has_not_and_is_left_alone() -> None:
    order = heard(Hearing("a1-1", whole=False, seconds=3.0))
    assert (order.state, order.cause, order.seconds) == (SpokenState.FAILED, Cause.HUNG_UP, 3.0)


def test_where_a_key_is_asked_for_only_the_key_counts() -> None:
    order = heard(WHOLE, confirm=True)
    assert (order.state, order.cause) == (SpokenState.WAITING, Cause.UNCONFIRMED)
    assert heard(replace(WHOLE, confirmed=True), confirm=True).state is SpokenState.HEARD


def test_a_busy_line_is_called_again_as_often_as_there_are_pauses() -> None:
    order, states = ORDER, []
    for _ in range(3):
        order = after(begun(order), Ending(Cause.BUSY), RETRIES, NOON)
        states.append((order.state, order.not_before))
    assert states == [
        (SpokenState.WAITING, NOON + MINUTE),
        (SpokenState.WAITING, NOON + 5 * MINUTE),
        (SpokenState.FAILED, None),
    ]
    assert order.calls == 3


@given(st.sampled_from(Cause), st.lists(st.integers(0, 600), max_size=6))
def test_every_order_ends(cause: Cause, pauses: list[int]) -> None:
    rules = Retries({cause: [timedelta(minutes=one) for one in pauses]})
    order, now = ORDER, NOON
    for _ in range(len(pauses) + 1):
        order = after(begun(order), Ending(cause), rules, now)
        if order.state.is_over:
            break
        assert order.not_before is not None
        now = order.not_before
    assert order.state is SpokenState.FAILED
    assert now - NOON <= rules.longest


def test_it_is_due_when_its_sender_and_the_hours_say_so() -> None:
    later = replace(ORDER, due=NOON + MINUTE)
    assert not later.is_due(NOON)
    assert later.is_due(NOON + MINUTE)
    assert not put_off(later, NOON + 2 * MINUTE).is_due(NOON + MINUTE)


@pytest.mark.parametrize(
    ("number", "user", "allowed"),
    [
        ("030 1234567", ANNA, True),
        ("102", ANNA, True),
        ("0900 123456", ANNA, False),
        ("112", ANNA, False),
        ("nobody", ANNA, False),
        ("030 1234567", replace(ANNA, voice_scope=Scope.INTERNAL), False),
        ("102", replace(ANNA, voice_scope=Scope.INTERNAL), True),
    ],
)
def test_dialling_rules_and_the_rights_of_the_user_decide(
    number: str, user: User, allowed: bool
) -> None:
    judged = may_speak(user, number, SpokenRights(), (SITE,))
    assert isinstance(judged, Allowed if allowed else NotAllowed)


def test_the_way_back_leads_to_the_house_only() -> None:
    back = way_back(ANNA, SpokenRights(), (SITE,))
    assert back
    assert back.number == "+4930555101"
    assert way_back(ANNA, SpokenRights(connect=False), (SITE,)) is None
    mobile = replace(ANNA, numbers=("+491711234567",))
    assert way_back(mobile, SpokenRights(), (SITE,)) is None


@pytest.mark.parametrize(
    ("text", "told", "language"),
    [
        ("Please call us back as soon as you can, we have a question.", "", "en"),
        ("Bitte rufen Sie uns zurück, wir haben eine Frage an Sie.", "", "de"),
        ("Please call us back as soon as you can.", "fr", "fr"),
        ("Hallo", "xx", "de"),
    ],
)
def test_the_language_is_told_or_recognised_or_the_senders(
    text: str, told: str, language: str
) -> None:
    assert language_for(text, told, "de", ("de", "en", "fr")) == language


@given(st.text(max_size=500))
def test_whatever_is_written_the_voice_gets_clean_portions(text: str) -> None:
    for one in words_of(replace(ORDER, text=text)):
        assert one.text.strip()
        assert len(one.text) <= 400
        assert one.text.isprintable()
