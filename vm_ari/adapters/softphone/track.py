"""What a call has heard, on the call's own clock, computed without any I/O."""

from dataclasses import dataclass

import numpy as np

from vm_ari.adapters.softphone.g711 import RATE, Audio
from vm_ari.adapters.softphone.rtp import Packet

_FRAME = 160  # Asterisk stamps the end of a packet: odd-sized ones seem to overlap a little
_MAX_STEPS = 500  # packets one loss or stall may span before the stream counts as a new one
_TOLERANCE = RATE // 10  # a timestamp this near to the arrival is believed after a pause
_AUDIBLE = 0.004  # -48 dBFS: above the noise of G.711's silence


@dataclass(frozen=True)
class _Placed:
    packet: Packet
    position: int
    samples: int


class Tally:
    """How many RTP packets came, and how many did not."""

    def __init__(self) -> None:
        self.received = 0
        self.lost = 0
        self._newest: Packet | None = None

    def count(self, packet: Packet) -> None:
        """A gap in the sequence numbers is a loss, until the late packet fills it."""
        self.received += 1
        newest = self._newest
        step = _signed(packet.sequence - newest.sequence, 16) if newest else 1
        if newest is None or packet.ssrc != newest.ssrc or abs(step) > _MAX_STEPS:
            self._newest = packet
        elif step > 0:
            self.lost += step - 1
            self._newest = packet
        elif step < 0:
            self.lost = max(0, self.lost - 1)


class Track:
    """Received audio; sample 0 is the moment the call began, pauses are zeros.

    A packet that continues its predecessor is placed by its RTP timestamp, so the audio stays
    true to the sample however late it is read; after a pause the arrival decides within 0.1 s.
    """

    def __init__(self) -> None:
        self._samples = np.zeros(10 * RATE, np.float32)
        self._end = 0
        self._last: _Placed | None = None

    @property
    def audio(self) -> Audio:
        """A copy of everything up to the last packet, -1.0 … 1.0 at 8 kHz."""
        return self._samples[: self._end].copy()

    def place(self, packet: Packet, samples: Audio, arrival: float) -> bool:
        """Put the packet's *samples* where they belong; *arrival*: seconds since the call began.

        True: there is something to be heard in it.
        """
        start = self._position(packet, len(samples), arrival)
        end = start + len(samples)
        self._grow(end)
        self._samples[start:end] = samples
        self._end = max(self._end, end)
        self._last = _Placed(packet, start, len(samples))
        return len(samples) > 0 and float(np.abs(samples).max()) > _AUDIBLE

    def _position(self, packet: Packet, count: int, arrival: float) -> int:
        by_arrival = max(round(arrival * RATE), self._end)
        last = self._last
        if last is None or packet.ssrc != last.packet.ssrc:
            return by_arrival
        steps = _signed(packet.sequence - last.packet.sequence, 16)
        ticks = _signed(packet.timestamp - last.packet.timestamp, 32)
        by_stamp, follows = last.position + ticks, last.position + last.samples
        if steps == 1 and abs(by_stamp - follows) < _FRAME:
            return follows
        if 0 < abs(steps) <= _MAX_STEPS and ticks == steps * count:
            return max(by_stamp, 0)
        if steps > 0 and abs(by_stamp - arrival * RATE) <= _TOLERANCE:
            return max(by_stamp, self._end)
        return by_arrival

    def _grow(self, end: int) -> None:
        if end > len(self._samples):
            bigger = np.zeros(max(end, 2 * len(self._samples)), np.float32)
            bigger[: self._end] = self._samples[: self._end]
            self._samples = bigger


def _signed(difference: int, bits: int) -> int:
    """The shorter way round between two counters that wrap."""
    half = 1 << (bits - 1)
    return (difference + half) % (1 << bits) - half
