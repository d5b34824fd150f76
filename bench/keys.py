"""Key to prompt: vm_ari beside app_voicemail, on one Asterisk.

    python -m bench.keys [--presses 10]

A user goes to and fro between the main menu and a menu below it, each time after the words have
ended, which takes half a minute with us: from the packet that ends the key to the first packet of
the next words.
"""

import argparse
import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.beside import WORDS, both
from bench.capture import capturing, udp_packets
from bench.first_audio import percentile
from bench.heading import heading
from vm_ari.adapters.asterisk.configuration import VOICEMAIL_KEY
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.adapters.softphone import Softphone
from vm_ari.demo.world import World

PEER_MENU = "7102"
_MENU = f"""
[vm-ari-phones](+)
exten => {PEER_MENU},1,VoiceMailMain(101@default,s)
 same => n,Hangup()
"""
_EVENTS = 96
"""Payload types from here on carry no audio of ours: keys are among them."""
_QUIET = 0.2
"""Seconds without a packet: then the next one begins new words."""
_PROMPT = re.compile(rb"\0(vm-[A-Za-z0-9-]+)(?=\0)")
PATIENCE = 150.0


@dataclass(frozen=True)
class Side:
    """Us, or the peer: whom to call, what to press to be in the menu, and the keys of the way."""

    name: str
    number: str
    first: str
    there: str
    back: str = "*"


async def _walk(phone: Softphone, side: Side, presses: int, pcap: Path) -> list[float]:
    async with capturing(pcap):
        call = await phone.call(side.number)
        if side.first:
            await call.falls_silent(1.0, within=PATIENCE)
            await call.press(side.first)
        for number in range(presses):
            await call.falls_silent(1.0, within=PATIENCE)
            await call.press(side.back if number % 2 else side.there)
            await asyncio.sleep(1.0)  # the next words have begun
        await call.hang_up()
    return list(answers(pcap, call.port))[-presses:]


def answers(pcap: Path, port: int) -> Iterator[float]:
    """Seconds from each end of a key to the words after it; *port*: the phone's."""
    released = last = 0.0
    for moment, packet in udp_packets(pcap):
        kind = packet.data[1] & 0x7F if len(packet.data) > 12 else 0
        if packet.sport == port and kind >= _EVENTS and packet.data[13] & 0x80:
            released = released or moment
        elif packet.dport == port and kind < _EVENTS:
            if released and released - last > _QUIET:
                yield moment - released
            released, last = 0.0, moment


def row(name: str, times: Sequence[float]) -> str:
    """A line of the table."""
    figures = (percentile([one * 1000 for one in times], p) for p in (50, 90, 100))
    return f"{name:14} {len(times):5}" + "".join(f"{figure:9.1f}" for figure in figures)


def _speak_for_the_peer(world: World, modules: Path) -> None:
    """Words for each prompt that its module names: Asterisk's own come in a package of theirs."""
    sounds = world.asterisk.instance.directory / "data" / "sounds" / "en"
    sounds.mkdir(parents=True, exist_ok=True)
    for name in set(_PROMPT.findall((modules / "app_voicemail.so").read_bytes())):
        shutil.copy(WORDS, sounds / f"{name.decode()}.wav")


async def _measure(options: argparse.Namespace) -> None:
    install = await asyncio.to_thread(find_or_fetch, report=print)
    print(await asyncio.to_thread(heading, install))
    with tempfile.TemporaryDirectory(prefix="vm-ari-bench-") as temporary:
        base = Path(temporary)
        async with both(install, base / "world", dialplan=_MENU) as world:
            _speak_for_the_peer(world, install.modules)
            found = await _sides(world, options.presses, base)
    print("milliseconds from the end of a key to the next words")
    print(f"{'':14} {'keys':>5}{'p50':>9}{'p90':>9}{'most':>9}")
    for name, times in found.items():
        print(row(name, times))
    ours, peer = (percentile(times, 50) for times in found.values())
    print(f"p50, vm_ari / app_voicemail: {ours / peer:.2f}")


async def _sides(world: World, presses: int, base: Path) -> dict[str, list[float]]:
    ours = Side("vm_ari", VOICEMAIL_KEY, f"{world.anna.pin}#", there="8")
    peer = Side("app_voicemail", PEER_MENU, "", there="0")
    async with world.phone_of(world.anna) as phone:
        return {
            side.name: await _walk(phone, side, presses, base / f"{side.name}.pcap")
            for side in (ours, peer)
        }


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--presses", type=int, default=10)
    asyncio.run(_measure(parser.parse_args()))


if __name__ == "__main__":
    main()
