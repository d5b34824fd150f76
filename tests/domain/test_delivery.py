"""What happens next to a message that waits: pauses grow, faults lead to the plain envelope."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.delivery import (
    FIRST_PAUSE,
    LOCAL_FAULTS_BEFORE_PLAIN,
    LONGEST_PAUSE,
    LOOKS_BEFORE_RISKING_A_COPY,
    Attempts,
    Step,
    Verdict,
    after,
)

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

failures = st.lists(st.sampled_from([Verdict.LATER, Verdict.UNSURE, Verdict.FAULT]), max_size=40)


def history(verdicts: list[Verdict]) -> Attempts:
    attempts = Attempts()
    for verdict in verdicts:
        _, attempts = after(attempts, verdict, verdict.value, NOW)
    return attempts


def pauses(verdicts: list[Verdict]) -> list[timedelta]:
    return [
        moment - NOW
        for n in range(len(verdicts))
        if (moment := history(verdicts[: n + 1]).not_before) is not None
    ]


def test_delivered_is_done() -> None:
    assert after(Attempts(failed=2), Verdict.DELIVERED, "", NOW)[0] is Step.DONE


def test_refused_is_held_with_its_reason() -> None:
    step, attempts = after(Attempts(failed=2), Verdict.REFUSED, "no such user", NOW)
    assert step is Step.HOLD
    assert (attempts.failed, attempts.last_error) == (3, "no such user")


def test_pauses_double_up_to_an_hour() -> None:
    minutes = [pause / timedelta(minutes=1) for pause in pauses([Verdict.LATER] * 9)]
    assert minutes == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@given(failures)
def test_a_message_is_never_given_up(verdicts: list[Verdict]) -> None:
    for verdict in (Verdict.LATER, Verdict.UNSURE, Verdict.FAULT):
        step, attempts = after(history(verdicts), verdict, "", NOW)
        assert step is Step.WAIT
        assert attempts.not_before is not None
        assert NOW < attempts.not_before <= NOW + LONGEST_PAUSE
        assert attempts.failed == len(verdicts) + 1


@given(failures)
def test_the_plain_envelope_comes_after_three_faults_of_ours_and_stays(
    verdicts: list[Verdict],
) -> None:
    faults = verdicts.count(Verdict.FAULT)
    assert history(verdicts).plain_envelope is (faults >= LOCAL_FAULTS_BEFORE_PLAIN)


def test_faults_cost_seconds_until_the_plain_envelope_has_failed_too() -> None:
    seconds = [pause.total_seconds() for pause in pauses([Verdict.FAULT] * 5)]
    assert seconds == [1, 1, 1, 8 * 60, 16 * 60]


def test_a_copy_is_risked_only_after_many_unanswered_looks() -> None:
    verdicts = [Verdict.LATER] * 20 + [Verdict.UNSURE] * (LOOKS_BEFORE_RISKING_A_COPY - 1)
    assert not history(verdicts).may_risk_a_copy
    assert history([*verdicts, Verdict.UNSURE]).may_risk_a_copy


@pytest.mark.parametrize(
    ("attempts", "begun", "look"),
    [
        (Attempts(), False, False),
        (Attempts(), True, True),
        (Attempts(failed=1), False, True),
    ],
)
def test_look_before_every_attempt_but_the_very_first(
    attempts: Attempts, begun: bool, look: bool
) -> None:
    assert attempts.may_be_there(begun=begun) is look


def test_due_when_the_pause_is_over() -> None:
    waiting = Attempts(not_before=NOW + FIRST_PAUSE)
    assert Attempts().is_due(NOW)
    assert not waiting.is_due(NOW)
    assert waiting.is_due(NOW + FIRST_PAUSE)


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=4000)))
def test_a_clock_set_back_makes_no_pause_longer_than_the_longest(back: timedelta) -> None:
    waiting = Attempts(not_before=NOW + LONGEST_PAUSE)
    moment, waited = NOW - back, timedelta(0)
    while not waiting.is_due(moment + waited):
        waited += timedelta(minutes=1)
    assert waited <= LONGEST_PAUSE
