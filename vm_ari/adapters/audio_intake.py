"""Audio that comes in: from any common format to a greeting at both rates.

Accepted is what libsndfile reads: WAV of every kind (PCM, floating point, A-law, µ-law, GSM,
ADPCM), MP3, Ogg Vorbis and Opus, FLAC, AIFF, AU, CAF. Where the program ffmpeg is installed also
M4A, AAC, WebM, AMR and WMA: see `audio_conversion`.
"""

import asyncio
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import structlog

from vm_ari.adapters.audio_conversion import wav_by_ffmpeg, wav_file
from vm_ari.adapters.audio_intake_steps import SPARE_SECONDS, Flaw
from vm_ari.adapters.wav_header import SAMPLE_BYTES
from vm_ari.adapters.worker_process import Finished, WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.ports import GreetingsUnavailable, UnusableAudio

log = structlog.get_logger(__name__)

WORKER = "vm_ari.adapters.audio_intake_worker"
NARROW, WIDE = 8000, 16_000
AT_ONCE = 2
"""So many files are prepared at the same time; others wait."""
PATIENCE = 60.0
"""Seconds for one file, on a machine with much to do."""


@dataclass(frozen=True)
class IntakeLimits:
    """What is accepted."""

    longest: float = 120.0
    """Seconds, without the silence at both ends."""
    shortest: float = 0.5
    most_bytes: int = 20_000_000


@dataclass(frozen=True)
class Sound:
    """A recording as callers hear it: two WAV files."""

    seconds: float
    wav: bytes
    """8 kHz."""
    wav16: bytes
    """16 kHz."""


class _UnknownFormat(UnusableAudio):
    """Another decoder may know it."""


class AudioIntake:
    """Prepares files in confined worker processes."""

    def __init__(self, limits: IntakeLimits | None = None, *, patience: float = PATIENCE) -> None:
        self.limits = limits or IntakeLimits()
        self._patience = patience
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def prepare(self, audio: Path) -> Sound:
        """High-passed, trimmed, levelled, never clipped.

        Raises `UnusableAudio`; `GreetingsUnavailable` when the worker cannot be run.
        """
        descriptor = await asyncio.to_thread(self._open, audio)
        try:
            async with self._turn:
                return await self._prepare(descriptor)
        finally:
            os.close(descriptor)

    async def _prepare(self, descriptor: int) -> Sound:
        try:
            return self._sound(await self._run(descriptor))
        except _UnknownFormat:
            longest = self.limits.longest + SPARE_SECONDS
            converted = await wav_by_ffmpeg(descriptor, longest, seconds=self._patience)
            if converted is None:
                raise
        with converted:
            return self._sound(await self._run(converted.fileno()))

    def _open(self, audio: Path) -> int:
        """Only a regular file: anything else could make us wait for ever."""
        try:
            descriptor = os.open(audio, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise UnusableAudio(f"{audio}: {error.strerror}.") from None
        state = os.fstat(descriptor)
        if stat.S_ISREG(state.st_mode) and 0 < state.st_size <= self.limits.most_bytes:
            return descriptor
        os.close(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise UnusableAudio(f"{audio} is not a file; give a sound file.")
        raise self._unusable(Flaw.TOO_LARGE if state.st_size else Flaw.SILENT)

    async def _run(self, descriptor: int) -> Finished:
        limits = self.limits
        size = 2 * SAMPLE_BYTES * round((limits.longest + 1) * (NARROW + WIDE))
        arguments = (str(limits.longest), str(limits.shortest))
        try:
            return await run_module(
                WORKER, arguments, descriptor, seconds=self._patience, most_output=size
            )
        except (WorkerTooSlow, WorkerTooChatty) as error:
            log.warning("audio not prepared", reason=repr(error))
            raise self._unusable(Flaw.UNREADABLE) from None
        except OSError as error:
            raise GreetingsUnavailable(f"No process for the audio: {error}") from error

    def _sound(self, done: Finished) -> Sound:
        """What a worker has answered; not even that is trusted."""
        if done.code < 0:  # it was killed at a limit, or crashed in a decoder
            log.warning("audio not prepared", signal=-done.code)
            raise self._unusable(Flaw.UNREADABLE)
        if done.code > 0:
            raise GreetingsUnavailable(f"Audio cannot be prepared: {done.complaint}")
        head, _, samples = done.output.partition(b"\n")
        try:
            answer = json.loads(head)
            flaw = Flaw(answer["flaw"]) if "flaw" in answer else None
            narrow, wide = (0, 0) if flaw else (int(answer["narrow"]), int(answer["wide"]))
        except (ValueError, KeyError, TypeError):
            flaw = Flaw.UNREADABLE
        if flaw is None and (narrow < 0 or wide < 0 or narrow + wide != len(samples)):
            flaw = Flaw.UNREADABLE
        if flaw:
            raise self._unusable(flaw)
        return Sound(
            wide / SAMPLE_BYTES / WIDE,
            wav_file(samples[:narrow], NARROW),
            wav_file(samples[narrow:], WIDE),
        )

    def _unusable(self, flaw: Flaw) -> UnusableAudio:
        kind = _UnknownFormat if flaw is Flaw.UNKNOWN_FORMAT else UnusableAudio
        return kind(_sentence(flaw, self.limits), flaw.value)


def _sentence(flaw: Flaw, limits: IntakeLimits) -> str:
    """What to do about it."""
    match flaw:
        case Flaw.UNKNOWN_FORMAT:
            return "This is no sound file that can be read here; save it as WAV, MP3, Ogg or FLAC."
        case Flaw.UNREADABLE:
            return "This file is damaged or very unusual; save it anew as WAV or MP3."
        case Flaw.TOO_LARGE:
            most = limits.most_bytes / 1_000_000
            return f"This file is larger than {most:.0f} MB; shorten it, or save it as MP3."
        case Flaw.TOO_LONG:
            return f"This is longer than {limits.longest:.0f} seconds; shorten it."
        case Flaw.TOO_SHORT:
            return f"This is shorter than {limits.shortest:g} seconds; record it again."
        case Flaw.SILENT:
            return "There is nothing to be heard; record it again, louder or closer."
