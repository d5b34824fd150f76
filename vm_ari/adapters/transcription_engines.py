"""The engines that can recognise speech, and how their answers are understood."""

import importlib.util
import json
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from vm_ari.adapters.transcription import Heard, NoEngine, Run
from vm_ari.domain.transcripts import UNSURE, NotTranscribed, Passage, Transcript, transcript_of

PROGRAM = "vm_ari.adapters.confined_program"
WHISPER_WORKER = "vm_ari.adapters.transcription_worker"
LAST_IN_LINE = ("nice", "-n", "9")
"""On top of the niceness of every confined program this makes 19, the last."""
_NOISE = re.compile(r"\[[^]]*\]|\([^)]*\)|\*[^*]*\*")
"""How whisper.cpp writes what is no speech: ``[BLANK_AUDIO]``, ``(phone ringing)``."""
MOST_ANSWER = 4_000_000
"""Bytes of a file that an engine has written."""


@dataclass(frozen=True)
class FasterWhisper:
    """The library faster-whisper with a model in CTranslate2's form. Raises `NoEngine`."""

    model: Path
    """Its directory."""
    languages: tuple[str, ...] = ()
    threads: int = 1

    def __post_init__(self) -> None:
        if importlib.util.find_spec("faster_whisper") is None:
            raise NoEngine("faster-whisper is not installed; install vm-ari[asr]")
        if not (self.model / "model.bin").is_file():
            raise NoEngine(f"{self.model} holds no model.bin; name the directory of a model")

    def run(self, heard: Heard) -> Run:
        """See `Engine`."""
        words = (str(heard.audio), str(self.model), str(self.threads), *self.languages)
        return Run(WHISPER_WORKER, words)

    def understood(self, output: bytes, heard: Heard) -> Transcript | None:
        """See `Engine`."""
        return _from_json(output)


@dataclass(frozen=True)
class WhisperCpp:
    """The program of whisper.cpp with a model in its own form. Raises `NoEngine`."""

    model: Path
    """A file ``ggml-….bin``."""
    program: str = "whisper-cli"
    languages: tuple[str, ...] = ()
    threads: int = 1

    def __post_init__(self) -> None:
        if shutil.which(self.program) is None:
            raise NoEngine(f"there is no program {self.program}; install whisper.cpp")
        if not self.model.is_file():
            raise NoEngine(f"there is no model {self.model}; name a file ggml-….bin")

    def run(self, heard: Heard) -> Run:
        """See `Engine`; JSON with a probability of each token goes into a file."""
        language = self.languages[0] if len(self.languages) == 1 else "auto"
        words = (
            *(self.program, "--model", str(self.model), "--file", str(heard.audio)),
            *("--language", language, "--threads", str(self.threads)),
            *("--output-json-full", "--output-file", str(heard.out), "--no-prints"),
        )
        return Run(PROGRAM, (*LAST_IN_LINE, *words))

    def understood(self, output: bytes, heard: Heard) -> Transcript | None:
        """See `Engine`."""
        answer = _parsed(_start_of(heard.out.with_name(heard.out.name + ".json")))
        match answer:
            case {"result": {"language": str(language)}, "transcription": list(segments)}:
                return transcript_of([_whisper_passage(one) for one in segments], language)
            case _:
                raise NotTranscribed("whisper.cpp has written something else than a transcript")


@dataclass(frozen=True)
class Command:
    """Any program; *line* with ``{file}`` and perhaps ``{language}``. Raises `NoEngine`."""

    line: str

    def __post_init__(self) -> None:
        words = self.words()
        if not any("{file}" in word for word in words):
            raise NoEngine("the command needs {file}, where the recording is named")
        if shutil.which(words[0]) is None:
            raise NoEngine(f"there is no program {words[0]}")

    def words(self) -> list[str]:
        """Of the command line. Raises `NoEngine`."""
        try:
            return shlex.split(self.line)
        except ValueError as error:
            raise NoEngine(f"the command cannot be understood: {error}") from None

    def run(self, heard: Heard) -> Run:
        """See `Engine`."""
        fields = {"{file}": str(heard.audio), "{language}": heard.language}
        words = self.words()
        for name, value in fields.items():
            words = [word.replace(name, value) for word in words]
        return Run(PROGRAM, (*LAST_IN_LINE, *words))

    def understood(self, output: bytes, heard: Heard) -> Transcript | None:
        """Plain text, or JSON as docs/transcription.md describes it."""
        if output.lstrip()[:1] == b"{":
            return _from_json(output)
        return transcript_of([Passage(output.decode("utf-8", "replace"))], "")


def _from_json(output: bytes) -> Transcript | None:
    """``{"language": "de", "passages": [{"text": "…", "probability": 0.9}]}``."""
    match _parsed(output):
        case {"passages": list(passages), **rest}:
            language = rest.get("language")
            found = [_passage(one) for one in passages]
            return transcript_of(found, language if isinstance(language, str) else "")
        case _:
            raise NotTranscribed("the engine has answered something else than a transcript")


def _passage(one: object) -> Passage:
    match one:
        case {"text": str(text), "probability": int() | float() as probability}:
            return Passage(text, probability >= UNSURE)
        case {"text": str(text)}:
            return Passage(text)
        case _:
            return Passage("")


def _whisper_passage(one: object) -> Passage:
    """Its probability is the mean of those of its tokens."""
    match one:
        case {"text": str(text)} if _NOISE.fullmatch(text[:200].strip()):
            return Passage("")
        case {"text": str(text), "tokens": list(tokens)}:
            found = [t["p"] for t in tokens if isinstance(t, dict) and _is_number(t.get("p"))]
            return Passage(text, not found or sum(found) / len(found) >= UNSURE)
        case {"text": str(text)}:
            return Passage(text)
        case _:
            return Passage("")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _start_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_ANSWER)
    except OSError:
        return b""


def _parsed(output: bytes) -> object:
    try:
        return json.loads(output.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
