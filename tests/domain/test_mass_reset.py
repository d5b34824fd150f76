"""What a mass reset asks of a login, and what it does after a try whose end nobody saw."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.login_state import WELCOME_DUE, LoginState, stamp, with_pin
from vm_ari.domain.mass_reset import Item, Order, Outcome, Sums, order_of, sums_of
from vm_ari.domain.welcome import NEW_PIN, with_mail

NOON = datetime(2026, 11, 22, 12, 0, 0, 700_000, tzinfo=UTC)
LATER, EARLIER = NOON + timedelta(minutes=5), NOON - timedelta(minutes=5)
KNOWN = LoginState(pin="135792", failures=5, pin_set=EARLIER, welcome=stamp(EARLIER))

orders = st.builds(Order, st.booleans(), st.booleans(), st.booleans())
states = st.builds(
    LoginState,
    pin=st.sampled_from(["", "135792"]),
    failures=st.integers(0, 6),
    pin_set=st.sampled_from([None, EARLIER, LATER]),
    must_change=st.booleans(),
    welcome=st.sampled_from(["", WELCOME_DUE, stamp(EARLIER), stamp(LATER), "nonsense"]),
    welcome_wish=st.sampled_from(["", NEW_PIN]),
)


def mailed(state: LoginState, at: datetime) -> LoginState:
    """The controller sends what is due."""
    new_pin = "246813" if state.welcome_wish == NEW_PIN else ""
    return with_mail(state, state, new_pin, at, one_time=False)


def test_the_mail_is_due_and_nothing_else_changes() -> None:
    assert Order().applied(KNOWN) == replace(KNOWN, welcome=WELCOME_DUE)


def test_a_new_pin_is_a_wish_and_the_lock_goes_at_once() -> None:
    after = Order(new_pin=True, unlock=True).applied(KNOWN)
    assert after == replace(KNOWN, welcome=WELCOME_DUE, welcome_wish=NEW_PIN, failures=0)
    assert after.pin == KNOWN.pin


def test_a_new_pin_that_waits_for_its_mail_is_not_taken_back() -> None:
    waiting = Order(new_pin=True).applied(KNOWN)
    assert Order().applied(waiting) == waiting
    told = mailed(waiting, LATER)
    assert Order().applied(told).welcome_wish == ""


@given(orders, states)
def test_to_do_it_again_changes_nothing(order: Order, state: LoginState) -> None:
    once = order.applied(state)
    assert order.applied(once) == once
    assert order.again(once, NOON) == once


@given(orders, states)
def test_no_mail_leaves_twice_for_a_try_whose_end_nobody_saw(
    order: Order, state: LoginState
) -> None:
    told = mailed(order.applied(state), LATER)
    again = order.again(told, NOON)
    assert again == replace(told, failures=again.failures)
    assert order.again(again, NOON) == again


@given(orders, states)
def test_a_try_that_reached_nothing_is_made_good(order: Order, state: LoginState) -> None:
    later = state.welcome == stamp(LATER)
    told = later and (not order.new_pin or state.pin_set == LATER)
    if not told:
        assert order.again(state, NOON) == order.applied(state)


def test_a_mail_without_the_new_pin_is_not_the_one_that_was_asked_for() -> None:
    """It was due before, and left after a try that had reached nothing."""
    told = mailed(Order().applied(KNOWN), LATER)
    assert Order(new_pin=True).again(told, NOON).welcome_wish == NEW_PIN
    assert Order().again(told, NOON) == told
    renewed = with_pin(told, "246813", LATER)
    assert Order(new_pin=True).again(renewed, NOON) == renewed


def test_a_mail_of_the_same_second_counts() -> None:
    told = mailed(Order().applied(KNOWN), NOON)
    assert Order().again(told, NOON) == told


@given(orders)
def test_the_journal_can_read_what_it_writes(order: Order) -> None:
    assert order_of(order.words) == order


@pytest.mark.parametrize("words", ["", "welcome delete", "new-pin", "welcome now now2"])
def test_what_is_no_order_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="no order"):
        order_of(words)


def test_an_item_remembers_since_when_nobody_knows() -> None:
    tried = Item("anna").tried(NOON)
    assert tried.tried(LATER).begun == NOON
    assert tried.ended(Outcome.FAILED, "no", unsure=True).begun == NOON
    assert tried.ended(Outcome.FAILED, "no").begun is None
    assert not tried.is_finished
    assert tried.ended(Outcome.DONE).is_finished


@given(st.lists(st.sampled_from(Outcome)))
def test_sums_add_up(outcomes: list[Outcome]) -> None:
    sums = sums_of(Item(str(n), None, outcome) for n, outcome in enumerate(outcomes))
    assert sums.total == len(outcomes)
    assert sums == Sums(*(outcomes.count(o) for o in (
        Outcome.DONE, Outcome.UNCHANGED, Outcome.FAILED, Outcome.OPEN
    )))  # fmt: skip
