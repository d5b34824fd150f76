"""The soak tells what grows from what only moves, and finds every message."""

import random
from typing import cast

import pytest

from bench.sipp import Tally
from bench.soak import Sample, lines_of, plot, report
from bench.soak_day import ATTENTIVE, MANY, Day
from vm_ari.demo.world import World

NAMES = ("controller PSS, MB", "controller files", "databases, MB")
PLOTTED = ("Asterisk PSS, MB", "controller threads", "Asterisk files", "Asterisk threads")
LOOKS = 300


def seen(*values: tuple[float, float, float]) -> list[Sample]:
    """One look every five seconds."""
    return [Sample(5.0 * n, dict(zip(NAMES, one, strict=True))) for n, one in enumerate(values)]


def test_what_goes_up_and_down_is_flat_and_what_only_goes_up_is_not() -> None:
    looks = seen(*((100 + n % 2, 30 + n / 10, n) for n in range(LOOKS)))
    memory, files, databases = lines_of(looks)
    assert memory.is_flat
    assert not files.is_flat
    assert files.slope == pytest.approx(72), "a file in ten looks of five seconds"
    assert databases.is_flat, "that grows with every call by design"


def test_what_is_needed_once_in_the_beginning_does_not_count() -> None:
    looks = seen(*((50 if n < 50 else 120, 30, 1) for n in range(LOOKS)))
    assert all(line.is_flat for line in lines_of(looks))


def day() -> Day:
    """One whose calls are over: two messages by sipp's callers, one by somebody who was thanked."""
    one = Day(cast(World, None), random.Random(1))
    one.tally, one.attentive = Tally(2, 0, 0), 1
    one.thanked.add(f"{ATTENTIVE}000001")
    for uid, caller in enumerate((f"{MANY}1", f"{MANY}2", f"{ATTENTIVE}000001")):
        mail(one, "101 INBOX", uid, caller, f"<{uid}@house>")
    return one


def mail(one: Day, place: str, uid: int, caller: str, known_as: str) -> None:
    """As a mail program sees the head of a message."""
    head = f"Message-ID: {known_as}\r\nX-VM-ARI-Caller: {caller}\r\n\r\n"
    one.found.note(place, uid, head.encode())


def test_every_message_is_there_once_and_a_deleted_one_was_in_two_folders() -> None:
    one = day()
    mail(one, "101 Deleted", 7, f"{MANY}1", "<0@house>")
    assert (one.confirmed, one.missing, one.found.twice) == (3, 0, 0)
    assert report(one, seen(*[(1, 1, 1)] * LOOKS), print)


def test_a_message_that_is_nowhere_or_there_twice_is_told() -> None:
    lost, twice, copied = day(), day(), day()
    lost.thanked.add(f"{ATTENTIVE}000003")
    mail(twice, "101 INBOX", 9, f"{MANY}1", "<9@house>")
    mail(copied, "101 INBOX", 9, f"{MANY}1", "<0@house>")
    assert lost.missing == 1
    assert (twice.found.twice, copied.found.twice) == (1, 1)
    flat = seen(*[(1, 1, 1)] * LOOKS)
    assert not any(report(one, flat, print) for one in (lost, twice, copied))


def test_a_plot_shows_every_look() -> None:
    looks = [
        Sample(one.at, {**one.values, **dict.fromkeys(PLOTTED, 1.0)})
        for one in seen((1, 2, 3), (2, 2, 3), (4, 2, 3))
    ]
    drawn = plot(looks)
    assert drawn.count("<polyline") == 2 * 6, "each with its sample in the legend"
    assert "prefers-color-scheme: dark" in drawn
