"""Eight hours of load in half an hour: does anything grow, and is every message there?

    python -m bench.soak [--minutes 30] [--rate 2] [--seed 1] [--plot docs/soak.svg]

Users on a directory server, their mailboxes on a mail server. Callers by the second leave messages
and hang up, others wait until they are thanked, owners hear and delete, mail programs tidy up,
people open the portal: 3,600 calls and more, as many as 450 an hour make in a working day. Every
few seconds memory, file descriptors and threads of the controller and of Asterisk are written down.

Printed are the means of the first and the last third after the warm-up, the slope between, and a
verdict: flat, or GROWS. A message counts as confirmed when the caller was thanked, or had spoken
for seconds after the tone and hung up; each must be in a mailbox, once. The journal, the other
databases and what was delivered (kept for a day) grow with every call, as they should. Of each
caller without a message is told which way he went and how long he was recorded: who had not said
enough when he hung up, behind the dialplan's longer greeting, has lost nothing. Ends with 1 when
something grows, or a message is missing or there twice.
"""

import argparse
import asyncio
import contextlib
import csv
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.beside import greet_with
from bench.drawing import Curve, Panel, svg
from bench.heading import heading
from bench.processes import Process, offspring
from bench.soak_day import SHORTEST, Day
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.demo.parts import Part
from vm_ari.demo.portal import portal_settings
from vm_ari.demo.world import World

EVERY = 5.0
WARM = 0.2
"""Share of the time after which the first values count: by then all threads are there."""
ENOUGH = 200
"""Looks without which nobody can tell a leak from the beginning."""
BOUNDS: Mapping[str, float] = {
    "controller PSS, MB": 8.0,
    "controller files": 4.0,
    "controller threads": 3.0,
    "its workers PSS, MB": 8.0,
    "Asterisk PSS, MB": 8.0,
    "Asterisk files": 8.0,
    "Asterisk threads": 8.0,
    "messages on their way": 3.0,
    "files of sessions": 3.0,
}
"""By how much the last third may be above the first; what is not named here grows by design."""


@dataclass(frozen=True)
class Sample:
    """One look, seconds after the begin."""

    at: float
    values: Mapping[str, float]


async def looks(world: World, samples: list[Sample]) -> None:
    """Look again and again, until cancelled."""
    begun = time.monotonic()
    while True:
        seen = await asyncio.to_thread(look, world)
        samples.append(Sample(time.monotonic() - begun, seen))
        await asyncio.sleep(EVERY)


def look(world: World) -> Mapping[str, float]:
    """What is used just now. Blocking."""
    assert world.asterisk.pid
    ours, asterisk = Process(world.controller_pid), Process(world.asterisk.pid)
    spool = world.spool
    return {
        "controller RSS, MB": ours.megabytes,
        "controller PSS, MB": ours.own_megabytes,
        "controller files": ours.descriptors,
        "controller threads": ours.threads,
        "its workers PSS, MB": _together(offspring(ours.pid)),
        "Asterisk RSS, MB": asterisk.megabytes,
        "Asterisk PSS, MB": asterisk.own_megabytes,
        "Asterisk files": asterisk.descriptors,
        "Asterisk threads": asterisk.threads,
        "messages on their way": sum(
            len(list((spool / state).glob("*"))) for state in ("open", "new", "hold", "tmp")
        ),
        "files of sessions": len(list((spool / "listening").glob("*"))),
        "delivered, kept for a day, MB": _megabytes(spool / "done"),
        "databases, MB": sum(one.stat().st_size for one in world.directory.glob("*.db*")) / 2**20,
    }


def _together(processes: Sequence[Process]) -> float:
    total = 0.0
    for one in processes:
        with contextlib.suppress(OSError):
            total += one.own_megabytes
    return total


def _megabytes(directory: Path) -> float:
    total = 0
    for path in directory.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total / 2**20


@dataclass(frozen=True)
class Line:
    """One value over the time after the warm-up."""

    name: str
    first: float
    """Mean of the first third."""
    last: float
    """Mean of the last third."""
    slope: float
    """An hour, by the method of least squares."""

    @property
    def is_flat(self) -> bool:
        """Or may it grow?"""
        return self.last - self.first <= BOUNDS.get(self.name, float("inf"))


