"""Audio as numbers: read, measure, level, trim and encode sound files; repair broken recordings.

Samples are mono float arrays in -1 … 1, levels are dBFS (mean power, full scale = 1.0). Everything
here blocks: asyncio code calls it in a thread.
"""

import tempfile
from collections.abc import Iterator
from enum import Enum
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from vm_ari.adapters.wav_header import BadAudio, repair_wav_header, wav_seconds

__all__ = [
    "AudioFormat",
    "BadAudio",
    "Samples",
    "active_level",
    "encode",
    "faded",
    "frame_levels",
    "highpass",
    "level",
    "read",
    "repair_wav_header",
    "resample",
    "silence",
    "speech_seconds",
    "tone",
    "trim",
    "wav_seconds",
    "write_wav",
]

Samples = NDArray[np.float64]

FRAME, HOP = 0.02, 0.01
"""Seconds: level is measured in frames of 20 ms, one every 10 ms."""
BLOCK = 65_536
"""Frames read at a time."""
ACTIVE_BELOW_LOUDEST = 20.0
"""dB: frames quieter than this below the loudest are pauses (near ITU-T P.56 for clean speech)."""
PROMPT_LEVEL, PROMPT_CEILING = -19.0, -3.0
QUIETEST = -120.0
"""dBFS: what digital silence measures."""


class AudioFormat(Enum):
    """What a voice message can be sent as: libsndfile format and subtype, suffix, media type."""

    WAV = ("WAV", "PCM_16", ".wav", "audio/x-wav")
    WAV49 = ("WAV", "GSM610", ".wav", "audio/x-wav")
    MP3 = ("MP3", "MPEG_LAYER_III", ".mp3", "audio/mpeg")
    OPUS = ("OGG", "OPUS", ".ogg", "audio/ogg")

    def __init__(self, container: str, codec: str, suffix: str, media_type: str) -> None:
        self.container = container
        self.codec = codec
        self.suffix = suffix
        self.media_type = media_type


def read(path: Path) -> tuple[Samples, int]:
    """The samples (several channels mixed to one) and their rate in Hz. Raises BadAudio."""
    try:
        with soundfile.SoundFile(path) as file:
            return np.concatenate(list(_blocks(file))).mean(axis=1), int(file.samplerate)
    except (soundfile.SoundFileError, OSError) as error:
        raise BadAudio(path, f"cannot be read as audio ({error})") from error


def _blocks(file: soundfile.SoundFile) -> Iterator[Samples]:
    """Frames × channels until there are no more: the length in a header may be a lie."""
    while True:
        block = file.read(BLOCK, always_2d=True)
        yield block
        if len(block) < BLOCK:
            return


def write_wav(path: Path, samples: Samples, rate: int) -> None:
    """Write 16-bit mono WAV whatever the suffix is: Asterisk calls 16 kHz WAV ``.wav16``."""
    soundfile.write(path, samples, rate, format="WAV", subtype="PCM_16")


def encode(path: Path, to: AudioFormat) -> bytes:
    """The file in another format, for an attachment. WAV49 is always 8 kHz. Raises BadAudio."""
    samples, rate = read(path)
    if to is AudioFormat.WAV49:
        samples, rate = resample(samples, rate, 8000), 8000
    how = {"format": to.container, "subtype": to.codec, "closefd": False}
    try:
        # A file without a name: into memory the library writes by callbacks, for which it makes
        # memory executable, and a confined service may not.
        with tempfile.TemporaryFile() as out:
            with soundfile.SoundFile(out.fileno(), "w", rate, 1, **how) as target:
                target.write(samples)
            out.seek(0)
            return out.read()
    except (soundfile.SoundFileError, ValueError, OSError) as error:
        raise BadAudio(path, f"cannot be made {to.name} ({error})") from error


def resample(samples: Samples, rate: int, wanted: int) -> Samples:
    """The same sound at another rate (Hz), with a proper anti-alias filter."""
    if rate == wanted:
        return samples
    return np.asarray(soxr.resample(samples, rate, wanted, "VHQ"), dtype=np.float64)


