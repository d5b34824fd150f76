"""INVITE to first greeting audio, and CPU per call: vm_ari beside app_voicemail, on one Asterisk.

    python -m bench.first_audio [--calls 60] [--rate 5] [--rounds 3]

Both are called in turn by sipp with audio in both directions: a greeting, seconds of speech, BYE.
Times are packet times of a capture on the loopback interface (needs the right to capture).
"""

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.capture import Reply, capturing, replies
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.config import shared_files
from vm_ari.demo.world import World

TALK_MS = 9000
SIPP_PORT = 24100
PEER_NUMBER = "7101"
PEER_DIALPLAN = f"""
[vm-ari-trunk](+)
exten => {PEER_NUMBER},1,VoiceMail(101@default,us)
 same => n,Hangup()
"""
PEER_VOICEMAIL = """
[general]
format=wav
maxsecs=180
minsecs=0
maxsilence=10
[default]
101 => 1234,Anna
"""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Figures:
    """What one side did in all rounds."""

    name: str
    replies: list[Reply] = field(default_factory=list)
    calls: int = 0
    controller_seconds: float = 0.0
    asterisk_seconds: float = 0.0

    def row(self) -> str:
        """A line of the table."""
        answer = [reply.to_answer * 1000 for reply in self.replies]
        audio = [reply.to_audio * 1000 for reply in self.replies]
        return (
            f"{self.name:14} {len(self.replies):4}/{self.calls:<4} "
            f"{_percentile(answer, 50):8.1f} {_percentile(answer, 99):8.1f} "
            f"{_percentile(audio, 50):8.1f} {_percentile(audio, 99):8.1f} "
            f"{self.controller_seconds / self.calls * 1000:10.1f} "
            f"{self.asterisk_seconds / self.calls * 1000:10.1f}"
        )


HEADER = (
    f"{'':14} {'ok':>9} {'200 p50':>8} {'p99':>8} {'audio p50':>8} {'p99':>7} "
    f"{'ctrl ms/call':>12} {'ast ms/call':>11}"
)


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return (
        ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else float("nan")
    )


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def _round(world: World, number: str, figures: Figures, options: argparse.Namespace) -> None:
    """One batch of calls to one side."""
    asterisk = world.asterisk.pid
    assert asterisk
    with tempfile.TemporaryDirectory() as temporary:
        pcap = Path(temporary) / "calls.pcap"
        before = _cpu_seconds(world.controller_pid), _cpu_seconds(asterisk)
        async with capturing(pcap):
            await _sipp(world, number, options, Path(temporary))
        after = _cpu_seconds(world.controller_pid), _cpu_seconds(asterisk)
        figures.replies += replies(pcap, world.server[1])
    figures.calls += options.calls
    figures.controller_seconds += after[0] - before[0]
    figures.asterisk_seconds += after[1] - before[1]


async def _sipp(world: World, number: str, options: argparse.Namespace, place: Path) -> None:
    speech = place / "speech.alaw"
    speech.write_bytes(bytes(range(0x54, 0xD4)) * 500)
    scenario = (Path(__file__).parent / "sipp_call.xml").read_text()
    scenario = scenario.replace("@SPEECH@", str(speech)).replace("@PAUSE@", str(TALK_MS))
    (place / "scenario.xml").write_text(scenario)
    sipp = await asyncio.create_subprocess_exec(
        "sipp", f"{world.server[0]}:{world.server[1]}", "-sf", str(place / "scenario.xml"),
        "-s", number, "-i", "127.0.0.1", "-mi", "127.0.0.1", "-p", str(SIPP_PORT),
        "-m", str(options.calls), "-r", str(options.rate), "-nostdin", "-timeout", "120",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, cwd=place,
    )  # fmt: skip
    _, errors = await sipp.communicate()
    if sipp.returncode:
        print(f"sipp ended with {sipp.returncode}: {errors.decode()[-300:]}", file=sys.stderr)


def _peer_greeting(world: World) -> None:
    """The peer plays a recorded greeting, so that both begin with the same audio."""
    mailbox = world.asterisk.instance.spool / "voicemail" / "default" / "101"
    mailbox.mkdir(parents=True, exist_ok=True)
    shutil.copy(shared_files() / "sounds" / "de" / "you-have-reached.wav", mailbox / "unavail.wav")


async def _measure(options: argparse.Namespace) -> None:
    install = await asyncio.to_thread(find_or_fetch, report=print)
    ours, peer = Figures("vm_ari"), Figures("app_voicemail")
    with tempfile.TemporaryDirectory(prefix="vm-ari-bench-") as temporary:
        world = World(
            install,
            Path(temporary) / "world",
            extra_modules=("app_voicemail.so",),
            extra_configuration={
                "extensions.conf": PEER_DIALPLAN,
                "voicemail.conf": PEER_VOICEMAIL,
                "rtp.conf": "strictrtp=no\n",  # sipp sends from another port than it names
            },
        )
        async with world:
            _peer_greeting(world)
            for number in range(options.rounds):
                print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
                await _round(world, world.anna.number, ours, options)
                await _round(world, PEER_NUMBER, peer, options)
    print(f"{options.rounds} rounds of {options.calls} calls at {options.rate}/s; times in ms")
    print(HEADER, ours.row(), peer.row(), sep="\n")
    if not (ours.replies and peer.replies):
        raise SystemExit("no call was answered: there is nothing to compare")
    ratio = statistics.median(r.to_audio for r in ours.replies) / statistics.median(
        r.to_audio for r in peer.replies
    )
    print(f"time to first audio, vm_ari / app_voicemail: {ratio:.2f}")


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=60, help="calls a round and side")
    parser.add_argument("--rate", type=float, default=5, help="calls a second")
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(_measure(parser.parse_args()))


if __name__ == "__main__":
    main()
