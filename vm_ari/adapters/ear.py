"""What did the caller hear?  Which prompts, when, how far; and pure tones.

A matched filter, no speech recognition: our own 8 kHz prompt files are looked for in the
received audio, in any language. It wants a G.711 leg that nobody resamples. The first half
second of each prompt is searched by FFT, then the whole prompt is compared where it was found.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 8000
HEAD = RATE // 2  # samples of a prompt that are searched
BLOCK = RATE // 20  # a cut prompt is followed in steps of 50 ms
CHUNK = 1 << 14  # samples per FFT
SHORTEST = RATE // 10  # shorter sounds cannot be told apart
FAINT = 0.05  # of a prompt's mean power: such a block of it proves nothing
BREATH = 3  # blocks (but no tenth of it) that may lack at either end of a whole prompt
QUIET = 1e-4  # mean power, -40 dBFS: no tone

Audio = NDArray[np.float32]
Sound = NDArray[np.floating[Any]]


class Hearing(Protocol):
    """Something that hears, e.g. a call of the softphone."""

    @property
    def heard(self) -> Audio:
        """Everything heard so far, 8 kHz, -1 … 1."""


@dataclass(frozen=True)
class Prompt:
    """One sound of a bank, from its first to its last audible sample, and all its names."""

    names: tuple[str, ...]
    samples: Audio = field(repr=False)

    @cached_property
    def spectrum(self) -> NDArray[np.complex64]:
        """The conjugate spectrum of the head, for correlation by FFT."""
        return np.conj(np.fft.rfft(self.samples[:HEAD], CHUNK)).astype(np.complex64)


@dataclass(frozen=True)
class Heard:
    """A prompt that was heard: seconds in the recording, likeness 0 … 1, and was it the *whole*?

    The times are those of its audible part.
    """

    names: tuple[str, ...]
    start: float
    end: float
    score: float
    whole: bool

    @property
    def name(self) -> str:
        """The first of the names this sound has."""
        return self.names[0]


@dataclass(frozen=True)
class Tone:
    """A pure tone: seconds in the recording."""

    start: float
    seconds: float


class Bank:
    """The sounds a caller may hear; files with the same audio are one sound with several names."""

    def __init__(self, sounds: Mapping[str, Sound]) -> None:
        by_content: dict[bytes, tuple[list[str], Audio]] = {}
        for name, samples in sounds.items():
            audible = _audible(np.asarray(samples, np.float32))
            if len(audible) >= SHORTEST:
                by_content.setdefault(audible.tobytes(), ([], audible))[0].append(name)
        self.prompts = tuple(
            Prompt(tuple(sorted(names)), audible) for names, audible in by_content.values()
        )

    @classmethod
    def of_files(cls, files: Iterable[Path], under: Path | None = None) -> "Bank":
        """A bank of WAV files, named by path below *under*, or by stem; ValueError if not 8 kHz."""
        named = {
            str(file.relative_to(under).with_suffix("")) if under else file.stem: read(file)
            for file in files
        }
        return cls(named)

    def only(self, *names: str) -> "Bank":
        """The sounds with these names; KeyError for one that is not in the bank."""
        unknown = set(names) - {name for prompt in self.prompts for name in prompt.names}
        if unknown:
            raise KeyError(f"not in the bank: {sorted(unknown)}")
        part = Bank({})
        part.prompts = tuple(p for p in self.prompts if set(p.names) & set(names))
        return part


def read(file: Path) -> Audio:
    """A mono 8 kHz sound file; ValueError for any other."""
    samples, rate = soundfile.read(file, dtype="float32")
    if rate != RATE or samples.ndim != 1:
        raise ValueError(f"{file}: {rate} Hz, {samples.ndim} dimensions, not 8 kHz mono")
    return np.asarray(samples, np.float32)


def identify(heard: Sound, bank: Bank, *, min_score: float = 0.8) -> list[Heard]:
    """Every prompt of *bank* that was heard, in order, none of them overlapping.

    A prompt that was cut off is reported (not *whole*) from half a second on.
    """
    recording = _Recording(heard)
    found = [hit for prompt in bank.prompts for hit in _hits(recording, prompt, min_score)]
    found.sort(key=lambda hit: (hit.whole, hit.score * np.sqrt(hit.end - hit.start)), reverse=True)
    taken: list[Heard] = []
    for hit in found:
        if all(_apart(hit, other) for other in taken):
            taken.append(hit)
    return sorted(taken, key=lambda hit: hit.start)


async def wait_for(
    ear: Hearing, bank: Bank, name: str, *, after: float = 0.0, within: float = 10.0
) -> Heard:
    """Wait until the whole prompt *name* was heard, begun *after* a second of the call.

    Raises TimeoutError that says what was heard instead.
    """
    wanted = bank.only(name)
    try:
        async with asyncio.timeout(within):
            while True:
                for hit in identify(ear.heard[round(after * RATE) :], wanted):
                    if hit.whole:
                        return _moved(hit, after)
                await asyncio.sleep(0.1)
    except TimeoutError:
        instead = [(hit.name, round(hit.start, 2)) for hit in identify(ear.heard, bank)]
        raise TimeoutError(f"waited {within} s for {name}, heard {instead}") from None


def tones(heard: Sound, hz: float = 1000.0, *, min_seconds: float = 0.2) -> list[Tone]:
    """Where a pure tone of *hz* (± about 10) sounds for *min_seconds*, louder than -40 dBFS."""
    size, hop = 256, 80
    if len(heard) < size:
        return []
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(heard, np.float32), size)[::hop]
    window = np.hanning(size).astype(np.float32)
    probe = window * np.exp(-2j * np.pi * hz * np.arange(size) / RATE)
    level = np.abs(frames @ probe.astype(np.complex64)) / window.sum()  # half the amplitude
    power = (frames**2) @ window / window.sum()
    pure = (power > QUIET) & (2 * level**2 > 0.8 * power)
    edges = np.flatnonzero(np.diff(pure.astype(np.int8), prepend=0, append=0))
    spans = [
        Tone((start * hop + size / 2) / RATE, (stop - start) * hop / RATE)
        for start, stop in zip(edges[::2], edges[1::2], strict=True)
    ]
    return [span for span in spans if span.seconds >= min_seconds]


class _Recording:
    """The received audio with what all searches in it need: spectra and running energy.

    Some silence is added: Asterisk withholds the last 22 samples of a WAV file, and then it may
    send nothing at all.
    """

    def __init__(self, heard: Sound) -> None:
        self.samples: Audio = np.pad(np.asarray(heard, np.float32), (0, BLOCK))
        self.step = CHUNK - HEAD
        count = max(1, -(-len(self.samples) // self.step))
        padded = np.zeros((count - 1) * self.step + CHUNK, np.float32)
        padded[: len(self.samples)] = self.samples
        chunks = np.lib.stride_tricks.sliding_window_view(padded, CHUNK)[:: self.step]
        self.spectra = np.fft.rfft(chunks, axis=1).astype(np.complex64)
        self._sums = np.concatenate([[0.0], np.cumsum(self.samples.astype(np.float64) ** 2)])
        self._inverse_norms: dict[int, Audio] = {}

    def likeness(self, prompt: Prompt) -> Audio:
        """For each start in the recording: normalised correlation with the prompt's head."""
        head = prompt.samples[:HEAD]
        products = np.fft.irfft(self.spectra * prompt.spectrum, CHUNK, axis=1)
        correlation = products[:, : self.step].reshape(-1)
        inverse = self._inverse_norm(len(head))
        likeness: Audio = correlation[: len(inverse)] * inverse / np.linalg.norm(head)
        return likeness

    def _inverse_norm(self, length: int) -> Audio:
        """1 / norm of each stretch of *length* samples; 0 where there is next to nothing."""
        if length not in self._inverse_norms:
            energy = np.maximum(self._sums[length:] - self._sums[:-length], 0.0)
            audible = energy > 1e-7 * length
            inverse = np.where(audible, 1 / np.sqrt(np.maximum(energy, 1e-9)), 0.0)
            self._inverse_norms[length] = inverse.astype(np.float32)
        return self._inverse_norms[length]


