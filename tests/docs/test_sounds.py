"""The sound files that ship: complete, made from the words in texts.csv, good to hear."""

import itertools
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vm_ari.adapters import audio
from vm_ari.adapters.prompt_rendering import (
    RATES,
    file_hash,
    missing,
    read_manifest,
    tones,
)
from vm_ari.adapters.prompt_texts import read_texts
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language, languages

SOUNDS = Path(__file__).parents[2] / "sounds"
PROGRAM = SOUNDS.parent / "vm_ari"
each_language = pytest.mark.parametrize("code", languages())
each_file = pytest.mark.parametrize(("code", "suffix"), list(itertools.product(languages(), RATES)))


@cache
def heard(name: str, suffix: str) -> audio.Samples:
    """The samples of one file; its format is checked on the way."""
    path = SOUNDS / f"{name}{suffix}"
    facts = soundfile.info(path)
    expected = ("WAV", "PCM_16", 1, RATES[suffix])
    assert (facts.format, facts.subtype, facts.channels, facts.samplerate) == expected
    return audio.read(path)[0]


def voices(code: str, suffix: str) -> list[tuple[str, audio.Samples]]:
    """Every prompt of a language with what is to be heard."""
    return [(id_, heard(f"{code}/{id_}", suffix)) for id_ in read_texts(SOUNDS / code)]


def pauses(samples: audio.Samples, rate: int) -> list[float]:
    """Seconds of silence: before the first sound, between sounds, after the last."""
    levels = audio.frame_levels(samples, rate)
    sounding = np.flatnonzero(levels > levels.max() - 40)
    edges = np.concatenate(([-1], sounding, [len(levels)]))
    return [float(gap) for gap in (np.diff(edges) - 1) * audio.HOP]


def same_take(narrow: audio.Samples, wide: audio.Samples) -> bool:
    """Is the 8 kHz sound what the 16 kHz sound becomes at 8 kHz?"""
    again = audio.resample(wide, RATES[".wav16"], RATES[".wav"])
    length = min(len(narrow), len(again))
    alike = np.corrcoef(narrow[:length], again[:length])[0, 1]
    return abs(len(narrow) - len(again)) < 80 and bool(alike > 0.98)


@each_language
def test_a_language_can_say_everything_and_nothing_is_out_of_date(code: str) -> None:
    assert missing(SOUNDS, code, language(code).vocabulary()) == []


def test_every_prompt_is_said_somewhere() -> None:
    """By its name, as one of a family, or by the dialplan while no controller runs."""
    code = "".join(file.read_text(encoding="utf-8") for file in sorted(PROGRAM.rglob("*.py")))
    names, families = set(re.findall(r"\bP\.(\w+)", code)), re.findall(r"\bP\(f\"(\w+/)", code)
    dialplan = (SOUNDS.parent / "asterisk-conf" / "extensions_vm_ari.conf").read_text("utf-8")
    played = set(re.findall(r"\(\$\{VM_ARI_PROMPTS\}/([\w/-]+)", dialplan))
    idle = {p.name for p in P if p.name not in names and not p.startswith(tuple(families))}
    assert idle - {p.name for p in P if p in played} == set()


@each_language
def test_the_manifest_tells_what_is_there(code: str) -> None:
    folder = SOUNDS / code
    hashes = {id_: (made.wav, made.wav16) for id_, made in read_manifest(folder).items()}
    files = {id_: tuple(file_hash(folder / f"{id_}{suffix}") for suffix in RATES) for id_ in hashes}
    assert hashes == files


@each_language
def test_no_file_is_left_over(code: str) -> None:
    folder = SOUNDS / code
    known = {f"{id_}{suffix}" for id_ in read_texts(folder) for suffix in RATES}
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.wav*")}
    assert there == known


@each_language
def test_one_voice_speaks_the_whole_language(code: str) -> None:
    assert len({(made.engine, made.voice) for made in read_manifest(SOUNDS / code).values()}) == 1


@each_file
def test_every_prompt_is_equally_loud(code: str, suffix: str) -> None:
    levels = {
        id_: audio.active_level(samples, RATES[suffix]) for id_, samples in voices(code, suffix)
    }
    assert {id_: level for id_, level in levels.items() if abs(level + 19) > 1} == {}


