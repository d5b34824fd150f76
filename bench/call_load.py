"""More and more calls at once, until prompts come late: vm_ari beside app_voicemail.

    python -m bench.call_load [--levels 1,5,10,…] [--talk 10] [--plot docs/call-load.svg]

At each level as many calls as it says are kept up, at both sides in turn and on the same Asterisk:
greeting, seconds of speech, hang-up. A call is *clean* when it was answered and its greeting began
within 250 ms, without a hole of more than 100 ms in its first second. What our controller refuses
goes to the dialplan's own greeting, and is counted by the words of its log. The callers (sipp) run
on the same machine; their share of the CPU is printed, too.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.beside import PEER_NUMBER, both, call_in, cpu_seconds
from bench.capture import Heard, capturing, heard
from bench.first_audio import percentile
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.demo.world import World

LEVELS = (1, 5, 10, 20, 40, 70, 100, 150, 200, 300, 400)
LATEST = 0.25
"""Seconds after the INVITE; later, callers begin to wonder."""
LONGEST_HOLE = 0.1
_TO_CALLERS = "udp and (port {sip} or src portrange {media})"


@dataclass(frozen=True)
class Level:
    """What one side did with so many calls at once; CPU as cores."""

    at_once: int
    calls: int
    a_second: float
    heard: Sequence[Heard]
    refused: int
    controller: float
    asterisk: float
    machine: float
    megabytes: float

    @property
    def clean(self) -> int:
        """Calls, refused ones too where the other greeting came in time."""
        return sum(
            one.to_audio <= LATEST and one.longest_hole <= LONGEST_HOLE for one in self.heard
        )

    def audio(self, percent: int) -> float:
        """Milliseconds from the INVITE to the first audio."""
        return percentile([one.to_audio * 1000 for one in self.heard], percent)

    def row(self, name: str) -> str:
        """A line of the table."""
        done = max(self.calls, 1)
        seconds = self.calls / self.a_second
        return (
            f"{name:14} {self.at_once:5} {self.a_second:6.1f} {self.clean:5}/{self.calls:<5} "
            f"{self.refused:6} {self.audio(50):8.1f} {self.audio(99):8.1f} "
            f"{self.controller * seconds / done * 1000:8.1f} "
            f"{self.asterisk * seconds / done * 1000:8.1f} "
            f"{self.controller:6.2f} {self.asterisk:6.2f} {self.machine:6.2f} {self.megabytes:6.0f}"
        )


HEADER = (
    f"{'':14} {'calls':>5} {'per s':>6} {'clean':>11} {'refused':>6} {'p50 ms':>8} {'p99 ms':>8} "
    f"{'ctrl/call':>8} {'ast/call':>8} {'ctrl':>6} {'ast':>6} {'all':>6} {'MB':>6}"
)


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


async def _level(world: World, side: Side, at_once: int, options: argparse.Namespace) -> Level:
    rate = at_once / options.talk
    calls = max(8, 2 * at_once)
    asterisk = world.asterisk.pid
    assert asterisk
    packets = _TO_CALLERS.format(
        sip=world.server[1], media="{}-{}".format(*world.asterisk.instance.rtp_range)
    )
    with tempfile.TemporaryDirectory() as temporary:
        pcap = Path(temporary) / "calls.pcap"
        refused = _refused(world)
        before = _machine(), cpu_seconds(world.controller_pid), cpu_seconds(asterisk)
        began = asyncio.get_running_loop().time()
        async with capturing(pcap, packets):
            await call_in(
                world,
                side.number,
                Path(temporary),
                calls=calls,
                rate=rate,
                talk_ms=round(options.talk * 1000),
            )
        seconds = asyncio.get_running_loop().time() - began
        after = _machine(), cpu_seconds(world.controller_pid), cpu_seconds(asterisk)
        machine, controller, hers = (b - a for a, b in zip(before, after, strict=True))
        listened = await asyncio.to_thread(heard, pcap, world.server[1])
    return Level(
        at_once,
        calls,
        calls / seconds,
        listened,
        _refused(world) - refused,
        controller / seconds,
        hers / seconds,
        machine / seconds,
        _megabytes(world.controller_pid),
    )


def _machine() -> float:
    """Seconds of CPU that everybody has used."""
    user, nice, system, _idle, _wait, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def _megabytes(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1000 if found else 0.0


def _refused(world: World) -> int:
    return world.controller_log.read_text(errors="replace").count("goes to the dialplan")


async def _measure(options: argparse.Namespace) -> list[Side]:
    install = await asyncio.to_thread(find_or_fetch, report=print)
    sides = [Side("vm_ari", ""), Side("app_voicemail", PEER_NUMBER)]
    print(HEADER)
    with tempfile.TemporaryDirectory(prefix="vm-ari-bench-") as temporary:
        async with both(install, Path(temporary) / "world") as world:
            sides[0].number = world.anna.number
            for at_once in options.levels:
                for side in sides:
                    if side.broken:
                        continue
                    level = await _level(world, side, at_once, options)
                    side.levels.append(level)
                    print(level.row(side.name), flush=True)
                    side.broken = level.clean < level.calls / 2
                    await asyncio.sleep(3)  # messages are delivered, lamps told
    return sides


def plot(sides: Sequence[Side], file: Path) -> None:
    """Time to the first audio and CPU over the number of calls at once."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    times, cores = figure.subplots(2, 1, sharex=True)
    for side in sides:
        calls = [one.at_once for one in side.levels]
        for percent, line in ((50, "-"), (99, "--")):
            audio = [
                percentile([h.to_audio * 1000 for h in one.heard], percent) for one in side.levels
            ]
            times.plot(calls, audio, line, marker=".", label=f"{side.name}, p{percent}")
        whole = [one.controller + one.asterisk for one in side.levels]
        cores.plot(calls, whole, marker=".", label=f"{side.name}, with its Asterisk")
    ours = sides[0].levels
    cores.plot(
        [one.at_once for one in ours], [one.controller for one in ours], ":", label="controller"
    )
    times.set(yscale="log", ylabel="INVITE to first audio, ms")
    cores.set(xlabel="calls at once", ylabel="cores")
    for axes in (times, cores):
        axes.grid(visible=True, alpha=0.3)
        axes.legend()
    figure.savefig(file)


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--levels", type=lambda text: [int(n) for n in text.split(",")])
    parser.add_argument("--talk", type=float, default=10.0, help="seconds of each call")
    parser.add_argument("--plot", type=Path)
    parser.set_defaults(levels=list(LEVELS))
    options = parser.parse_args()
    sides = asyncio.run(_measure(options))
    if options.plot:
        plot(sides, options.plot)
    if not all(side.most for side in sides):
        sys.exit("not even the first level was clean at both sides")
    ours, peer = sides
    print(f"all calls clean up to: vm_ari {ours.most}, app_voicemail {peer.most} at once")


if __name__ == "__main__":
    main()