def _hits(recording: _Recording, prompt: Prompt, min_score: float) -> Iterable[Heard]:
    if len(recording.samples) < min(HEAD, len(prompt.samples)):
        return
    likeness = recording.likeness(prompt)
    peaks = np.flatnonzero(likeness > 0.9 * min_score)
    for group in np.split(peaks, np.flatnonzero(np.diff(peaks) > SHORTEST) + 1):
        if len(group):
            hit = _compare(
                recording.samples, prompt, int(group[likeness[group].argmax()]), min_score
            )
            if hit:
                yield hit


def _compare(samples: Audio, prompt: Prompt, start: int, min_score: float) -> Heard | None:
    stretch = samples[start : start + len(prompt.samples)]
    length, whole = _followed(stretch, prompt.samples, min_score)
    score = _alike(stretch[:length], prompt.samples[:length])
    if score < min_score or (length < HEAD and not whole):
        return None
    return Heard(prompt.names, start / RATE, (start + length) / RATE, score, whole)


def _followed(stretch: Audio, wanted: Audio, min_score: float) -> tuple[int, bool]:
    """How many samples of a prompt were heard, and was that all that is audible of it?"""
    theirs, ours = _blocks(stretch, len(wanted)), _blocks(wanted, len(wanted))
    power = (ours**2).mean(axis=1)
    audible = power > FAINT * power.mean()
    products = (ours * theirs).sum(axis=1)
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    alike = np.flatnonzero(audible & (products >= min_score * norms) & (norms > 0))
    loud = np.flatnonzero(audible)
    breath = min(BREATH, len(ours) // 10)
    if not len(alike) or alike[0] > loud[0] + breath:
        return 0, False
    if alike[-1] >= loud[-1] - breath:
        return len(stretch), len(stretch) == len(wanted)
    return int(alike[-1] + 1) * BLOCK, False


def _blocks(samples: Audio, length: int) -> Audio:
    padded = np.zeros(-(-length // BLOCK) * BLOCK, np.float32)
    padded[: len(samples)] = samples
    return padded.reshape(-1, BLOCK)


def _alike(one: Audio, other: Audio) -> float:
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms else 0.0


def _apart(hit: Heard, other: Heard) -> bool:
    """Do two hits share no more than a tenth of the shorter one?"""
    shared = min(hit.end, other.end) - max(hit.start, other.start)
    return shared < 0.1 * min(hit.end - hit.start, other.end - other.start)


def _moved(hit: Heard, seconds: float) -> Heard:
    return Heard(hit.names, hit.start + seconds, hit.end + seconds, hit.score, hit.whole)


def _audible(samples: Audio) -> Audio:
    """Without the silence (below 1 % of the peak) before and after."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * max(1e-9, float(np.abs(samples).max(initial=0))))
    return samples[loud[0] : loud[-1] + 1].copy() if len(loud) else samples[:0]