@each_file
def test_no_prompt_is_clipped(code: str, suffix: str) -> None:
    peaks = {id_: np.abs(samples).max() for id_, samples in voices(code, suffix)}
    assert {id_: peak for id_, peak in peaks.items() if peak > 10 ** (-2.9 / 20)} == {}


@each_file
def test_nobody_waits_for_a_prompt(code: str, suffix: str) -> None:
    """Short silence at both ends, and none of a second between two sentences.

    An "s" or "f" at an end has nearly nothing below 4 kHz: at 8 kHz it passes for silence.
    """
    narrow = suffix == ".wav"
    lead, middle, tail = (0.2, 0.85, 0.4) if narrow else (0.15, 0.85, 0.3)
    silences = {id_: pauses(samples, RATES[suffix]) for id_, samples in voices(code, suffix)}
    assert {
        id_: found
        for id_, found in silences.items()
        if found[0] > lead or max(found) > middle or found[-1] > tail
    } == {}


@each_language
def test_the_length_fits_the_words(code: str) -> None:
    """A take that was cut off or that stammers is far from the usual pace of this voice."""
    letters = {id_: len(prompt.words) for id_, prompt in read_texts(SOUNDS / code).items()}
    lengths = {id_: len(samples) / 16_000 for id_, samples in voices(code, ".wav16")}
    pace, pause = np.polyfit(list(letters.values()), [lengths[id_] for id_ in letters], 1)
    usual = {id_: pace * count + pause for id_, count in letters.items()}
    strange = {id_: seconds / usual[id_] for id_, seconds in lengths.items()}
    assert {id_: ratio for id_, ratio in strange.items() if not 0.6 < ratio < 1.6} == {}


@each_language
def test_both_rates_hold_the_same_take(code: str) -> None:
    both = zip(voices(code, ".wav"), voices(code, ".wav16"), strict=True)
    assert [id_ for (id_, narrow), (_, wide) in both if not same_take(narrow, wide)] == []


@each_language
def test_what_sounds_the_same_means_the_same(code: str) -> None:
    texts, said = read_texts(SOUNDS / code), defaultdict(set)
    for id_, made in read_manifest(SOUNDS / code).items():
        said[made.wav].add(texts[id_].words.lower())
    assert [words for words in said.values() if len(words) > 1] == []


@each_language
def test_numbers_days_and_hours_have_words_of_their_own(code: str) -> None:
    words = [
        prompt.words
        for prompt in read_texts(SOUNDS / code).values()
        if prompt.id.startswith(("digits/", "moment/"))
    ]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("suffix", RATES)
@pytest.mark.parametrize("name", tones(8000))
def test_the_tones_are_as_designed(name: str, suffix: str) -> None:
    designed = tones(RATES[suffix])[name]
    assert np.abs(heard(name, suffix) - designed).max() < 1e-4


def test_the_tones_are_those_of_the_catalogue() -> None:
    shipped = {P.BEEP, P.WARNING_BEEP, P.TONE_JOINED, P.TONE_LEFT}
    assert {tone.value for tone in shipped} == set(tones(8000))


def test_the_warning_beep_cannot_be_taken_for_the_beep() -> None:
    beep, warning = (heard(f"tones/{name}", ".wav") for name in ("beep", "warning-beep"))
    assert audio.active_level(warning, 8000) < audio.active_level(beep, 8000) - 6


ENDED_BY_HASH = (
    *("enter-mailbox", "enter-pin", "enter-destination", "enter-last-day"),
    *("record-greeting-after-tone", "record-name-after-tone"),
)


@pytest.mark.parametrize(
    ("code", "hash_key"), [("en", "hash key"), ("de", "Rautetaste"), ("fr", "touche dièse")]
)
def test_who_must_end_with_the_hash_key_is_told_so(code: str, hash_key: str) -> None:
    texts = read_texts(SOUNDS / code)
    assert all(hash_key in texts[id_].words for id_ in ENDED_BY_HASH)
