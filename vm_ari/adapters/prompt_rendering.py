"""Make the sound files of a language from its texts, and know which of them are out of date.

The chain, the same for every voice: high-pass, trim, level, then 16 kHz (``.wav16``, Asterisk's
suffix for it) and 8 kHz (``.wav``), both levelled. ``manifest.json`` remembers what each file was
made from, so that only changed prompts are rendered again.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from vm_ari.adapters import audio
from vm_ari.adapters.audio import Samples
from vm_ari.adapters.prompt_engines import Engine
from vm_ari.adapters.prompt_texts import Prompt, read_texts

CHAIN = 1
"""Version of the steps below: raise it when they change, and everything is rendered again."""
RATES = {".wav": 8000, ".wav16": 16_000}
MANIFEST = "manifest.json"
TONES = "tones/"
DEMO = "demo/"
"""Prompts below this folder are for tests and demonstrations: no sentence needs them."""


@dataclass(frozen=True)
class Rendering:
    """What one prompt's files were made from, and the SHA-256 of each of them."""

    engine: str
    voice: str
    source: str
    wav: str
    wav16: str

    def is_of(self, prompt: Prompt) -> bool:
        """Were the files made from the words that the prompt has now?"""
        return self.source == source(prompt, self.engine, self.voice)


def source(prompt: Prompt, engine: str, voice: str) -> str:
    """SHA-256 over everything that decides how a prompt sounds."""
    facts = json.dumps([prompt.utterance, engine, voice, CHAIN], ensure_ascii=False)
    return hashlib.sha256(facts.encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Rendering]:
    """What was rendered into a language's folder, by prompt id; empty before the first time."""
    path = folder / MANIFEST
    if not path.exists():
        return {}
    entries = json.loads(path.read_text(encoding="utf-8"))
    return {id_: Rendering(**entry) for id_, entry in entries.items()}


def write_manifest(folder: Path, renderings: dict[str, Rendering]) -> None:
    """Remember what was rendered, in the order of the ids so that changes are easy to review."""
    entries = {id_: asdict(renderings[id_]) for id_ in sorted(renderings)}
    text = json.dumps(entries, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def chain(samples: Samples, rate: int) -> dict[str, Samples]:
    """One rendered prompt at both rates, by file suffix."""
    wide = audio.resample(samples, rate, RATES[".wav16"])
    wide = audio.trim(audio.highpass(wide, RATES[".wav16"]), RATES[".wav16"])
    wide = audio.level(wide, RATES[".wav16"])
    narrow = audio.resample(wide, RATES[".wav16"], RATES[".wav"])
    return {".wav": audio.level(narrow, RATES[".wav"]), ".wav16": wide}


def outdated(folder: Path, voice: Engine | None = None) -> list[Prompt]:
    """Prompts without files, with other words since, or (if *voice* is given) in another voice."""
    renderings = read_manifest(folder)
    return [
        prompt
        for prompt in read_texts(folder).values()
        if not _is_fresh(folder, prompt, renderings.get(prompt.id), voice)
    ]


def _is_fresh(folder: Path, prompt: Prompt, made: Rendering | None, voice: Engine | None) -> bool:
    if made is None or not made.is_of(prompt):
        return False
    if voice is not None and (voice.name, voice.voice) != (made.engine, made.voice):
        return False
    return all(_file(folder, prompt.id, suffix).is_file() for suffix in RATES)


def render(folder: Path, prompts: list[Prompt], voice: Engine) -> Iterator[Prompt]:
    """Render these prompts one after another; each is yielded when its files are written.

    The manifest is written at the end, also when an engine fails half-way, and files of prompts
    that no longer exist are removed. Raises EngineUnavailable, BadAudio.
    """
    renderings = read_manifest(folder)
    try:
        for prompt in prompts:
            renderings[prompt.id] = _render_one(folder, prompt, voice)
            yield prompt
    finally:
        for id_ in renderings.keys() - read_texts(folder).keys():
            del renderings[id_]
            _remove(folder, id_)
        write_manifest(folder, renderings)


def _remove(folder: Path, id_: str) -> None:
    for suffix in RATES:
        _file(folder, id_, suffix).unlink(missing_ok=True)


def _render_one(folder: Path, prompt: Prompt, voice: Engine) -> Rendering:
    samples, rate = voice.speak(prompt)
    for suffix, sound in chain(samples, rate).items():
        path = _file(folder, prompt.id, suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        audio.write_wav(path, sound, RATES[suffix])
    wav, wav16 = (file_hash(_file(folder, prompt.id, suffix)) for suffix in RATES)
    made_from = source(prompt, voice.name, voice.voice)
    return Rendering(voice.name, voice.voice, made_from, wav, wav16)


def _file(folder: Path, id_: str, suffix: str) -> Path:
    return folder / f"{id_}{suffix}"


def file_hash(path: Path) -> str:
    """SHA-256 of a file, as in the manifest."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def missing(sounds: Path, code: str, vocabulary: frozenset[str]) -> list[str]:
    """What keeps a language from saying all of its *vocabulary* (clip names), one line each."""
    texts = {f"{code}/{id_}" for id_ in read_texts(sounds / code)}
    spoken = {name for name in vocabulary if not name.startswith(TONES)}
    idle = {name for name in texts - spoken if not name.startswith(f"{code}/{DEMO}")}
    return [
        *(f"{name}: no words in texts.csv" for name in sorted(spoken - texts)),
        *(f"{name}: nobody says it" for name in sorted(idle)),
        *(f"{code}/{prompt.id}: not rendered" for prompt in outdated(sounds / code)),
        *(f"{name}: no file" for name in sorted(vocabulary - spoken) if not _has(sounds, name)),
    ]


def _has(sounds: Path, name: str) -> bool:
    return all((sounds / f"{name}{suffix}").is_file() for suffix in RATES)


def tones(rate: int) -> dict[str, Samples]:
    """The tones that all languages share, by clip name."""
    pip = audio.tone(1400, 0.12, rate, -25)
    low, high = audio.tone(520, 0.15, rate, -20), audio.tone(780, 0.15, rate, -20)
    return {
        f"{TONES}beep": audio.tone(1000, 0.35, rate, -16),
        f"{TONES}warning-beep": np.concatenate([pip, audio.silence(0.1, rate), pip]),
        f"{TONES}joined": np.concatenate([low, high]),
        f"{TONES}left": np.concatenate([high, low]),
    }


def write_tones(sounds: Path) -> None:
    """Make the files in ``sounds/tones`` that are not there: a site may have its own."""
    for suffix, rate in RATES.items():
        for name, samples in tones(rate).items():
            path = _file(sounds, name, suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                audio.write_wav(path, samples, rate)