def lines_of(samples: Sequence[Sample]) -> Sequence[Line]:
    """Every value."""
    warm = [one for one in samples if one.at >= WARM * samples[-1].at]
    hours = np.array([one.at / 3600 for one in warm])
    third = max(1, len(warm) // 3)

    def line(name: str) -> Line:
        values = np.array([one.values[name] for one in warm])
        slope = float(np.polyfit(hours, values, 1)[0]) if np.ptp(hours) else 0.0
        return Line(name, float(values[:third].mean()), float(values[-third:].mean()), slope)

    return [line(name) for name in samples[0].values]


def report(day: Day, samples: Sequence[Sample], say: Callable[[str], None]) -> bool:
    """The table; is everything as it should be?"""
    long_enough = len(samples) >= ENOUGH
    lines = lines_of(samples)
    say(f"{'':<32}{'first third':>12}{'last third':>12}{'an hour':>10}")
    for one in lines:
        verdict = "" if one.name not in BOUNDS else "flat" if one.is_flat else "GROWS"
        verdict = verdict if long_enough else ""
        say(f"{one.name:<32}{one.first:>12.1f}{one.last:>12.1f}{one.slope:>+10.1f}  {verdict}")
    say(
        f"calls {day.calls}: {day.tally.well} hung up, {day.attentive} with keys;",
    )
    say(f"failed {day.tally.failed}, with keys ended early {day.ended_early}")
    say(f"portal pages {day.pages}; SIP messages sent again by callers {day.tally.sent_again}")
    say(f"calls that the controller left to the dialplan {day.by_dialplan}")
    say(f"messages confirmed {day.confirmed}, missing {day.missing}, twice {day.found.twice}")
    if day.stories:
        say(f"callers without a message {len(day.stories)}; a promise, with an exclamation mark:")
    for story in day.stories:
        say(f"{'!' if story.is_promise(SHORTEST) else ' '} {story}")
    if not long_enough:
        say(f"with fewer than {ENOUGH} looks nobody can tell a leak from the beginning")
    flat = not long_enough or all(one.is_flat for one in lines)
    return flat and not day.missing and not day.found.twice


def plot(samples: Sequence[Sample]) -> str:
    """An SVG of both processes over the minutes."""

    def curve(name: str, colour: int, *, dashed: bool = False) -> Curve:
        points = [(one.at / 60, one.values[name]) for one in samples]
        return Curve(name.partition(",")[0], points, colour, dashed)

    memory = [curve("controller PSS, MB", 0), curve("Asterisk PSS, MB", 1)]
    counts = [
        curve("controller files", 0),
        curve("controller threads", 0, dashed=True),
        curve("Asterisk files", 1),
        curve("Asterisk threads", 1, dashed=True),
    ]
    return svg(
        "A working day's calls in half an hour",
        "minutes",
        [Panel("memory, MB", memory), Panel("open files, threads", counts)],
    )


def keep(samples: Sequence[Sample], file: Path) -> None:
    """As CSV, for whoever wants to look closer."""
    with file.open("w", newline="") as stream:
        rows = csv.DictWriter(stream, ["seconds", *samples[0].values])
        rows.writeheader()
        rows.writerows({"seconds": f"{one.at:.1f}", **one.values} for one in samples)


def _preserve(world: World, place: Path) -> None:
    """What may tell where a message went: logs, journal, and the outbox's own notes."""
    spool = shutil.ignore_patterns("*.wav", "mail", "dovecot", "slapd", "run")
    shutil.copytree(world.directory, place, ignore=spool, ignore_dangling_symlinks=True)


async def soak(options: argparse.Namespace, place: Path) -> tuple[Day, Sequence[Sample]]:
    """The whole day."""
    install = await asyncio.to_thread(find_or_fetch, report=print)
    print(await asyncio.to_thread(heading, install, seed=options.seed), flush=True)
    settings = "[sending]\nper_day = 0\n" + portal_settings(place, "anna")
    parts = (Part.LDAP, Part.IMAP)
    samples: list[Sample] = []
    async with World(install, place / "world", parts=parts, settings=settings) as world:
        await asyncio.to_thread(greet_with, world)
        day = Day(world, random.Random(options.seed))
        looking = asyncio.create_task(looks(world, samples))
        try:
            await day.lasts(options.minutes * 60, options.rate, place)
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking
            if options.samples and samples:
                await asyncio.to_thread(keep, samples, options.samples)
        day.by_dialplan = world.controller_log.read_text().count("goes to the dialplan")
        if options.evidence and (day.stories or day.found.twice):
            await asyncio.to_thread(_preserve, world, options.evidence)
    return day, samples


def main() -> int:
    """Soak and report."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=2.0, help="calls a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plot", type=Path, help="an SVG to write")
    parser.add_argument("--samples", type=Path, help="a CSV of all looks to write")
    parser.add_argument("--evidence", type=Path, help="a new directory for logs if one is missing")
    parser.add_argument("--quick", action="store_true", help="half a minute")
    options = parser.parse_args()
    if options.quick:
        options.minutes = 0.5
    with tempfile.TemporaryDirectory(prefix="vm-ari-soak-") as place:
        day, samples = asyncio.run(soak(options, Path(place)))
    well = report(day, samples, print)
    if options.plot:
        options.plot.write_text(plot(samples))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
