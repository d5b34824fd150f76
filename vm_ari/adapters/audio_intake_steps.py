"""From a file of any common format to what callers hear; runs in the confined worker."""

from enum import StrEnum

import numpy as np
import soundfile
import soxr

from vm_ari.adapters import audio
from vm_ari.adapters.audio import Samples
from vm_ari.adapters.prompt_rendering import chain

CONTAINERS = frozenset(["WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "CAF", "FLAC", "OGG", "MP3"])
"""What libsndfile may decode here; it knows more, which nobody uploads and nobody looks after."""
MOST_CHANNELS, HIGHEST_RATE = 8, 192_000
WIDE = 16_000
SPARE_SECONDS = 30.0
"""A file may be so much too long when the rest of it is silence."""
MOST_GAIN = 12.0
"""dB: what is not loud enough with so much more is silence, or the noise of a line."""
LEAST_SPEECH = 0.2
"""Seconds in which something must be heard."""


class Flaw(StrEnum):
    """What can be wrong with a recording."""

    UNREADABLE = "unreadable"
    UNKNOWN_FORMAT = "unknown-format"
    TOO_LARGE = "too-large"
    TOO_LONG = "too-long"
    TOO_SHORT = "too-short"
    SILENT = "silent"


class Unusable(Exception):
    """This recording cannot become a greeting."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


def prepare(descriptor: int, longest: float, shortest: float) -> tuple[bytes, bytes]:
    """16-bit samples at 8 kHz and 16 kHz: trimmed, levelled, never clipped. Raises `Unusable`."""
    samples = _audible(_read(descriptor, longest + SPARE_SECONDS))
    sounds = chain(samples, WIDE)
    seconds = len(sounds[".wav16"]) / WIDE
    if seconds > longest:
        raise Unusable(Flaw.TOO_LONG)
    if seconds < shortest:
        raise Unusable(Flaw.TOO_SHORT)
    return _pcm(sounds[".wav"]), _pcm(sounds[".wav16"])


def _read(descriptor: int, longest: float) -> Samples:
    """Mono at 16 kHz; a file is read piece by piece, so that it costs what it plays, not more."""
    try:
        with soundfile.SoundFile(descriptor, closefd=False) as file:
            if file.format not in CONTAINERS:
                raise Unusable(Flaw.UNKNOWN_FORMAT)
            if file.channels > MOST_CHANNELS or not 1000 <= file.samplerate <= HIGHEST_RATE:
                raise Unusable(Flaw.UNREADABLE)
            return _resampled(file, longest)
    except soundfile.SoundFileError:
        raise Unusable(Flaw.UNKNOWN_FORMAT) from None


def _resampled(file: soundfile.SoundFile, longest: float) -> Samples:
    stream = soxr.ResampleStream(file.samplerate, WIDE, 1, dtype="float32", quality="VHQ")
    pieces, length, ended = [], 0, False
    while not ended:
        block = file.read(audio.BLOCK, dtype="float32", always_2d=True)
        ended = len(block) < audio.BLOCK
        length += len(block)
        if length > longest * file.samplerate:
            raise Unusable(Flaw.TOO_LONG)
        # a file of floating point numbers may hold anything
        mono = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0).clip(-4.0, 4.0).mean(axis=1)
        pieces.append(stream.resample_chunk(mono, last=ended))
    return np.concatenate(pieces).astype(np.float64)


def _audible(samples: Samples) -> Samples:
    """The same a little louder, if there is anything to be heard. Raises `Unusable`."""
    peak = float(np.abs(samples).max(initial=0.0))
    if len(samples) < WIDE * LEAST_SPEECH:
        raise Unusable(Flaw.TOO_SHORT)
    if peak > 0:
        samples = samples * min(10 ** (MOST_GAIN / 20), 0.7 / peak)
    if audio.speech_seconds(samples, WIDE) < LEAST_SPEECH:
        raise Unusable(Flaw.SILENT)
    return samples


def _pcm(samples: Samples) -> bytes:
    return (samples.clip(-1.0, 1.0) * 32767).round().astype("<i2").tobytes()
