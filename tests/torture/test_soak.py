"""The soak tells what grows from what only moves, and finds every message."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from bench.sipp import Tally
from bench.soak import Sample, lines_of, plot, report
from bench.soak_day import ATTENTIVE, MANY, SHORTEST, Day
from bench.soak_stories import Way, Witness
from vm_ari.demo.world import World
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import JournalEntry, Kind, Result

NAMES = ("controller PSS, MB", "controller files", "databases, MB")
PLOTTED = ("Asterisk PSS, MB", "controller threads", "Asterisk files", "Asterisk threads")
LOOKS = 300
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


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


SPOKEN = 16_000
"""Bytes of a second."""


def recorded(spool: Path, place: str, seconds: float) -> None:
    """A recording that lies there, as Asterisk writes it."""
    path = spool / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(44 + round(seconds * SPOKEN)))


def test_who_had_not_said_enough_has_lost_nothing_and_everybody_is_told_of(tmp_path: Path) -> None:
    """One hung up in the dialplan's greeting, one after a second; two spoke long enough."""
    callers = [f"{MANY}{n}" for n in range(1, 6)]
    for number, seconds in zip(callers, (1.0, 5.0), strict=False):
        recorded(tmp_path, f"fallback/1700000000_17.{number[-1]}_101_{number}__.wav", seconds)
    recorded(tmp_path, "open/a/take-1.wav", 4.0)
    facts = {"caller": {"number": callers[2]}, "channel_id": "17.3"}
    (tmp_path / "open/a/facts.json").write_text(json.dumps(facts))
    journal = [
        JournalEntry(f"17.{n}", Kind.CALL, BEGIN, result=result, caller=Caller(callers[n - 1]))
        for n, result in ((3, Result.NOTHING_SAID), (4, Result.HUNG_UP))
    ]
    witness = Witness(tmp_path)
    witness.look()
    told = witness.stories(callers, journal)
    assert [one.heard.way for one in told] == [
        Way.DIALPLAN, Way.DIALPLAN, Way.CONTROLLER, Way.NOT_RECORDED, Way.UNKNOWN,
    ]  # fmt: skip
    assert [one.heard.call for one in told] == ["17.1", "17.2", "17.3", "17.4", ""]
    assert [one.is_promise(SHORTEST) for one in told] == [False, True, True, False, True]
    assert "dialplan, call 17.2, 5.0 s recorded" in str(told[1])
    one = Day(cast(World, None), random.Random(1), stories=told, tally=Tally(len(callers), 0, 0))
    assert one.missing == 3
    one.tally = Tally(len(callers) - 1, 1, 0)
    assert one.missing == 2, "nothing was promised to the one whose call failed"
