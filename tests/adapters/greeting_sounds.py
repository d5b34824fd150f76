"""Sounds that tests give as greetings."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vm_ari.adapters import audio


def syllables(seconds: float, rate: int = 16_000, *, hertz: float = 440.0) -> NDArray[np.float64]:
    """A tone in syllables: as loud and as broken as speech, and told from others by its height."""
    times = np.arange(round(seconds * rate)) / rate
    return 0.3 * np.sin(2 * np.pi * hertz * times) * (0.55 + 0.45 * np.sin(2 * np.pi * 3.5 * times))


def speech_like(path: Path, seconds: float, *, rate: int = 16_000, hertz: float = 440.0) -> Path:
    """A WAV file of that sound."""
    audio.write_wav(path, syllables(seconds, rate, hertz=hertz), rate)
    return path


def pitch(path: Path) -> float:
    """The strongest frequency in a file, in Hz."""
    samples, rate = audio.read(path)
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.fft.rfftfreq(len(samples), 1 / rate)[spectrum.argmax()])
