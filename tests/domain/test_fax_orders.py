"""A fax on its way: what comes after each call, and when it is given up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.fax_orders import (
    Cause,
    Ending,
    FaxOrder,
    FaxState,
    after,
    begun,
    continues,
    once_more,
    rendered,
    sender_number,
)
from vm_ari.domain.orders import Way, order_id
from vm_ari.domain.retries import Retries
from vm_ari.domain.users import User

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULES = Retries({Cause.BUSY: (MINUTE, 5 * MINUTE), Cause.DROPPED: (MINUTE,) * 5})
NEW = FaxOrder("a1", "anna", "+4930123456", NOON, Way.PORTAL)
THREE = rendered(NEW, 3)
ANNA = User("anna", "Anna", "101", ("+4930555101", "+4930555102"), "anna@example.org")


def called(order: FaxOrder, cause: Cause | None, pages: int = 0) -> FaxOrder:
    return after(begun(order), Ending(cause, pages, 30.0, "Weber", "said"), RULES, NOON)


def test_everything_sent_is_the_end() -> None:
    order = called(THREE, None, 3)
    assert (order.state, order.confirmed, order.calls, order.ended) == (FaxState.SENT, 3, 1, NOON)
    assert (order.cause, order.station, order.seconds) == (None, "Weber", 30.0)


def test_a_busy_line_is_called_again_later_and_at_last_given_up() -> None:
    first = called(THREE, Cause.BUSY)
    assert (first.state, first.not_before) == (FaxState.WAITING, NOON + MINUTE)
    assert not first.is_due(NOON)
    assert first.is_due(NOON + MINUTE)
    second = called(first, Cause.BUSY)
    assert second.not_before == NOON + 5 * MINUTE
    third = called(second, Cause.BUSY)
    assert (third.state, third.cause, third.calls) == (FaxState.FAILED, Cause.BUSY, 3)


def test_a_cause_without_pauses_is_final() -> None:
    assert called(THREE, Cause.NO_NUMBER).state is FaxState.FAILED


def test_other_causes_have_pauses_of_their_own() -> None:
    order = called(called(called(THREE, Cause.BUSY), Cause.BUSY), Cause.DROPPED)
    assert (order.state, order.not_before) == (FaxState.WAITING, NOON + MINUTE)


def test_what_is_too_old_is_given_up_before_its_pauses_are() -> None:
    old = replace(THREE, made=NOON - timedelta(days=1))
    assert called(old, Cause.BUSY).state is FaxState.FAILED


def test_after_a_lost_line_only_the_missing_pages_are_sent_behind_a_note() -> None:
    first = called(THREE, Cause.DROPPED, 1)
    assert (first.confirmed, continues(first)) == (1, True)
    second = called(first, Cause.DROPPED, 2)  # the note, and page 2
    assert second.confirmed == 2
    third = called(second, None, 2)
    assert (third.state, third.confirmed, third.calls) == (FaxState.SENT, 3, 3)


def test_a_lost_line_behind_the_last_page_is_no_loss() -> None:
    order = called(THREE, Cause.DROPPED, 3)
    assert (order.state, order.cause) == (FaxState.SENT, None)


def test_only_the_note_arrived() -> None:
    order = called(called(THREE, Cause.DROPPED, 1), Cause.DROPPED, 1)
    assert order.confirmed == 1


def test_a_person_begins_it_anew_from_where_it_was() -> None:
    given_up = called(called(called(THREE, Cause.DROPPED, 2), Cause.BUSY), Cause.NO_NUMBER)
    anew = once_more(given_up, NOON)
    assert (anew.state, anew.confirmed, anew.calls, anew.round) == (FaxState.WAITING, 2, 0, 2)
    assert anew.call_id != given_up.call_id
    assert once_more(called(THREE, None, 3), NOON).confirmed == 0


@given(st.lists(st.tuples(st.sampled_from([*Cause, None]), st.integers(0, 9)), max_size=20))
def test_whatever_happens_it_ends_and_never_counts_a_page_twice(
    calls: list[tuple[Cause | None, int]],
) -> None:
    order = THREE
    for cause, pages in calls:
        if order.state.is_over:
            break
        before, order = order, called(order, cause, pages)
        assert before.confirmed <= order.confirmed <= order.pages
        assert order.state is not FaxState.SENT or order.confirmed == order.pages
    else:
        assert order.calls <= 1 + sum(len(pauses) for pauses in RULES.pauses.values())


def test_a_clock_that_was_set_back_makes_no_pause_longer() -> None:
    assert called(THREE, Cause.BUSY).is_due(NOON - timedelta(days=3))


def test_the_same_occasion_has_the_same_name() -> None:
    assert order_id("anna", "x") == order_id("anna", "x")
    assert len({order_id("anna", "x"), order_id("anna", "y"), order_id("ann", "ax")}) == 3


@pytest.mark.parametrize(
    ("settings", "number"),
    [
        ({}, "+4930555101"),
        ({"fax_numbers": ("+4930555102",)}, "+4930555102"),
        ({"fax_sender": "+4930555102"}, "+4930555102"),
        ({"fax_sender": "+49900999"}, "+4930555101"),
        ({"fax_numbers": ("+49900999",)}, "+4930555101"),
        ({"numbers": ()}, ""),
    ],
)
def test_a_fax_comes_from_an_own_number_only(settings: dict[str, object], number: str) -> None:
    assert sender_number(replace(ANNA, **settings)) == number  # type: ignore[arg-type]
