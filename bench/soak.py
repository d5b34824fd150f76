"""Eight hours of load in half an hour: does the controller need ever more of anything?

    python -m bench.soak [--minutes 30] [--calls 480] [--plot docs/soak.svg]

A working day's calls at one machine, on a directory and a mail server: callers leave messages,
their owners hear and delete them, so that mailboxes stay small. Every few seconds the controller's
memory, file descriptors and threads, and what lies in the spool, are written down. Printed are the
values after two fifths of the time, when all threads are there, and at the end, and the slope of
the line between for 1,000 calls; ends with 1 where it is steeper than the bounds below.

The journal, the SQLite files and what was delivered (kept for a day) grow with every call, as they
should: their growth is printed, and is no leak.
"""

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.system.callers import BEEP, NotHeard, babble
from tests.torture.figures import machine, versions
from tests.torture.stories import Listener
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.adapters.softphone.errors import CallEnded, SoftphoneError
from vm_ari.demo.parts import Part
from vm_ari.demo.world import Person, World

EVERY = 5.0
WARM = 0.4
"""Share of the time after which the first values count."""
ENOUGH = 200
HEARD_AFTER = 6
"""So many messages, then the owner hears and deletes them."""
GOES_WRONG = (SoftphoneError, NotHeard, TimeoutError)
BOUNDS: Mapping[str, float] = {
    "memory (MB)": 8.0,
    "file descriptors": 4.0,
    "threads": 3.0,
    "messages on their way": 3.0,
    "files of sessions": 3.0,
}
"""For 1,000 calls; the rest grows by design."""


@dataclass(frozen=True)
class Sample:
    """One look, so many calls after the begin."""

    at: float
    calls: int
    values: Mapping[str, float]


@dataclass
class Day:
    """A world, and what was seen of it."""

    world: World
    dice: random.Random
    calls: int = 0
    failed: int = 0
    samples: list[Sample] = field(default_factory=list)

    async def lasts(self, seconds: float, calls: int) -> None:
        """Spread the calls over the time; look at the controller meanwhile."""
        begun = time.monotonic()
        looking = asyncio.create_task(self._looks(begun))
        async with asyncio.TaskGroup() as running:
            for number in range(calls):
                at = begun + seconds * number / calls
                await asyncio.sleep(max(0.0, at - time.monotonic()))
                running.create_task(self._calls(number))
        looking.cancel()

    async def _looks(self, begun: float) -> None:
        while True:
            seen = await asyncio.to_thread(look, self.world)
            self.samples.append(Sample(time.monotonic() - begun, self.calls, seen))
            await asyncio.sleep(EVERY)

    async def _calls(self, number: int) -> None:
        person = self.world.people[number % 2]
        story = self._hears if number % HEARD_AFTER >= HEARD_AFTER - 2 else self._leaves
        try:
            async with asyncio.timeout(60):
                await story(person, number)
        except GOES_WRONG:
            self.failed += 1
        self.calls += 1

    async def _leaves(self, person: Person, number: int) -> None:
        async with self.world.outside_phone() as phone:
            call = await phone.call(person.number, from_number=f"+49308{number:06}")
            caller = Listener(call, person.language, "")
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(babble(self.dice.uniform(2.2, 6), number))
            with contextlib.suppress(*GOES_WRONG):
                await caller.presses(self.dice.choice(("#1", "#", "#41")))
                await asyncio.sleep(1)

    async def _hears(self, person: Person, number: int) -> None:
        """The beginning of each message, and away with it."""
        async with self.world.outside_phone() as phone:
            call = await phone.call(person.number, from_number=f"+49309{number:06}")
            caller = Listener(call, person.language, "")
            await caller.presses(f"*{person.pin}#", ms=60)
            await caller.hears("you-have")
            with contextlib.suppress(CallEnded):  # with the last message heard, a # ends the call
                await call.press("1", key_ms=60)
                for _ in range(HEARD_AFTER):
                    await asyncio.sleep(1.5)
                    await call.press("#", key_ms=60)
                    await asyncio.sleep(1.0)
                    await call.press("76", key_ms=60, gap_ms=300)
                await call.press("*#", key_ms=60)
                await asyncio.sleep(1)


