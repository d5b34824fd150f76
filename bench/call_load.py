"""More and more calls at once, until prompts come late: vm_ari beside app_voicemail.

    python -m bench.call_load [--levels 1,25,50,…] [--talk 10] [--plot docs/call-load.svg]
                              [--transmit-silence yes]

At each level as many calls as it says are kept up, at both sides in turn and on the same Asterisk:
greeting, seconds of speech, hang-up. Every call is one of these: *clean*: answered, and its
greeting began within 250 ms, without a hole of more than 100 ms in its first second; *late*: heard,
but not so; *refused*: it was given to the dialplan, whose greeting is another one and begins after
half a second; *failed*: no answer, or no audio. *kept* are the messages that were in the mailbox
afterwards. The callers (sipp) and the capture run on the same machine, and need the CPU of the last
but one column; *idle* is what was left of it, in cores. With *--transmit-silence yes* both sides
send callers a stream of silence while they talk.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.beside import PEER_NUMBER, both, kept, offer_silence, silence_sent
from bench.capture import Heard, calls_of, capturing, heard
from bench.drawing import Curve, Panel, svg
from bench.first_audio import percentile
from bench.heading import heading
from bench.processes import Process, machine_seconds, our_programs_seconds
from bench.sipp import Tally, call_in
from tests.system.callers import likeness
from tests.system.mails import on_their_way
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.adapters.ear import Audio, read
from vm_ari.config import shared_files
from vm_ari.demo.world import World

LEVELS = (1, 25, 50, 100, 150, 200, 300, 400)
QUICK = (1, 10)
LATEST = 0.25
"""Seconds after the INVITE; later, callers begin to wonder."""
LONGEST_HOLE = 0.1
ALIKE = 0.8
PORTS = (30000, 31999)
"""For the audio of 1,000 calls; the usual share of an Asterisk of ours is enough for 200."""
SETTLING = 60.0
"""Seconds that what was recorded may take into the mailbox."""
FALLBACK = shared_files() / "sounds" / "de" / "fallback-greeting.wav"


@dataclass(frozen=True)
class Cores:
    """CPU while the calls were up."""

    controller: float
    asterisk: float
    callers: float
    idle: float


@dataclass(frozen=True)
class Level:
    """What one side did with so many calls at once."""

    at_once: int
    a_second: float
    calls: int
    heard: Sequence[Heard]
    refused: int
    kept: int
    tally: Tally
    seconds: float
    cores: Cores

    @property
    def clean(self) -> int:
        """Calls that nobody could complain of."""
        return sum(map(is_clean, self.heard))

    @property
    def late(self) -> int:
        """Calls that were served, and were not clean."""
        return len(self.heard) - self.clean - self.refused

    @property
    def failed(self) -> int:
        """Calls without an answer, or without audio."""
        return self.calls - len(self.heard)

    def audio(self, percent: int) -> float:
        """Milliseconds from the INVITE to the first audio."""
        return percentile([one.to_audio * 1000 for one in self.heard], percent)

    def row(self, name: str) -> str:
        """A line of the table."""
        ours, theirs = (
            cores * self.seconds / self.calls * 1000
            for cores in (self.cores.controller, self.cores.asterisk)
        )
        cells = [
            f"{name:14}{self.at_once:6}{self.a_second:7.1f}{self.calls:6}{self.clean:7}",
            f"{self.late:6}{self.refused:8}{self.failed:7}{self.kept:6}",
            f"{self.audio(50):9.1f}{self.audio(99):9.1f}{ours:9.1f}{theirs:9.1f}",
            f"{self.cores.controller:6.2f}{self.cores.asterisk:6.2f}",
            f"{self.cores.callers:6.2f}{self.cores.idle:6.2f}{self.tally.sent_again:7}",
        ]
        return "".join(cells)


HEADER = (
    f"{'':14}{'calls':>6}{'per s':>7}{'made':>6}{'clean':>7}{'late':>6}{'refused':>8}"
    f"{'failed':>7}{'kept':>6}{'p50 ms':>9}{'p99 ms':>9}{'ctrl ms':>9}{'ast ms':>9}"
    f"{'ctrl':>6}{'ast':>6}{'sipp':>6}{'idle':>6}{'resent':>7}"
)


def is_clean(one: Heard) -> bool:
    """Did the greeting come in time, and without a hole?"""
    return one.to_audio <= LATEST and one.longest_hole <= LONGEST_HOLE


def is_refused(one: Heard, fallback: Audio) -> bool:
    """Was it the dialplan's greeting that was heard?"""
    return not is_clean(one) and likeness(fallback, one.audio)[1] > ALIKE


@dataclass
class Side:
    """Us, or the peer."""

    name: str
    number: str
    levels: list[Level] = field(default_factory=list)
    broken: bool = False

    @property
    def most(self) -> int:
        """The highest level of which all calls were clean."""
        return max((one.at_once for one in self.levels if one.clean == one.calls), default=0)

    @property
    def most_a_second(self) -> float:
        """Clean calls a second, at the best level."""
        return max(one.a_second * one.clean / one.calls for one in self.levels)


