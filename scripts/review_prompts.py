"""Does every prompt say its words?  A recogniser, or a second opinion, hears all of a language.

    python scripts/review_prompts.py --lang en --whisper MODEL [--sentences] [--only ID …]
    python scripts/review_prompts.py --lang fr --vosk MODEL [--sentences]
    python scripts/review_prompts.py --lang de --voice de-DE

With a recogniser each prompt goes over a telephone line (8 kHz, A-law) first. A line for each one
that was heard otherwise, then how much of all that is. Sounds are counted, not letters: ``two``,
``too`` and ``2`` are the same. ``--sentences`` are those of tests/speech/sentences.py, made of many
prompts; single words are hard for recognisers, and for people, without a sentence around them.

``--voice`` is for languages without a recogniser, rendered by Pico: each word is spoken as Pico
reads it, and again from espeak-ng's phonemes; the words that differ most come first. Most of them
are espeak-ng's mistakes or a matter of taste: listen, and mend with the column ``spoken``.

MODEL is a folder: for Whisper in CTranslate2's form (``pip install faster-whisper``), for Vosk a
small model (``pip install vosk``). Needs espeak-ng. An hour of CPU on a slow core at most.
"""

import argparse
import importlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.speech.sentences import SENTENCES, clips_of
from vm_ari.adapters import audio
from vm_ari.adapters.audio import Samples
from vm_ari.adapters.prompt_engines import PICO_RATE, Pico
from vm_ari.adapters.prompt_texts import Prompt, read_texts

SOUNDS = Path(__file__).resolve().parents[1] / "sounds"
TELEPHONE, RECOGNISER = 8000, 16_000
Ear = Callable[[Samples], str]
"""What a recogniser understands of samples at its rate."""


@dataclass(frozen=True)
class Utterance:
    """Something to be heard: its name, its words, and the prompts that say it."""

    name: str
    words: str
    clips: Sequence[str]


def main() -> None:
    """Review one language."""
    options = _options()
    folder = SOUNDS / options.lang
    if options.voice:
        for line in second_opinion(folder, options.lang, Pico(options.voice)):
            print(line, flush=True)
        return
    ear = _whisper(options.whisper) if options.whisper else _vosk(options.vosk)
    listed = _sentences(folder, options.lang) if options.sentences else _prompts(folder)
    wanted = [one for one in listed if not options.only or one.name in options.only]
    review(wanted, options.lang, ear, folder)


def _options() -> argparse.Namespace:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--lang", required=True)
    way = words.add_mutually_exclusive_group(required=True)
    way.add_argument("--whisper", type=Path, metavar="MODEL")
    way.add_argument("--vosk", type=Path, metavar="MODEL")
    way.add_argument("--voice", help="the voice of Pico that rendered the prompts")
    words.add_argument("--sentences", action="store_true")
    words.add_argument("--only", nargs="*", default=())
    return words.parse_args()


def _prompts(folder: Path) -> Sequence[Utterance]:
    return [Utterance(p.id, p.words, (p.id,)) for p in read_texts(folder).values()]


def _sentences(folder: Path, code: str) -> Iterator[Utterance]:
    texts = read_texts(folder)
    for name, sentence in SENTENCES.items():
        clips = clips_of(code, sentence)
        yield Utterance(name, " ".join(texts[id_].words for id_ in clips), clips)


def review(listed: Sequence[Utterance], code: str, ear: Ear, folder: Path) -> None:
    """Print what is heard otherwise, and how much that is of all."""
    wrong = sounds = unlike = 0
    for one in listed:
        heard = ear(over_the_line(folder, one.clips))
        meant = phonemes(one.words, code)
        missed = _distance(meant, phonemes(heard, code))
        sounds, wrong, unlike = sounds + len(meant), wrong + missed, unlike + bool(missed)
        if missed:
            print(f"{missed / len(meant):.0%}\t{one.name}\t{one.words}\t{heard}", flush=True)
    rate = wrong / max(sounds, 1)
    print(f"{len(listed)} heard, {unlike} otherwise; {wrong} of {sounds} sounds: {rate:.1%}")


def over_the_line(folder: Path, clips: Sequence[str]) -> Samples:
    """These prompts one after the other, as a telephone passes them on, with a pause around."""
    parts = [audio.read(folder / f"{id_}.wav")[0] for id_ in clips]
    line = io.BytesIO()
    soundfile.write(line, np.concatenate(parts), TELEPHONE, format="WAV", subtype="ALAW")
    line.seek(0)
    heard = audio.resample(soundfile.read(line)[0], TELEPHONE, RECOGNISER)
    pause = audio.silence(0.4, RECOGNISER)
    return np.concatenate([pause, heard, pause])


@cache
def phonemes(text: str, code: str) -> str:
    """How espeak-ng says it, without stress, length and pauses; capitals it would spell."""
    command = ["espeak-ng", "-q", "--ipa", "-v", code, "--", text.lower()]
    said = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    return re.sub(r"\([a-z-]+\)|[^\w]|[ˈˌː]", "", said)


