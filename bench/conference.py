"""A conference of many: CPU for each party, vm_ari beside ConfBridge, on one Asterisk in turn.

    python -m bench.conference [--parties 20] [--seconds 20]

All parties send a tone of their own, all the time. CPU is that of Asterisk, and with us that of the
controller, too; with talk detection on both sides, as both show who talks.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.heading import heading
from bench.processes import Process
from tests.system.conference_calls import PIN, hz_of, room_in, strength, tone
from vm_ari.adapters.asterisk.install import AsteriskInstall, find_or_fetch
from vm_ari.adapters.softphone import OutgoingCall, Softphone
from vm_ari.demo.world import World

PEER = "7103"
_DIALPLAN = f"""
[vm-ari-trunk](+)
exten => {PEER},1,Answer()
 same => n,ConfBridge({PEER},bench_bridge,bench_user)
"""
_CONFBRIDGE = """
[general]
[bench_user]
type=user
quiet=yes
announce_only_user=no
music_on_hold_when_empty=no
talk_detection_events=yes
[bench_bridge]
type=bridge
mixing_interval=20
internal_sample_rate=auto
"""


@dataclass(frozen=True)
class Cost:
    """What was measured."""

    name: str
    parties: int
    seconds: float
    asterisk: float
    """CPU seconds."""
    controller: float
    heard: int
    """Parties that heard another one's tone at the end."""

    @property
    def each(self) -> float:
        """Thousandths of a core for one party."""
        return (self.asterisk + self.controller) / self.seconds / self.parties * 1000


@asynccontextmanager
async def _world(install: AsteriskInstall, base: Path) -> AsyncIterator[World]:
    world = World(
        install,
        base,
        extra_configuration={"extensions.conf": _DIALPLAN, "confbridge.conf": _CONFBRIDGE},
        extra_modules=("app_confbridge.so",),
    )
    async with world:
        yield world


async def _cost(
    name: str, world: World, calls: Sequence[OutgoingCall], seconds: float, *, ours: bool
) -> Cost:
    """Everybody hums; what that costs in the middle of it."""
    hums = [
        asyncio.create_task(call.speak(tone(hz_of(place), seconds + 12)))
        for place, call in enumerate(calls)
    ]
    await asyncio.sleep(5)
    pid = world.asterisk.pid
    assert pid
    asterisk, controller = Process(pid), Process(world.controller_pid)
    before = (asterisk.cpu, controller.cpu)
    await asyncio.sleep(seconds)
    after = (asterisk.cpu, controller.cpu)
    heard = sum(
        strength(call.heard, hz_of((place + 1) % len(calls))) > 0.01
        for place, call in enumerate(calls)
    )
    for hum in hums:
        hum.cancel()
    await asyncio.gather(*hums, return_exceptions=True)
    return Cost(
        name,
        len(calls),
        seconds,
        after[0] - before[0],
        (after[1] - before[1]) if ours else 0.0,
        heard,
    )


async def _ours(world: World, parties: int, seconds: float) -> Cost:
    async with room_in(world, "4242") as room:
        calls = []
        for _ in range(parties):
            call = await room.phone.call(room.number)
            await call.press(f"{PIN}#", key_ms=60, gap_ms=60)
            calls.append(call)
        await room.until_there_are(parties)
        cost = await _cost("vm_ari", world, calls, seconds, ours=True)
        for call in calls:
            await call.hang_up()
        await room.until_over()
    return cost


async def _peer(world: World, phone: Softphone, parties: int, seconds: float) -> Cost:
    calls = [await phone.call(PEER) for _ in range(parties)]
    cost = await _cost("ConfBridge", world, calls, seconds, ours=False)
    for call in calls:
        await call.hang_up()
    return cost


async def _measure(options: argparse.Namespace) -> None:
    install = await asyncio.to_thread(find_or_fetch, report=print)
    print(await asyncio.to_thread(heading, install))
    with tempfile.TemporaryDirectory(prefix="vm-ari-bench-") as temporary:
        async with _world(install, Path(temporary) / "world") as world:
            found = [await _ours(world, options.parties, options.seconds)]
            async with world.outside_phone() as phone:
                found.append(await _peer(world, phone, options.parties, options.seconds))
    print(f"load of the machine meanwhile: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    print(f"{'':12}{'parties':>8}{'hear':>6}{'Asterisk':>10}{'controller':>12}{'each':>8}")
    for one in found:
        shares = (one.asterisk / one.seconds, one.controller / one.seconds)
        print(
            f"{one.name:12}{one.parties:8}{one.heard:6}{shares[0]:10.1%}{shares[1]:12.1%}"
            f"{one.each:8.2f}"
        )
    print(
        f"thousandths of a core for each, vm_ari / ConfBridge: {found[0].each / found[1].each:.2f}"
    )


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parties", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    asyncio.run(_measure(parser.parse_args()))


if __name__ == "__main__":
    main()
