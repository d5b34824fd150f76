"""Speech recognition for voice messages: an engine in a confined process per message (SPEECH-03).

The engine is the library faster-whisper, the program of whisper.cpp, or any command; models are the
admin's. Each message has a process of its own: what an engine leaks or breaks ends with it, and a
machine on which nobody leaves a message has its memory for itself. It runs at nice 19, so that
calls never wait for it, and what it answers is as little trusted as the caller.
"""

import asyncio
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from vm_ari.adapters.audio import BadAudio, read, resample, speech_seconds, write_wav
from vm_ari.adapters.worker_process import Finished, WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.domain.transcripts import NotTranscribed, Transcript

log = structlog.get_logger("vm_ari.transcripts")

RATE = 16_000
MOST_OUTPUT = 1_000_000
"""Bytes of an answer; 20,000 characters of it are used."""
LEAST_SPEECH = 0.3
"""Seconds: of silence and noise engines make words that nobody has said."""
LARGEST_FILE = 64
"""Megabytes that an engine may write into one file."""


class NoEngine(Exception):
    """The engine cannot run on this machine. The text says what to install or to set."""


@dataclass(frozen=True)
class Heard:
    """A message as an engine gets it."""

    audio: Path
    """16-bit WAV, one channel, 16 kHz."""
    out: Path
    """Where an engine may write files, until its answer is understood."""
    language: str
    """The likeliest one, such as ``de``."""


@dataclass(frozen=True)
class Run:
    """A Python module to be run, with what it is given."""

    module: str
    arguments: tuple[str, ...]


class Engine(Protocol):
    """One way to recognise speech."""

    def run(self, heard: Heard) -> Run:
        """How it is started."""
        ...

    def understood(self, output: bytes, heard: Heard) -> Transcript | None:
        """What it answered, which may be anything. Raises `NotTranscribed`."""
        ...


@dataclass(frozen=True)
class Bounds:
    """What an engine may use."""

    patience: float = 900.0
    """Seconds for one message."""
    megabytes: int = 4096
    """Of address space."""
    at_once: int = 1

    def words(self) -> tuple[str, ...]:
        """As the confined workers are told: megabytes, CPU seconds, megabytes of a file."""
        return (str(self.megabytes), str(round(self.patience * 8) + 60), str(LARGEST_FILE))


class Transcription:
    """`services.transcripts.Transcriber`; *work* is a directory for what engines write."""

    def __init__(self, engine: Engine, work: Path, bounds: Bounds | None = None) -> None:
        self._engine = engine
        self._work = work
        self._bounds = bounds or Bounds()
        self._turn = asyncio.Semaphore(self._bounds.at_once)

    async def transcribe(self, audio: Path, language: str) -> Transcript | None:
        """See `Transcriber`; one after the other."""
        async with self._turn:
            try:
                return await self._transcribe(audio, language)
            except OSError as error:
                raise NotTranscribed(f"{error.strerror or error}: {error.filename}") from error

    async def _transcribe(self, audio: Path, language: str) -> Transcript | None:
        await asyncio.to_thread(self._work.mkdir, 0o700, exist_ok=True, parents=True)
        with tempfile.TemporaryDirectory(dir=self._work, prefix="hearing-") as folder:
            heard = Heard(Path(folder) / "message.wav", Path(folder) / "out", language)
            try:
                spoken = await asyncio.to_thread(_prepare, audio, heard.audio)
            except BadAudio as error:
                raise NotTranscribed("the recording cannot be read") from error
            if spoken < LEAST_SPEECH:
                return None
            done = await self._answer(heard)
            return await asyncio.to_thread(self._engine.understood, done.output, heard)

    async def _answer(self, heard: Heard) -> Finished:
        run, nothing = self._engine.run(heard), os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        arguments = (*self._bounds.words(), *run.arguments)
        try:
            done = await run_module(
                run.module,
                arguments,
                nothing,
                seconds=self._bounds.patience,
                most_output=MOST_OUTPUT,
            )
        except WorkerTooSlow:
            raise NotTranscribed(
                f"the engine took more than {self._bounds.patience:.0f} s; a smaller model, or "
                "more threads, would be faster"
            ) from None
        except WorkerTooChatty:
            raise NotTranscribed("the engine answers without end") from None
        finally:
            os.close(nothing)
        if done.code:
            raise NotTranscribed(_failure(done))
        return done


def _prepare(recording: Path, target: Path) -> float:
    """Seconds of speech. Raises `BadAudio`."""
    samples, rate = read(recording)
    if not len(samples):
        return 0.0
    write_wav(target, resample(samples, rate, RATE), RATE)
    return speech_seconds(samples, rate)


def _failure(done: Finished) -> str:
    """Without what it complained of: that may be what it has heard."""
    if done.code < 0:
        return f"the engine was ended by signal {-done.code}; perhaps it needs more memory"
    return f"the engine failed with code {done.code}; try vm-ari test transcription"
