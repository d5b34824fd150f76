"""What a phone sends in each 20 ms: keys before speech before silence; without any I/O."""

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from vm_ari.adapters.softphone.g711 import RATE, AnyAudio, Audio, Codec
from vm_ari.adapters.softphone.rtp import KEYS, KeyEvent, Packet

FRAME = 160
"""Samples per packet: 20 ms."""
FRAME_SECONDS = FRAME / RATE
_SILENCE = np.zeros(FRAME, np.float32)
_END_PACKETS = 3  # RFC 4733 section 2.5.1.4

Slot = Audio | KeyEvent | None
"""The content of one 20 ms; None rests."""


@dataclass(eq=False)
class Job:
    """Something to be sent; *done* is called when its last slot has gone out."""

    slots: deque[Slot]
    done: Callable[[], None] = field(default=lambda: None)


class Outflow:
    """Turns jobs into RTP packets, one slot after the other.

    *codec* and *keys* (payload type of telephone events) may change with a re-INVITE;
    *silence*: are packets sent while there is nothing to say?
    """

    def __init__(self, codec: Codec, keys: int | None, *, silence: bool) -> None:
        self.codec = codec
        self.keys = keys
        self.silence = silence
        self._pressed: deque[Job] = deque()
        self._spoken: deque[Job] = deque()
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)
        self._stamp = secrets.randbits(31)
        self._key_stamp: int | None = None
        self._flowing = False

    @property
    def idle(self) -> bool:
        """Is there nothing to be said or pressed?"""
        return not self._pressed and not self._spoken

    @property
    def pressing(self) -> bool:
        """Are there keys to be sent?"""
        return bool(self._pressed)

    def press(self, job: Job) -> None:
        """Send keys before anything else; speech waits."""
        self._pressed.append(job)

    def speak(self, job: Job) -> None:
        """Send audio after what is being said already."""
        self._spoken.append(job)

    def drop(self, job: Job) -> None:
        """Say no more of this."""
        for lane in (self._pressed, self._spoken):
            if job in lane:
                lane.remove(job)

    def packets(self, slot: int) -> list[Packet]:
        """What leaves in the 20 ms number *slot* since the stream began."""
        stamp = (self._stamp + slot * FRAME) & 0xFFFFFFFF
        content = self._next()
        if content is None and self.silence:
            content = _SILENCE
        match content:
            case None:
                self._flowing = False
                return []
            case KeyEvent():
                return self._key(content, stamp)
            case samples:
                first, self._flowing = not self._flowing, True
                payload = self.codec.encode(samples)
                return [self._packet(self.codec.value, stamp, payload, marker=first)]

    def _next(self) -> Slot:
        lane = self._pressed or self._spoken
        if not lane:
            return None
        job = lane[0]
        content = job.slots.popleft() if job.slots else None
        if not job.slots:
            lane.popleft()
            job.done()
        return content

    def _key(self, event: KeyEvent, stamp: int) -> list[Packet]:
        """All packets of one key carry the time it went down (RFC 4733 section 2.5.1.2)."""
        first = self._key_stamp is None
        down = stamp if self._key_stamp is None else self._key_stamp
        self._key_stamp = None if event.end else down
        payload_type = self.keys or 0
        return [
            self._packet(payload_type, down, event.encode(), marker=first)
            for _ in range(_END_PACKETS if event.end else 1)
        ]

    def _packet(self, payload_type: int, stamp: int, payload: bytes, *, marker: bool) -> Packet:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return Packet(payload_type, self._sequence, stamp, self._ssrc, payload, marker)


def speech(samples: AnyAudio) -> deque[Slot]:
    """The slots of some audio, the last one filled up with silence."""
    padded = np.pad(np.asarray(samples, np.float32), (0, -len(samples) % FRAME))
    return deque(padded.reshape(-1, FRAME))


def keys(digits: str, key_ms: int, gap_ms: int) -> deque[Slot]:
    """The slots of some keys, each down for *key_ms* with *gap_ms* after it (multiples of 20).

    Raises ValueError for a key no telephone has.
    """
    unknown = set(digits) - set(KEYS)
    if unknown or key_ms < 20:
        raise ValueError(f"not on a telephone: {sorted(unknown)}" if unknown else "key too short")
    return deque(slot for digit in digits for slot in _key_slots(digit, key_ms, gap_ms))


def _key_slots(digit: str, key_ms: int, gap_ms: int) -> Iterable[Slot]:
    frames = key_ms // 20
    for frame in range(frames):
        yield KeyEvent(digit, (frame + 1) * FRAME, end=False)
    yield KeyEvent(digit, frames * FRAME, end=True)
    yield from [None] * (gap_ms // 20)