def look(world: World) -> Mapping[str, float]:
    """What the controller uses just now. Blocking."""
    process = Path(f"/proc/{world.controller_pid}")
    status = dict(
        line.split(":", 1) for line in (process / "status").read_text().splitlines() if ":" in line
    )
    spool = world.spool
    waiting = [one for state in ("open", "new", "hold", "tmp") for one in (spool / state).glob("*")]
    return {
        "memory (MB)": int(status["VmRSS"].split()[0]) / 1024,
        "file descriptors": len(list((process / "fd").iterdir())),
        "threads": int(status["Threads"]),
        "messages on their way": len(waiting),
        "files of sessions": len(list((spool / "listening").glob("*"))),
        "delivered, kept for a day (MB)": _megabytes(spool / "done"),
        "databases (MB)": sum(one.stat().st_size for one in world.directory.glob("*.db*")) / 2**20,
    }


def _megabytes(directory: Path) -> float:
    total = 0
    for path in directory.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total / 2**20


@dataclass(frozen=True)
class Line:
    """One value over the calls."""

    name: str
    first: float
    last: float
    slope: float
    """For 1,000 calls, after the warm-up."""

    @property
    def is_flat(self) -> bool:
        """Or may it grow?"""
        return self.slope <= BOUNDS.get(self.name, float("inf"))


def lines_of(samples: Sequence[Sample]) -> Sequence[Line]:
    """After the warm-up; steps up and down are smoothed by the method of least squares."""
    warm = [one for one in samples if one.at >= WARM * samples[-1].at]
    calls = np.array([one.calls for one in warm], float)

    def line(name: str) -> Line:
        values = np.array([one.values[name] for one in warm])
        slope = float(np.polyfit(calls, values, 1)[0]) * 1000 if np.ptp(calls) else 0.0
        return Line(name, float(values[0]), float(values[-1]), slope)

    return [line(name) for name in samples[0].values]


def plot(samples: Sequence[Sample], names: Sequence[str]) -> str:
    """An SVG: each value as a share of its highest, over the time."""
    colours = ("#1f4e79", "#c0504d", "#4f8f2f")
    paths = []
    for row, (name, colour) in enumerate(zip(names, colours, strict=False)):
        highest = max(one.values[name] for one in samples) or 1.0
        points = " ".join(
            f"{40 + 540 * one.at / samples[-1].at:.1f},{180 - 150 * one.values[name] / highest:.1f}"
            for one in samples
        )
        label = f"{name}: {samples[-1].values[name]:.0f}, at most {highest:.0f}"
        paths.append(f'<polyline fill="none" stroke="{colour}" points="{points}"/>')
        paths.append(f'<text x="{40 + 190 * row}" y="205" fill="{colour}">{label}</text>')
    heading = f"controller, {samples[-1].calls} calls in {samples[-1].at:.0f} s"
    axis = f'<text x="40" y="20">{heading}</text>'
    frame = '<path d="M40 30V180H580" fill="none" stroke="#888"/>'
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 620 220" font-size="11">'
    return "\n".join([head, frame, axis, *paths, "</svg>\n"])


def report(day: Day, say: Callable[[str], None]) -> bool:
    """The table; is everything flat?"""
    lines = lines_of(day.samples)
    say(f"{day.calls} calls, {day.failed} of them ended early")
    say(f"{'':<32}{'warm':>9}{'end':>9}{'per 1,000 calls':>17}")
    for one in lines:
        verdict = "" if one.is_flat or day.calls < ENOUGH else "  GROWS"
        say(f"{one.name:<32}{one.first:>9.1f}{one.last:>9.1f}{one.slope:>17.1f}{verdict}")
    if day.calls < ENOUGH:
        say(f"with fewer than {ENOUGH} calls nobody can tell a leak from the beginning")
        return True
    return all(one.is_flat for one in lines)


async def soak(minutes: float, calls: int, place: Path, say: Callable[[str], None]) -> Day:
    """The whole day."""
    install = find_or_fetch()
    say(f"{machine()}; {versions(install)}")
    settings = "[sending]\nper_day = 0\n"
    parts = (Part.LDAP, Part.IMAP)
    async with World(install, place, parts=parts, settings=settings) as world:
        day = Day(world, random.Random(1))
        await day.lasts(minutes * 60, calls)
    return day


def main() -> int:
    """Soak and report."""
    options = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=30.0)
    options.add_argument("--calls", type=int, default=480)
    options.add_argument("--plot", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="vm-ari-soak-") as place:
        day = asyncio.run(soak(chosen.minutes, chosen.calls, Path(place) / "world", print))
    flat = report(day, print)
    if chosen.plot:
        names = ("memory (MB)", "file descriptors", "threads")
        chosen.plot.write_text(plot(day.samples, names))
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
