"""Ring events as lines of a text file: seconds, kind, and what is not empty."""

import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vm_ari.domain import ring_events
from vm_ari.domain.ring_events import RingEvent

RECORDED = Path(__file__).parent / "domain" / "ringing"
"""What a real Asterisk told, by story; ``python -m tests.system.record_ringing`` writes it."""
BEGIN = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)


def lines(events: Sequence[RingEvent]) -> Iterator[str]:
    """One for each event, with short names for channels."""
    for event in events:
        given = {one.name: getattr(event, one.name) for one in fields(event)}
        seconds = (given.pop("at") - events[0].at).total_seconds()
        words = (
            f"{name}={_word(value)}" for name, value in given.items() if value not in {"", False}
        )
        yield shlex.join([f"{seconds:.3f}", type(event).__name__, *words])


def _word(value: object) -> str:
    """Channel ids are system, second and number; the number is enough."""
    return str(value).removeprefix("vm-ari-").partition("-")[2].partition(".")[2] or str(value)


def read(text: str) -> Iterator[RingEvent]:
    """The events of a file."""
    for line in text.splitlines():
        seconds, kind, *words = shlex.split(line)
        made_of = getattr(ring_events, kind)
        given: dict[str, Any] = {one.name: "" for one in fields(made_of)}
        given |= dict(word.partition("=")[::2] for word in words)
        for name in {"shown", "answered"} & set(given):
            given[name] = bool(given[name])
        given["at"] = BEGIN + timedelta(seconds=float(seconds))
        made: RingEvent = made_of(**given)
        yield made


def recorded(story: str) -> Iterable[RingEvent]:
    """What happened there."""
    return read((RECORDED / f"{story}.txt").read_text(encoding="utf-8"))
