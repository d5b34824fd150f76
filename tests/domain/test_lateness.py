"""Late is what takes longer than usual, not what a clock far away says."""

import pytest

from vm_ari.domain.lateness import MEMORY, Lateness


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