def frame_levels(samples: Samples, rate: int) -> Samples:
    """The level of every frame in dBFS, one per `HOP` seconds; at least one."""
    length, step = int(FRAME * rate), int(HOP * rate)
    padded = np.pad(samples, (0, max(0, length - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::step]
    return _decibels((frames**2).mean(axis=1))


def active_level(samples: Samples, rate: int) -> float:
    """Level of the parts where somebody speaks, dBFS; pauses do not count."""
    levels = frame_levels(samples, rate)
    spoken = levels[levels > levels.max() - ACTIVE_BELOW_LOUDEST]
    return float(_decibels(np.mean(10 ** (spoken / 10))))


def speech_seconds(samples: Samples, rate: int) -> float:
    """Seconds in which something is to be heard above the line's noise; clicks do not count.

    The noise is the quietest tenth of the recording, taken as at most -45 dBFS: when in doubt a
    message is speech. Nothing below -55 dBFS counts, the level of an idle line.
    """
    levels = frame_levels(highpass(samples, rate), rate)
    noise = float(np.clip(np.percentile(levels, 10), -64.0, -45.0))
    loud = np.concatenate(([0], levels > noise + 9.0, [0])).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(loud) == 1), np.flatnonzero(np.diff(loud) == -1)
    runs = ends - starts
    return float(runs[runs >= 6].sum() * HOP)


def highpass(samples: Samples, rate: int, cutoff: float = 100.0) -> Samples:
    """Remove hum and DC below *cutoff* Hz: second-order Butterworth magnitude, no phase shift."""
    # a power of two: other lengths take five times as long
    length = 1 << (len(samples) + int(0.1 * rate)).bit_length()
    spectrum = np.fft.rfft(samples, length) * _above(cutoff, length, rate)
    return np.fft.irfft(spectrum, length)[: len(samples)]


@lru_cache(maxsize=4)
def _above(cutoff: float, length: int, rate: int) -> Samples:
    """By what each frequency is multiplied; recordings of a call have few lengths."""
    square = np.square(np.fft.rfftfreq(length, 1 / rate) / cutoff)
    return np.asarray(square / np.sqrt(1 + square * square))


def trim(samples: Samples, rate: int, lead: float = 0.05, tail: float = 0.10) -> Samples:
    """Cut silence to *lead* and *tail* seconds, with 5 ms fades; silence alone stays."""
    levels = frame_levels(samples, rate)
    sounding = np.flatnonzero(levels > max(levels.max() - 45.0, -60.0))
    if not len(sounding):
        return samples
    first, last = float(sounding[0]) * HOP, float(sounding[-1]) * HOP + FRAME
    cut = samples[max(0, int((first - lead) * rate)) : int((last + tail) * rate)]
    return faded(cut, rate)


def faded(samples: Samples, rate: int, seconds: float = 0.005) -> Samples:
    """The same with a straight ramp at both ends, so that nothing clicks."""
    length = min(int(seconds * rate), len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, length)
    result = samples.copy()
    result[:length] *= ramp
    result[len(result) - length :] *= ramp[::-1]
    return result


def level(
    samples: Samples, rate: int, target: float = PROMPT_LEVEL, ceiling: float = PROMPT_CEILING
) -> Samples:
    """Bring speech to *target* dBFS active, softly limited to peaks under *ceiling*."""
    if not samples.any():
        return samples
    gain = target - active_level(samples, rate)
    for _ in range(4):  # the limiter takes some level away: add it again
        result = _limited(samples * 10 ** (gain / 20), ceiling)
        gain += target - active_level(result, rate)
    return result


def _limited(samples: Samples, ceiling: float) -> Samples:
    """Straight up to 70 % of the ceiling, bent above, never over it."""
    top = 10 ** (ceiling / 20)
    knee = 0.7 * top
    size = np.abs(samples)
    bent = knee + (top - knee) * np.tanh((size - knee) / (top - knee))
    return np.where(size <= knee, samples, np.sign(samples) * bent)


def tone(frequency: float, seconds: float, rate: int, dbfs: float) -> Samples:
    """A pure sine of that mean level with 5 ms ramps."""
    time = np.arange(round(seconds * rate)) / rate
    peak = np.sqrt(2) * 10 ** (dbfs / 20)
    return faded(peak * np.sin(2 * np.pi * frequency * time), rate)


def silence(seconds: float, rate: int) -> Samples:
    """Nothing to hear."""
    return np.zeros(round(seconds * rate))


def _decibels(power: NDArray[np.float64] | np.float64) -> Samples:
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (QUIETEST / 10))))