def _distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        before, row = row, [i]
        for j, right in enumerate(other, start=1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (left != right)))
    return row[-1]


def _whisper(model: Path) -> Ear:
    whisper = _library("faster_whisper").WhisperModel(
        str(model), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
    )

    def ear(samples: Samples) -> str:
        segments, _ = whisper.transcribe(
            samples.astype("float32"), condition_on_previous_text=False, without_timestamps=True
        )
        return " ".join(one.text.strip() for one in segments)

    return ear


def _vosk(model: Path) -> Ear:
    vosk = _library("vosk")
    vosk.SetLogLevel(-1)
    known = vosk.Model(str(model))

    def ear(samples: Samples) -> str:
        recogniser = vosk.KaldiRecognizer(known, RECOGNISER)
        recogniser.AcceptWaveform((samples * 32767).astype("<i2").tobytes())
        return str(json.loads(recogniser.FinalResult())["text"])

    return ear


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        sys.exit(f"{name} is not installed; see the first lines of {__file__}")


SAMPA: Mapping[str, str] = {
    **{"aɪ": "aI", "aʊ": "aU", "ɔø": "OY", "ɜ": "6", "ɐ": "6", "ɾ": "R", "ʁ": "R", "r": "R"},
    **{"ɡ": "g", "ʃ": "S", "ʒ": "Z", "ŋ": "N", "ç": "C", "ɛ": "E", "ɪ": "I", "ɔ": "O", "ʊ": "U"},
    **{"ʏ": "Y", "œ": "9", "ø": "2", "ə": "@", "ː": ":", "ˈ": '"', "ˌ": "%", "ɑ": "a"},
}
"""espeak-ng's signs for German on the left, those that Pico reads on the right."""
MEANING = 7.0
"""From this distance on two takes are rather two pronunciations; the mean is about 4."""


def second_opinion(folder: Path, code: str, voice: Pico) -> Iterator[str]:
    """Words by how far apart the two ways to say them are, the farthest first."""
    texts = [prompt.plain_utterance for prompt in read_texts(folder).values()]
    words = sorted({word for text in texts for word in re.findall(r"[\w-]+", text)})
    apart = sorted(((_apart(word, code, voice), word) for word in words), reverse=True)
    yield from (f"{gap:.1f}\t{word}" for gap, word in apart if gap >= MEANING)
    yield f"{len(words)} words, {np.mean([gap for gap, _ in apart]):.1f} apart in the mean"


def _apart(word: str, code: str, voice: Pico) -> float:
    command = ["espeak-ng", "-q", "--ipa", "-v", code, "--", word]
    ipa = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout.strip()
    for sign, sampa in SAMPA.items():
        ipa = ipa.replace(sign, sampa)
    spelled = re.sub(r'[^A-Za-z0-9@:"%]', "", re.sub(r"\([a-z-]+\)", "", ipa))
    by_sound = f"<phoneme alphabet=\"xsampa\" ph='{spelled}'/>."
    return _warped(_features(f"{word}.", voice), _features(by_sound, voice))


def _features(text: str, voice: Pico) -> Samples:
    """Twelve cepstral coefficients for every hundredth of a second."""
    samples, _ = voice.speak(Prompt("review", text, text))
    samples = audio.trim(audio.highpass(samples, PICO_RATE), PICO_RATE)
    edged = np.pad(np.append(samples[0], np.diff(samples) + 0.03 * samples[:-1]), (0, 400))
    frames = np.lib.stride_tricks.sliding_window_view(edged, 400)[::160] * np.hamming(400)
    mel = np.log(np.abs(np.fft.rfft(frames, 512)) ** 2 @ _mel_filters().T + 1e-8)
    cosines = np.cos(np.pi * np.outer(np.arange(1, 13), np.arange(26) + 0.5) / 26)
    found: Samples = (mel - mel.mean(axis=0)) @ cosines.T
    return found


@cache
def _mel_filters() -> Samples:
    """26 triangles between 100 and 7000 Hz."""
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (100, 7000))
    edges = 700 * (10 ** (np.linspace(lowest, highest, 28) / 2595) - 1)
    hz = np.linspace(0, PICO_RATE / 2, 257)
    return np.array([np.interp(hz, edges[i : i + 3], [0, 1, 0]) for i in range(26)])


def _warped(one: Samples, other: Samples) -> float:
    """Mean distance of the two along their best alignment in time."""
    gaps = np.sqrt(((one[:, None] - other[None]) ** 2).sum(axis=-1))
    best = np.full((len(one) + 1, len(other) + 1), np.inf)
    best[0, 0] = 0
    for i, row in enumerate(gaps):
        for j, gap in enumerate(row):
            best[i + 1, j + 1] = gap + min(best[i, j], best[i, j + 1], best[i + 1, j])
    return float(best[-1, -1] / (len(one) + len(other)))


if __name__ == "__main__":
    main()
