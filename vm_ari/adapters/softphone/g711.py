"""G.711 µ-law and A-law by table (ITU-T G.711; RTP payload types 0 and 8, RFC 3551)."""

from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Audio = NDArray[np.float32]
"""Mono samples at 8 kHz, -1.0 … 1.0, as received."""
AnyAudio = NDArray[np.floating[Any]]
"""The same in any precision, as given to be sent."""


class Codec(Enum):
    """How a sample is squeezed into a byte; the value is the RTP payload type."""

    PCMU = 0
    PCMA = 8

    def encode(self, samples: AnyAudio) -> bytes:
        """One byte per sample: the code whose level is nearest."""
        pcm = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)
        codes: NDArray[np.uint8] = _CODES[self][pcm.view(np.uint16)]
        return codes.tobytes()

    def decode(self, payload: bytes) -> Audio:
        """The samples of an RTP payload."""
        return _LEVELS[self][np.frombuffer(payload, np.uint8)]


def _mu_law() -> NDArray[np.int32]:
    code = ~np.arange(256) & 0xFF
    magnitude = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)
    return np.array(np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84), np.int32)


def _a_law() -> NDArray[np.int32]:
    code = np.arange(256) ^ 0x55
    segment = (code & 0x70) >> 4
    step = ((code & 0x0F) << 4) + np.where(segment == 0, 8, 0x108)
    magnitude = step << np.maximum(segment - 1, 0)
    return np.array(np.where(code & 0x80, magnitude, -magnitude), np.int32)


def _nearest_codes(levels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """For every 16-bit sample the code to send; G.711's decision values are the middles."""
    order = np.argsort(levels, kind="stable")
    middles = (levels[order][1:] + levels[order][:-1]) / 2
    every_sample = np.arange(65536, dtype=np.uint16).view(np.int16)
    return order[np.searchsorted(middles, every_sample, side="right")].astype(np.uint8)


_PCM = {Codec.PCMU: _mu_law(), Codec.PCMA: _a_law()}
_LEVELS = {codec: (pcm / 32768.0).astype(np.float32) for codec, pcm in _PCM.items()}
_CODES = {codec: _nearest_codes(pcm) for codec, pcm in _PCM.items()}
