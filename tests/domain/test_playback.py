"""Where a listener is, whatever he does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.playback import STEP, Place, Speed

seconds = st.floats(0, 900)
speeds = st.sampled_from(Speed)


def test_a_step_is_three_seconds() -> None:
    assert STEP == 3.0


def test_speeds_go_from_the_slowest_to_the_fastest_and_stay_there() -> None:
    speed, seen = Speed.SLOW.slower(), []
    for _ in range(5):
        seen.append(speed.value)
        speed = speed.faster()
    assert seen == [0.75, 1.0, 1.25, 1.5, 1.5]
    assert Speed.NORMAL.slower() is Speed.SLOW


def test_half_a_minute_at_the_fastest_is_three_quarters_of_a_message() -> None:
    place = Place(speed=Speed.FASTEST).after(30)
    assert place.seconds == 45
    assert place.in_file == 30


@given(seconds, seconds, speeds, speeds)
def test_another_speed_is_the_same_place(
    begin: float, heard: float, first: Speed, then: Speed
) -> None:
    place = Place(begin, first).after(heard)
    assert place.at(then).seconds == place.seconds
    assert place.at(then).in_file * then.value == pytest.approx(place.seconds)


@given(seconds, st.floats(-1000, 1000), speeds)
def test_nobody_gets_before_the_beginning(begin: float, jump: float, speed: Speed) -> None:
    place = Place(begin, speed).moved(jump)
    assert place.seconds == max(begin + jump, 0.0)
    assert place.speed is speed
