"""Late is what takes longer than usual, not what a clock far away says."""

import pytest

from vm_ari.domain.lateness import CROWD, FORGOTTEN, MEMORY, PATIENCE, Lateness, Queue


@pytest.mark.parametrize("clock", [0.0, -90.0, 2.5])
def test_it_does_not_matter_by_how_much_the_clocks_differ(clock: float) -> None:
    lateness = Lateness()
    took = [0.25, 0.5, 3.0, 0.25]
    found = [lateness.of(second + clock, second + late) for second, late in enumerate(took)]
    assert found == pytest.approx([0.0, 0.25, 2.75, 0.0])


def test_the_first_news_are_never_late() -> None:
    assert Lateness().of(1000.0, 1009.0) == 0


def test_a_clock_that_was_set_is_forgotten_after_minutes() -> None:
    lateness = Lateness()
    assert lateness.of(0.0, 0.0) == 0
    assert lateness.of(95.0, 100.0) == pytest.approx(5)  # set back by five seconds just now
    for minute in range(2, 2 + round(2 * MEMORY / 60) + 1):
        late = lateness.of(60.0 * minute - 5, 60.0 * minute)
    assert late == 0


def test_after_a_long_silence_nothing_old_counts() -> None:
    lateness = Lateness()
    assert lateness.of(0.0, 0.0) == 0
    assert lateness.of(3 * MEMORY, 3 * MEMORY + 4) == 0


def queue(since: float, calls: int = CROWD) -> Queue:
    """So many who have waited since then."""
    one = Queue()
    for number in range(calls):
        one.joins(f"call {number}", since)
    return one


def test_many_who_wait_for_long_are_a_crowd_and_few_are_not() -> None:
    assert queue(0.0).is_crowded(PATIENCE + 0.01)
    assert not queue(0.0, CROWD - 1).is_crowded(PATIENCE + 0.01)


@pytest.mark.parametrize(("long", "crowded"), [(CROWD // 2, True), (CROWD // 2 - 1, False)])
def test_half_of_them_have_waited_for_long(long: int, crowded: bool) -> None:
    one = queue(0.0, long)
    for number in range(CROWD - long):
        one.joins(f"new call {number}", PATIENCE)
    assert one.is_crowded(PATIENCE + 0.01) is crowded


def test_many_who_have_just_come_are_no_crowd() -> None:
    assert not queue(0.0, 10 * CROWD).is_crowded(PATIENCE)


def test_who_hears_something_waits_no_more() -> None:
    one = queue(0.0)
    one.leaves("call 3")
    one.leaves("somebody who never waited")
    assert not one.is_crowded(1.0)


def test_those_who_have_waited_for_ever_keep_nobody_out() -> None:
    assert not queue(0.0).is_crowded(FORGOTTEN + 0.01)
