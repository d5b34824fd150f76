"""What callers hear first, as one sound file that a browser plays (GREET-08)."""

import asyncio
import tempfile
import wave
from pathlib import Path
from typing import BinaryIO, cast

from vm_ari.domain.greeting_choice import Plays
from vm_ari.ports import GreetingsUnavailable
from vm_ari.speech.greeting_words import greeting_words
from vm_ari.speech.language import language

RATE = 16_000


class GreetingSounds:
    """Joins recordings and the prompts below *sounds*."""

    def __init__(self, sounds: Path) -> None:
        self._sounds = sounds

    async def of(self, plays: Plays, code: str) -> BinaryIO:
        """A WAV file without a name, 16 kHz. Raises `GreetingsUnavailable`."""
        try:
            return await asyncio.to_thread(self._joined, plays, code)
        except (OSError, EOFError, wave.Error, LookupError, ValueError) as error:
            raise GreetingsUnavailable(f"The greeting cannot be read: {error}") from error

    def _joined(self, plays: Plays, code: str) -> BinaryIO:
        clips = language(code).clips(greeting_words(plays))
        names = [clip.name if clip.absolute else str(self._sounds / clip.name) for clip in clips]
        target = cast(BinaryIO, tempfile.TemporaryFile("w+b"))  # noqa: SIM115 - it is the result
        with wave.open(target, "wb") as joined:
            joined.setnchannels(1)
            joined.setsampwidth(2)
            joined.setframerate(RATE)
            for name in names:
                with wave.open(f"{name}.wav16", "rb") as one:
                    if (one.getframerate(), one.getsampwidth(), one.getnchannels()) != (RATE, 2, 1):
                        raise wave.Error(f"{name}.wav16 is no 16 kHz sound of 16 bits")
                    joined.writeframes(one.readframes(one.getnframes()))
        return target
