"""INVITE to first greeting audio, and CPU per call: vm_ari beside app_voicemail, on one Asterisk.

    python -m bench.first_audio [--calls 60] [--rate 5] [--rounds 3] [--directory ldap]
                                [--peer imap] [--transmit-silence yes]

Both are called in turn by sipp with audio in both directions: a greeting, seconds of speech, BYE.
Times are packet times of a capture on the loopback interface (needs the right to capture). With
*--directory ldap* each call looks its user up on a real slapd: the directory's cache is asked only
while no server answers. With *--peer imap* app_voicemail keeps messages by IMAP, and so do we, on
one Dovecot. With *--transmit-silence yes* both send callers a stream of silence while they talk.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.beside import PEER_NUMBER, Peer, both, kept, offer_silence, silence_sent
from bench.capture import Reply, calls_of, capturing, replies
from bench.heading import heading
from bench.processes import cpu_seconds
from bench.sipp import call_in
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.demo.parts import Part
from vm_ari.demo.world import World

TALK_MS = 9000
SETTLING = 2.0
"""Seconds until what the last call left behind is delivered: that counts, too."""


@dataclass
class Figures:
    """What one side did in all rounds."""

    name: str
    replies: list[Reply] = field(default_factory=list)
    calls: int = 0
    kept: int = 0
    controller_seconds: float = 0.0
    asterisk_seconds: float = 0.0

    def row(self) -> str:
        """A line of the table."""
        answer = [reply.to_answer * 1000 for reply in self.replies]
        audio = [reply.to_audio * 1000 for reply in self.replies]
        return (
            f"{self.name:19}{len(self.replies):4}/{self.calls:<4} {self.kept:5} "
            f"{percentile(answer, 50):8.1f} {percentile(answer, 99):8.1f} "
            f"{percentile(audio, 50):8.1f} {percentile(audio, 99):8.1f} "
            f"{self.controller_seconds / self.calls * 1000:10.1f} "
            f"{self.asterisk_seconds / self.calls * 1000:10.1f}"
        )


HEADER = (
    f"{'':19}{'ok':>9} {'kept':>5} {'200 p50':>8} {'p99':>8} {'audio p50':>8} {'p99':>7} "
    f"{'ctrl ms/call':>12} {'ast ms/call':>11}"
)


def percentile(values: Sequence[float], percent: int) -> float:
    """Of *values*; not a number where there are none."""
    ordered = sorted(values)
    return (
        ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else float("nan")
    )


async def _round(world: World, number: str, figures: Figures, options: argparse.Namespace) -> None:
    """One batch of calls to one side."""
    asterisk = world.asterisk.pid
    assert asterisk
    with tempfile.TemporaryDirectory() as temporary:
        pcap = Path(temporary) / "calls.pcap"
        kept_before = kept(world, number, options.peer)
        before = cpu_seconds(world.controller_pid), cpu_seconds(asterisk)
        async with capturing(pcap, calls_of(world)):
            await call_in(
                world.server,
                number,
                Path(temporary),
                calls=options.calls,
                rate=options.rate,
                talk_ms=TALK_MS,
            )
            await asyncio.sleep(SETTLING)
        after = cpu_seconds(world.controller_pid), cpu_seconds(asterisk)
        figures.replies += replies(pcap, world.server[1])
    figures.calls += options.calls
    figures.kept += kept(world, number, options.peer) - kept_before
    figures.controller_seconds += after[0] - before[0]
    figures.asterisk_seconds += after[1] - before[1]


def _parts(options: argparse.Namespace) -> Sequence[Part]:
    """What is on servers; one mail server for both sides."""
    ldap = [Part.LDAP] if options.directory == "ldap" else []
    return [*ldap, *([Part.IMAP] if options.peer is Peer.IMAP else [])]


async def _measure(options: argparse.Namespace) -> None:
    install = await asyncio.to_thread(find_or_fetch, report=print)
    print(await asyncio.to_thread(heading, install))
    ours, peer = Figures("vm_ari"), Figures(options.peer.label)
    with tempfile.TemporaryDirectory(prefix="vm-ari-bench-") as temporary:
        place = Path(temporary) / "world"
        async with both(
            install,
            place,
            parts=_parts(options),
            peer=options.peer,
            transmit_silence=options.transmit_silence,
        ) as world:
            for number in range(options.rounds):
                print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
                await _round(world, world.anna.number, ours, options)
                await _round(world, PEER_NUMBER, peer, options)
    print(
        f"{options.rounds} rounds of {options.calls} calls at {options.rate}/s; times in ms; "
        f"users: {options.directory}; peer's messages: {options.peer}"
    )
    print(silence_sent(options))
    print(HEADER, ours.row(), peer.row(), sep="\n")
    if not (ours.replies and peer.replies):
        raise SystemExit("no call was answered: there is nothing to compare")
    ratio = statistics.median(r.to_audio for r in ours.replies) / statistics.median(
        r.to_audio for r in peer.replies
    )
    print(f"time to first audio, vm_ari / {peer.name}: {ratio:.2f}")


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=60, help="calls a round and side")
    parser.add_argument("--rate", type=float, default=5, help="calls a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--directory", choices=("embedded", "ldap"), default="embedded")
    parser.add_argument("--peer", type=Peer, choices=list(Peer), default=Peer.FILES)
    offer_silence(parser)
    parser.add_argument("--quick", action="store_true", help="one round of ten calls")
    options = parser.parse_args()
    if options.quick:
        options.calls, options.rounds = 10, 1
    asyncio.run(_measure(options))


if __name__ == "__main__":
    main()
