"""Packet times: from each INVITE to the first audio packet of its answer."""

import asyncio
import re
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import dpkt

MEDIA = re.compile(rb"m=audio (\d+) ")


@dataclass(frozen=True)
class Reply:
    """Seconds from a caller's INVITE to the 200 and to the first RTP packet sent to him."""

    to_answer: float
    to_audio: float


@dataclass(frozen=True)
class Heard(Reply):
    """The same, and the longest time in the first second of audio that no packet came."""

    longest_hole: float


@asynccontextmanager
async def capturing(file: Path, packets: str = "udp") -> AsyncIterator[None]:
    """Write packets on loopback into a pcap file: all UDP, or what that filter of pcap lets in."""
    tcpdump = await asyncio.create_subprocess_exec(
        "tcpdump", "-i", "lo", "-U", "-B", "16384", "-s", "1500", "-w", str(file),
        packets,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    await _is_listening(tcpdump)
    try:
        yield
    finally:
        await asyncio.sleep(0.5)
        tcpdump.terminate()
        await tcpdump.wait()


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
    """One entry for each call whose audio came."""
    invited: dict[int, float] = {}
    call_ids: dict[bytes, int] = {}
    answered: dict[int, float] = {}
    audio: dict[int, list[float]] = {}
    for moment, packet in udp_packets(file):
        if packet.dport == sip_port and packet.data.startswith(b"INVITE "):
            port = int(_media(packet.data))
            if call_ids.setdefault(_call_id(packet.data), port) == port:
                invited.setdefault(port, moment)
        elif packet.sport == sip_port and packet.data.startswith(b"SIP/2.0 200"):
            port_or_none = call_ids.get(_call_id(packet.data))
            if port_or_none is not None:
                answered.setdefault(port_or_none, moment)
        elif packet.dport in invited:
            came = audio.setdefault(packet.dport, [])
            if not came or moment - came[0] <= 1.0:
                came.append(moment)
    return [
        Heard(
            answered[port] - start,
            audio[port][0] - start,
            max((b - a for a, b in pairwise(audio[port])), default=0.0),
        )
        for port, start in invited.items()
        if port in audio and port in answered
    ]


def udp_packets(file: Path) -> Iterator[tuple[float, dpkt.udp.UDP]]:
    """All of them, with their moments."""
    with file.open("rb") as stream:
        for moment, raw in dpkt.pcap.Reader(stream):
            network = dpkt.ethernet.Ethernet(raw).data
            if isinstance(network, dpkt.ip.IP) and isinstance(network.data, dpkt.udp.UDP):
                yield float(moment), network.data


def _media(message: bytes) -> bytes:
    found = MEDIA.search(message)
    if not found:
        raise ValueError("an INVITE without audio")
    return found[1]


def _call_id(message: bytes) -> bytes:
    found = re.search(rb"(?im)^Call-ID: *(\S+)", message)
    return found[1] if found else b""