async def _level(world: World, side: Side, at_once: int, options: argparse.Namespace) -> Level:
    rate = max(0.1, round(at_once / options.talk, 1))
    calls = max(4, 2 * at_once)
    with tempfile.TemporaryDirectory() as temporary:
        pcap = Path(temporary) / "calls.pcap"
        kept_before = kept(world, side.number)
        before, began = _seconds(world), asyncio.get_running_loop().time()
        async with capturing(pcap, calls_of(world)):
            tally = await call_in(
                world.server, side.number, Path(temporary),
                calls=calls, rate=rate, talk_ms=round(options.talk * 1000),
            )  # fmt: skip
        seconds = asyncio.get_running_loop().time() - began
        cores = Cores(*((b - a) / seconds for a, b in zip(before, _seconds(world), strict=True)))
        listened = await asyncio.to_thread(heard, pcap, world.server[1])
    fallback = read(FALLBACK)[:8000]
    refused = sum(is_refused(one, fallback) for one in listened)
    await _settles(world)
    came = kept(world, side.number) - kept_before
    return Level(at_once, rate, calls, listened, refused, came, tally, seconds, cores)


async def _settles(world: World) -> None:
    """What was recorded is in its mailbox; the next level begins with nothing on its way."""
    end = asyncio.get_running_loop().time() + SETTLING
    while on_their_way(world) and asyncio.get_running_loop().time() < end:
        await asyncio.sleep(0.5)
    await asyncio.sleep(2)  # lamps are told


def _seconds(world: World) -> tuple[float, float, float, float]:
    """CPU of the controller, of Asterisk and of the callers, and what nobody needed."""
    assert world.asterisk.pid
    ours, theirs = Process(world.controller_pid).cpu, Process(world.asterisk.pid).cpu
    return ours, theirs, our_programs_seconds(), machine_seconds()[1]


async def _measure(options: argparse.Namespace) -> list[Side]:
    install = await asyncio.to_thread(find_or_fetch, report=print)
    print(await asyncio.to_thread(heading, install))
    print(f"CPU a call in ms, then in cores; {options.talk:g} s of each call are speech")
    print(silence_sent(options))
    sides = [Side("vm_ari", ""), Side("app_voicemail", PEER_NUMBER)]
    print(HEADER)
    with tempfile.TemporaryDirectory(prefix="vm-ari-bench-") as temporary:
        async with both(
            install,
            Path(temporary) / "world",
            rtp_ports=PORTS,
            transmit_silence=options.transmit_silence,
        ) as world:
            sides[0].number = world.anna.number
            for at_once in options.levels:
                for side in [one for one in sides if not one.broken]:
                    level = await _level(world, side, at_once, options)
                    side.levels.append(level)
                    print(level.row(side.name), flush=True)
                    side.broken = level.clean + level.refused < level.calls / 2
    return sides


def plot(sides: Sequence[Side]) -> str:
    """An SVG: how many calls were clean, when the greeting began, and CPU, over the calls."""
    return svg(
        "Cost and quality by calls at once, on one machine",
        "calls at once",
        [
            Panel("clean calls, %", [_curve(one, n, _clean_share) for n, one in enumerate(sides)]),
            Panel(
                "INVITE to the first audio, ms",
                [
                    _curve(one, n, partial(Level.audio, percent=p), f" p{p}", dashed=p > 50)
                    for n, one in enumerate(sides)
                    for p in (50, 99)
                ],
                logarithmic=True,
            ),
            Panel(
                "cores used",
                [
                    *(_curve(one, n, _whole, " whole") for n, one in enumerate(sides)),
                    _curve(sides[0], 2, _controller, " controller"),
                ],
            ),
        ],
    )


def _curve(
    side: Side,
    colour: int,
    value: Callable[[Level], float],
    what: str = "",
    *,
    dashed: bool = False,
) -> Curve:
    points = [(float(one.at_once), value(one)) for one in side.levels]
    return Curve(side.name + what, points, colour, dashed)


def _clean_share(level: Level) -> float:
    return 100 * level.clean / level.calls


def _whole(level: Level) -> float:
    """With us, the controller is part of what a call costs."""
    return level.cores.asterisk + level.cores.controller


def _controller(level: Level) -> float:
    return level.cores.controller


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--levels", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--talk", type=float, default=10.0, help="seconds of each call")
    parser.add_argument("--plot", type=Path, help="an SVG to write")
    offer_silence(parser)
    parser.add_argument("--quick", action="store_true", help="two low levels only")
    options = parser.parse_args()
    options.levels = options.levels or list(QUICK if options.quick else LEVELS)
    sides = asyncio.run(_measure(options))
    if options.plot:
        options.plot.write_text(plot(sides))
    for side in sides:
        print(
            f"{side.name}: all calls clean up to {side.most} at once; "
            f"at most {side.most_a_second:.1f} clean calls a second"
        )
    if not all(side.levels for side in sides):
        sys.exit("one side was not measured")


if __name__ == "__main__":
    main()
