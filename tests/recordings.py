"""WAV files as Asterisk leaves them, whole or killed in the middle."""

import os
import struct
from pathlib import Path

import numpy as np

RATE = 8000
STEP = 32 * 1024
"""Asterisk writes so many bytes at a time."""
PAGE = 4096
"""Bytes, of which a disk takes all or none."""


def spoken(seconds: float) -> bytes:
    """Samples in which syllables (200 Hz bursts) and pauses alternate four times a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    loud = 0.3 * np.sin(2 * np.pi * 200 * time) * (np.sin(2 * np.pi * 4 * time) > 0)
    return (loud * 32767).astype("<i2").tobytes()


def silent(seconds: float) -> bytes:
    """Samples of an idle line."""
    return bytes(2 * round(seconds * RATE))


def wav(samples: bytes) -> bytes:
    """A finished recording."""
    sizes = len(samples) + 36, len(samples)
    return _header(*sizes) + samples


def killed(samples: bytes) -> bytes:
    """A recording whose Asterisk died: sizes 0, and only whole steps of the file are there."""
    whole = _header(0, 0) + samples
    return whole[: len(whole) // STEP * STEP]


def without_room(samples: bytes) -> bytes:
    """A recording whose disk was full: it ends with a page, and its header says nothing of that."""
    return wav(samples[: len(wav(samples)) // PAGE * PAGE - len(wav(b""))])


def with_a_hole(path: Path, samples: bytes) -> Path:
    """The same where the caller hung up: as long as it should be, but for the end without room."""
    whole = wav(samples)
    file = record(path, whole[: len(whole) // PAGE * PAGE - PAGE])
    os.truncate(file, len(whole))
    return file


def _header(riff: int, data: int) -> bytes:
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + fmt + struct.pack("<4sI", b"data", data)


def record(path: Path, content: bytes) -> Path:
    """Write a recording like Asterisk: by name without suffix, and without fsync."""
    file = path.with_name(path.name + ".wav")
    file.write_bytes(content)
    return file
