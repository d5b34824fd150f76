"""A forwarded voice message and the comment on it, as one recording (INBOX-08).

Piece by piece, so that a message of any length costs no memory. The rate is the better of the two,
the comment is as loud as the message, and a tone lies between them.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
import soundfile
import soxr
import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.audio import QUIETEST, Samples, active_level, silence, tone
from vm_ari.domain.messages import VoiceMessage
from vm_ari.ports import Whole

log = structlog.get_logger(__name__)

NAME = "joined.wav"
PAUSE = 0.4
"""Seconds of silence around the tone."""
TONE_HERTZ, TONE_SECONDS, TONE_LEVEL = 440.0, 0.25, -25.0
MEASURED = 60
"""Seconds at the beginning that tell how loud a recording is."""
HIGHEST_PEAK = 0.97
MOST_GAIN = 15.0
"""dB: what is nearly silent stays quiet."""
PIECE = 65_536
"""Samples in memory at a time."""
AT_ONCE = 1


class ForwardedAudio:
    """Joins recordings in a thread of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="forwarded-audio")

    async def __call__(self, message: VoiceMessage) -> Whole | None:
        """One durable file beside the original; None, with a line in the log, if it cannot be."""
        original, comment = Path(message.original), Path(message.audio) if message.audio else None
        loop = asyncio.get_running_loop()
        try:
            path, seconds = await loop.run_in_executor(self._threads, joined, comment, original)
        except (OSError, soundfile.SoundFileError) as error:
            log.error("audio not joined", call=message.facts.id, reason=type(error).__name__)
            return None
        return Whole(str(path), seconds, with_original=False)

    def close(self) -> None:
        """What is being joined is joined again after the next start."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def joined(comment: Path | None, original: Path) -> tuple[Path, float]:
    """Make the file anew; its seconds. Raises OSError, SoundFileError."""
    target = original.with_name(NAME)
    unfinished = target.with_name(NAME + durable.UNFINISHED)
    paths = [comment, original] if comment else [original]
    rate = max(soundfile.info(path).samplerate for path in paths)
    with soundfile.SoundFile(unfinished, "w", rate, 1, "PCM_16", format="WAV") as out:
        if comment:
            gain = _gain(comment, original)
            for piece in chain(_pieces(comment, rate, gain), _between(rate)):
                out.write(piece)
        for piece in _pieces(original, rate, 1.0):
            out.write(piece)
        seconds = out.tell() / rate
    durable.sync(unfinished)
    durable.move(unfinished, target)
    return target, seconds


def _between(rate: int) -> Iterator[Samples]:
    yield silence(PAUSE, rate)
    yield tone(TONE_HERTZ, TONE_SECONDS, rate, TONE_LEVEL)
    yield silence(PAUSE, rate)


def _gain(comment: Path, original: Path) -> float:
    """What makes the comment as loud as the message."""
    (wanted, _), (there, peak) = _loudness(original), _loudness(comment)
    if min(wanted, there) <= QUIETEST:
        return 1.0
    gain = float(10 ** (np.clip(wanted - there, -MOST_GAIN, MOST_GAIN) / 20))
    return min(gain, max(1.0, HIGHEST_PEAK / peak))


def _loudness(path: Path) -> tuple[float, float]:
    """Active level in dBFS, and the highest peak."""
    with soundfile.SoundFile(path) as source:
        samples = source.read(MEASURED * source.samplerate, always_2d=True).mean(axis=1)
        if not samples.any():
            return QUIETEST, 0.0
        return active_level(samples, source.samplerate), float(np.abs(samples).max())


def _pieces(path: Path, rate: int, gain: float) -> Iterator[Samples]:
    """At the wanted rate."""
    with soundfile.SoundFile(path) as source:
        stream = soxr.ResampleStream(source.samplerate, rate, 1, dtype="float64")
        more = True
        while more:
            piece = source.read(PIECE, always_2d=True).mean(axis=1)
            more = len(piece) == PIECE
            if source.samplerate != rate:
                piece = stream.resample_chunk(piece, last=not more)
            yield np.clip(piece * gain, -1.0, 1.0)
