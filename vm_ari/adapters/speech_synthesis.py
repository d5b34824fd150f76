"""Texts become speech: an engine in a process of its own, and a cache (SPEECH-02).

Out of the box SVOX Pico (the program ``pico2wave``, or the library ttspico) or else espeak-ng; any
other program by the setting ``command``. Nothing needs a network.
"""

import asyncio
import hashlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.audio_conversion import wav_file
from vm_ari.adapters.prompt_engines import PICO_RATE, PICO_VOICES
from vm_ari.adapters.worker_process import WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.ports import Unspeakable, VoiceUnavailable

log = structlog.get_logger(__name__)

WORKER = "vm_ari.adapters.confined_program"
PATIENCE = 120.0
AT_ONCE = 2
MOST_OUTPUT = 100_000_000
MEGABYTE = 1_000_000
ENGINE_LIMITS = ("768", "30", "200")
"""Megabytes of address space, seconds of CPU time, megabytes of a file that is written."""
COMMAND_LIMITS = ("8192", "110", "200")
"""A better voice may be a large one."""
STALE = 3600.0
"""Seconds, after which a folder of an utterance is a crash's."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
ESPEAK = "espeak-ng"
_KNOWN_AS = {"pico": "SVOX Pico", "espeak": ESPEAK}


@dataclass(frozen=True)
class VoiceSettings:
    """Which voice speaks, and how much of it is remembered."""

    engine: str = "auto"
    """``auto``, ``pico``, ``espeak`` or ``command``."""
    command: str = ""
    longest_text: int = 2000
    """Characters."""
    cache_bytes: int = 200 * MEGABYTE


class Synthesis:
    """The port `Voice`; *cache* is a directory of its own."""

    def __init__(self, cache: Path, settings: VoiceSettings | None = None) -> None:
        self._cache = cache.absolute()
        self._settings = settings or VoiceSettings()
        self._turn = asyncio.Semaphore(AT_ONCE)

    def speaker(self, language: str) -> str:
        """Who speaks that language, as a person knows it. Raises `VoiceUnavailable`."""
        engine, command = self._engine(language)
        return _KNOWN_AS.get(engine) or Path(shlex.split(command)[0]).name

    async def spoken(self, text: str, language: str) -> Path:
        """See `Voice`; the file stays at least until the cache is full of newer ones."""
        words = self._checked(text)
        if not _LANGUAGE.fullmatch(language):
            raise Unspeakable(f"{language[:20]!r} is no language; write de, or en.")
        engine, command = self._engine(language)
        facts = json.dumps([words, language, engine, command, PICO_RATE])
        path = self._cache / f"{hashlib.sha256(facts.encode()).hexdigest()}.wav"
        async with self._turn:
            try:
                if not await asyncio.to_thread(_touched, path):
                    await self._speak(words, language, engine, command, path)
            except OSError as error:
                where = error.filename or self._cache
                raise VoiceUnavailable(f"{error.strerror or error}: {where}") from error
        return path

    def _checked(self, text: str) -> str:
        """What an engine may be given. Raises `Unspeakable`."""
        words = speakable(text)
        if not any(sign.isalnum() for sign in words):
            raise Unspeakable("There are no words in this text; write what shall be said.")
        if len(words) > self._settings.longest_text:
            most = self._settings.longest_text
            raise Unspeakable(f"This text has {len(words)} characters; shorten it to {most}.")
        return words

    def _engine(self, language: str) -> tuple[str, str]:
        """The name of the engine to use, and its command line. Raises `VoiceUnavailable`."""
        match self._settings.engine:
            case "command":
                return "command", _checked_command(self._settings.command)
            case "espeak":
                return "espeak", _espeak()
            case "pico":
                return "pico", _pico(language)
            case _:
                try:
                    return "pico", _pico(language)
                except VoiceUnavailable as reason:
                    with suppress(VoiceUnavailable):
                        return "espeak", _espeak()
                    raise VoiceUnavailable(f"{reason} Or install espeak-ng.") from None

    async def _speak(self, words: str, language: str, engine: str, command: str, to: Path) -> None:
        """Run the engine; the file is there whole or not at all. Raises OSError."""
        await asyncio.to_thread(_make_room, self._cache, self._settings.cache_bytes)
        with tempfile.TemporaryDirectory(dir=self._cache, prefix="speaking-") as folder:
            text, out = Path(folder) / "text.txt", Path(folder) / "out.wav"
            text.write_text(words, encoding="utf-8")
            fields = {
                "{python}": sys.executable,
                "{text_file}": str(text),
                "{text}": words,
                "{out}": str(out),
                "{language}": language,
                "{voice}": PICO_VOICES.get(language, language),
            }
            limits = COMMAND_LIMITS if engine == "command" else ENGINE_LIMITS
            output = await self._run([*limits, *_filled(shlex.split(command), fields)], text)
            if not out.exists() and engine == "pico" and output:
                out.write_bytes(wav_file(output[: len(output) // 2 * 2], PICO_RATE))
            if not out.is_file() or not out.stat().st_size:
                raise VoiceUnavailable(f"The speech engine {engine} has said nothing.")
            await asyncio.to_thread(durable.sync, out)
            out.rename(to)

    async def _run(self, command: Sequence[str], text: Path) -> bytes:
        given = os.open(text, os.O_RDONLY | os.O_CLOEXEC)
        try:
            done = await run_module(
                WORKER, command, given, seconds=PATIENCE, most_output=MOST_OUTPUT
            )
        except (WorkerTooSlow, WorkerTooChatty):
            raise VoiceUnavailable("The speech engine did not come to an end.") from None
        finally:
            os.close(given)
        if done.code:
            log.error("speech engine failed", program=command[3], code=done.code)
            reason = done.complaint or f"it ended with {done.code}"
            raise VoiceUnavailable(f"The speech engine failed: {reason[:300]}")
        return done.output


def speakable(text: str) -> str:
    """Text without what an engine takes for commands: tags, phonemes, control characters."""
    plain = (sign if unicodedata.category(sign)[0] != "C" else " " for sign in text)
    without_tags = "".join(" " if sign in "<>[]{}|\\" else sign for sign in plain)
    return " ".join(without_tags.split())


def _checked_command(line: str) -> str:
    if "{out}" not in line or "{text_file}" not in line:
        raise VoiceUnavailable("speech.command needs {text_file} and {out} in it.")
    try:
        shlex.split(line)
    except ValueError as error:
        raise VoiceUnavailable(f"speech.command: {error}.") from None
    return line


def _espeak() -> str:
    if shutil.which("espeak-ng") is None:
        raise VoiceUnavailable("espeak-ng is not installed.")
    return "espeak-ng -v {language} -w {out} -f {text_file}"


def _pico(language: str) -> str:
    if language not in PICO_VOICES:
        raise VoiceUnavailable(f"Pico does not speak “{language}”; set speech.command.")
    if importlib.util.find_spec("ttspico"):
        return "{python} -m vm_ari.adapters.pico_worker {voice}"
    if shutil.which("pico2wave"):
        return "pico2wave --lang={voice} --wave={out} -- {text}"
    raise VoiceUnavailable("Pico is not installed: pip install “vm-ari[speech]”.")


def _filled(command: Sequence[str], fields: Mapping[str, str]) -> Sequence[str]:
    """In one pass: what is filled in is never looked at again."""
    names = re.compile("|".join(re.escape(name) for name in fields))
    return [names.sub(lambda found: fields[found[0]], word) for word in command]


def _touched(path: Path) -> bool:
    """Is it there? Then it was used just now."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _make_room(cache: Path, most: int) -> None:
    """Erase what has not been used for the longest time, and what a crash left behind."""
    cache.mkdir(mode=0o750, parents=True, exist_ok=True)
    files = sorted(cache.glob("*.wav*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in cache.glob("speaking-*"):
        if folder.stat().st_mtime < time.time() - STALE:
            shutil.rmtree(folder, ignore_errors=True)
    used = 0
    for path in files:
        used += path.stat().st_size
        if used > most:
            path.unlink(missing_ok=True)
