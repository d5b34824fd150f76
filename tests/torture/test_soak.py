"""The soak tells what grows from what only moves."""

from bench.soak import Sample, lines_of, plot

NAMES = ("memory (MB)", "file descriptors", "databases (MB)")


def seen(*values: tuple[float, float, float]) -> list[Sample]:
    """One look after every ten calls."""
    return [
        Sample(float(n), 10 * n, dict(zip(NAMES, one, strict=True))) for n, one in enumerate(values)
    ]


def test_what_goes_up_and_down_is_flat_and_what_only_goes_up_is_not() -> None:
    looks = seen(*((100 + n % 2, 30 + n, n) for n in range(20)))
    memory, descriptors, databases = lines_of(looks)
    assert memory.is_flat
    assert not descriptors.is_flat
    assert round(descriptors.slope) == 100
    assert databases.is_flat, "that grows with every call by design"


def test_what_is_needed_once_in_the_beginning_does_not_count() -> None:
    looks = seen(*((50 if n < 4 else 120, 30, 1) for n in range(20)))
    assert all(line.is_flat for line in lines_of(looks))


def test_a_plot_shows_every_look() -> None:
    drawn = plot(seen((1, 2, 3), (2, 2, 3), (4, 2, 3)), NAMES)
    assert drawn.count("<polyline") == 3
    assert "40.0,142.5 310.0,105.0 580.0,30.0" in drawn
