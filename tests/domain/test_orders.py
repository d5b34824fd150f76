"""What orders of all kinds have in common: the stages of their way, and its ends."""

from datetime import UTC, datetime, timedelta

import pytest

from vm_ari.domain.fax_orders import Cause as FaxCause
from vm_ari.domain.fax_orders import FaxOrder, FaxState
from vm_ari.domain.orders import OrderState, Stage, Way, again, cancelled, failed
from vm_ari.domain.retries import Retries
from vm_ari.domain.spoken_orders import Cause as SpokenCause
from vm_ari.domain.spoken_orders import SpokenOrder, SpokenState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FAX = FaxOrder("a1", "anna", "+49301234567", NOON, Way.PORTAL, state=FaxState.SENDING)
SPOKEN = SpokenOrder(
    "a2",
    "anna",
    "+49301234567",
    NOON,
    Way.API,
    NOON + timedelta(days=2),
    "Guten Tag.",
    "de",
    state=SpokenState.CALLING,
)


@pytest.mark.parametrize("kind", [FaxState, SpokenState])
def test_every_kind_has_a_state_for_every_stage(kind: type[OrderState]) -> None:
    first = next(iter(kind))
    assert {one.stage for one in kind} == set(Stage)
    for stage in Stage:
        assert first.at(stage).stage is stage
    waits = {Stage.WAITING, Stage.ON_THE_LINE}
    assert {one for one in kind if not one.is_over} == {one for one in kind if one.stage in waits}
    assert first.at(Stage.WAITING) is first


def test_what_is_cancelled_has_no_cause() -> None:
    busy = failed(FAX, FaxCause.BUSY, "the line was\nbusy", NOON)
    assert (busy.state, busy.cause, busy.ended) == (FaxState.FAILED, FaxCause.BUSY, NOON)
    assert busy.reason == "the line was busy"
    ended = cancelled(busy, NOON)
    assert (ended.state, ended.cause, ended.reason) == (FaxState.CANCELLED, None, "")


def test_a_message_for_later_has_its_time_from_then_on() -> None:
    rules = Retries({SpokenCause.BUSY: [MINUTE]}, timedelta(days=1))
    later = again(SPOKEN, SpokenCause.BUSY, rules, SPOKEN.due)
    assert (later.state, later.not_before) == (SpokenState.WAITING, SPOKEN.due + MINUTE)
    assert again(later, SpokenCause.BUSY, rules, SPOKEN.due).state is SpokenState.FAILED
    for_faxes = Retries({FaxCause.BUSY: [MINUTE]}, timedelta(days=1))
    assert again(FAX, FaxCause.BUSY, for_faxes, SPOKEN.due).state is FaxState.FAILED
