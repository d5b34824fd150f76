"""Packet times: from each INVITE to the first audio packet of its answer."""

import asyncio
import io
import re
import struct
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import dpkt
import numpy as np
import soundfile

from vm_ari.adapters.ear import Audio
from vm_ari.demo.world import World

MEDIA = re.compile(rb"m=audio (\d+) ")
OPENING = 1.0
"""Seconds of a call's audio that are looked at."""
_ETHERNET, _UDP, _RTP = 14, 8, 12
_IPV4 = b"\x08\x00"
_PROTOCOL_UDP = 17


class Packet(NamedTuple):
    """What came in one UDP packet."""

    sport: int
    dport: int
    data: bytes


@dataclass(frozen=True)
class Reply:
    """Seconds from a caller's INVITE to the 200 and to the first RTP packet sent to him."""

    to_answer: float
    to_audio: float


@dataclass(frozen=True)
class Heard(Reply):
    """The same, and the longest time in the first second of audio that no packet came."""

    longest_hole: float
    opening: bytes = b""
    """What was heard in that second, as A-law."""

    @property
    def audio(self) -> Audio:
        """The opening, 8 kHz."""
        raw = io.BytesIO(self.opening)
        read, _ = soundfile.read(
            raw, dtype="float32", format="RAW", subtype="ALAW", samplerate=8000, channels=1
        )
        return np.asarray(read, np.float32)


@dataclass
class _Call:
    """What is known of one so far."""

    invited: float
    answered: float | None = None
    audio: list[float] = field(default_factory=list)
    opening: list[bytes] = field(default_factory=list)

    def hears(self, moment: float, packet: bytes) -> None:
        """An RTP packet for the caller."""
        if not self.audio or moment - self.audio[0] <= OPENING:
            self.audio.append(moment)
            self.opening.append(packet[_RTP:])

    def heard(self) -> Heard | None:
        """All of it; nothing for a call without an answer or without audio."""
        if self.answered is None or not self.audio:
            return None
        hole = max((b - a for a, b in pairwise(self.audio)), default=0.0)
        to_audio = self.audio[0] - self.invited
        return Heard(self.answered - self.invited, to_audio, hole, b"".join(self.opening))


@asynccontextmanager
async def capturing(file: Path, packets: str = "udp") -> AsyncIterator[None]:
    """Write packets on loopback into a pcap file: all UDP, or what that filter of pcap lets in.

    Says so when some were missed: then the machine was too busy to be measured.
    """
    tcpdump = await asyncio.create_subprocess_exec(
        "tcpdump", "-i", "lo", "-B", "32768", "-s", "1500", "-w", str(file),
        packets,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await _is_listening(tcpdump)
    try:
        yield
    finally:
        await asyncio.sleep(0.5)
        tcpdump.terminate()
        _, last_words = await tcpdump.communicate()
        missed = re.search(rb"(\d+) packets? dropped by kernel", last_words)
        if missed and int(missed[1]):
            print(f"the capture missed {int(missed[1])} packets", file=sys.stderr)


def calls_of(world: World) -> str:
    """The filter for what a capture needs of a world's calls: SIP, and what callers hear."""
    instance = world.asterisk.instance
    first, last = instance.rtp_range
    return f"udp and (port {instance.sip_port} or src portrange {first}-{last})"


async def _is_listening(tcpdump: Process) -> None:
    assert tcpdump.stderr
    while line := await tcpdump.stderr.readline():
        if b"listening on" in line:
            return
    raise RuntimeError("tcpdump ended at once: it needs the right to capture on lo")


def replies(file: Path, sip_port: int) -> list[Reply]:
    """One entry for each call whose audio came."""
    return [Reply(one.to_answer, one.to_audio) for one in heard(file, sip_port)]


def heard(file: Path, sip_port: int) -> list[Heard]:
    """One entry for each call whose audio came; a port may serve several, one after the other."""
    calls: dict[bytes, _Call] = {}
    ports: dict[int, _Call] = {}
    for moment, packet in udp_packets(file):
        if packet.dport == sip_port and packet.data.startswith(b"INVITE "):
            name = _call_id(packet.data)
            if name not in calls:  # else it was sent again
                calls[name] = ports[int(_media(packet.data))] = _Call(moment)
        elif packet.sport == sip_port and packet.data.startswith(b"SIP/2.0 200"):
            call = calls.get(_call_id(packet.data))
            if call and call.answered is None:
                call.answered = moment
        elif call := ports.get(packet.dport):
            call.hears(moment, packet.data)
    return [one for call in calls.values() if (one := call.heard())]


def udp_packets(file: Path) -> Iterator[tuple[float, Packet]]:
    """All of them, with their moments."""
    with file.open("rb") as stream:
        for moment, raw in dpkt.pcap.Reader(stream):
            if raw[12:14] != _IPV4 or raw[_ETHERNET + 9] != _PROTOCOL_UDP:
                continue
            udp = _ETHERNET + 4 * (raw[_ETHERNET] & 15)
            sport, dport = struct.unpack_from("!HH", raw, udp)
            yield float(moment), Packet(sport, dport, raw[udp + _UDP :])


def _media(message: bytes) -> bytes:
    found = MEDIA.search(message)
    if not found:
        raise ValueError("an INVITE without audio")
    return found[1]


def _call_id(message: bytes) -> bytes:
    found = re.search(rb"(?im)^Call-ID: *(\S+)", message)
    return found[1] if found else b""
