"""Which prompts a caller heard to their end, also where a stall has torn a gap into one."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vm_ari.adapters.ear import BLOCK, RATE, SHORTEST, Audio, Bank, Heard, identify, read
from vm_ari.config import shared_files

SOUNDS = shared_files() / "sounds"
LONGEST_GAP = 1.0
"""Seconds: where Asterisk is late by more than 80 ms, it goes on at a later RTP timestamp."""


@dataclass(frozen=True)
class Spoken:
    """A prompt that was heard; *end* in seconds, None where it was cut off."""

    name: str
    end: float | None


@functools.cache
def bank(language: str) -> Bank:
    """All prompts of a language, and the tones."""
    files: list[Path] = [*SOUNDS.glob(f"{language}/**/*.wav"), *SOUNDS.glob("tones/*.wav")]
    return Bank.of_files(sorted(file for file in files if "demo" not in file.parts), under=SOUNDS)


@functools.cache
def only(language: str, name: str) -> Bank:
    """One prompt of that bank, for a quick search."""
    return bank(language).only(name)


def voice(language: str, take: int, seconds: float | None = None) -> Audio:
    """One of the demo callers talking, cut to so many seconds."""
    samples = read(SOUNDS / language / "demo" / f"caller-{take}.wav")
    return samples if seconds is None else samples[: round(seconds * RATE)]


def first_whole(heard: Audio, wanted: Bank) -> float | None:
    """The second at which one of the wanted sounds has been heard to its end, if one has."""
    ends = (_end(heard, wanted, hit) for hit in identify(heard, wanted))
    return next((end for end in ends if end is not None), None)


def everything(heard: Audio, wanted: Bank) -> Sequence[Spoken]:
    """All prompts in their order."""
    spoken: list[Spoken] = []
    over = 0.0
    for hit in identify(heard, wanted):
        if hit.start >= over - 0.1:
            spoken.append(Spoken(hit.name, end := _end(heard, wanted, hit)))
            over = end or hit.end
    return spoken


def _end(heard: Audio, wanted: Bank, hit: Heard) -> float | None:
    if hit.whole:
        return hit.end
    [prompt] = [prompt for prompt in wanted.prompts if prompt.names == hit.names]
    rest = prompt.samples[round((hit.end - hit.start) * RATE) + BLOCK :]
    if len(rest) < SHORTEST:
        return hit.end
    begin = round(hit.end * RATE)
    after = heard[begin : begin + len(rest) + round(LONGEST_GAP * RATE)]
    rests = [one.end for one in identify(after, Bank({"rest": rest})) if one.whole]
    return hit.end + rests[0] if rests else None
