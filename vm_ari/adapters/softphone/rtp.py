"""RTP packets and telephone events, read and written without any I/O (RFC 3550, RFC 4733)."""

import struct
from dataclasses import dataclass

KEYS = "0123456789*#ABCD"  # position = event code, RFC 4733 section 3.2
_HEADER = struct.Struct("!BBHII")
_EVENT = struct.Struct("!BBH")
_VOLUME = 10  # dBm0 below full scale, the usual level of a key


class NotRtp(ValueError):
    """These bytes are not a usable RTP packet."""


@dataclass(frozen=True)
class Packet:
    """One RTP packet."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False

    def encode(self) -> bytes:
        """The bytes of one datagram."""
        second = self.payload_type | (0x80 if self.marker else 0)
        head = _HEADER.pack(0x80, second, self.sequence, self.timestamp, self.ssrc)
        return head + self.payload


@dataclass(frozen=True)
class KeyEvent:
    """A key that is held down, or released (*end*), after *samples* of 1/8000 s."""

    key: str
    samples: int
    end: bool

    def encode(self) -> bytes:
        """The payload of the packet (RFC 4733 section 2.3)."""
        flags = _VOLUME | (0x80 if self.end else 0)
        return _EVENT.pack(KEYS.index(self.key), flags, min(self.samples, 0xFFFF))


def parse(datagram: bytes) -> Packet:
    """Read one datagram, without CSRC list, extension and padding; raises NotRtp."""
    if len(datagram) < _HEADER.size:
        raise NotRtp("too short")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(datagram)
    if first >> 6 != 2:
        raise NotRtp("not version 2")
    start = _HEADER.size + 4 * (first & 0x0F)
    if first & 0x10:
        if len(datagram) < start + 4:
            raise NotRtp("cut in its extension")
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4])
    end = len(datagram) - (datagram[-1] if first & 0x20 else 0)
    if start > end:
        raise NotRtp("cut short")
    return Packet(
        second & 0x7F, sequence, timestamp, ssrc, datagram[start:end], bool(second & 0x80)
    )


def parse_key(payload: bytes) -> KeyEvent:
    """Read a telephone event; raises NotRtp for events that are not keys."""
    if len(payload) < _EVENT.size:
        raise NotRtp("event too short")
    code, flags, samples = _EVENT.unpack_from(payload)
    if code >= len(KEYS):
        raise NotRtp("not a key")
    return KeyEvent(KEYS[code], samples, bool(flags & 0x80))
