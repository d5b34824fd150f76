"""Spoken texts as files that Asterisk plays, as loud as the prompts around them."""

import asyncio
import os
from pathlib import Path

import numpy as np

from vm_ari.adapters import audio
from vm_ari.adapters.audio import BadAudio
from vm_ari.adapters.prompt_rendering import RATES, chain
from vm_ari.ports import Voice, VoiceUnavailable

MARK = "-telephone"
PAUSE = 0.2
"""Seconds of silence after what is said."""
AT_ONCE = 2


class TelephoneVoice:
    """The port `Voice`; the files lie beside those of *voice*."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def spoken(self, text: str, language: str) -> Path:
        """See `Voice`."""
        sound = await self._voice.spoken(text, language)
        async with self._turn:
            try:
                return await asyncio.to_thread(_prepared, sound)
            except BadAudio as error:
                raise VoiceUnavailable(f"The speech engine made no sound: {error}") from error
            except OSError as error:
                where = error.filename or sound
                raise VoiceUnavailable(f"{error.strerror or error}: {where}") from error


def _prepared(sound: Path) -> Path:
    """Made once, at both rates; what is used was used just now.

    Its name is another one: where there are files of one name Asterisk takes the wrong one.
    """
    wide = sound.with_name(f"{sound.stem}{MARK}.wav16")
    narrow = wide.with_suffix(".wav")
    try:
        os.utime(narrow)
        os.utime(wide)
    except FileNotFoundError:
        samples = chain(*audio.read(sound))
        for path in (narrow, wide):
            unfinished = path.with_name(f"{path.name}.unfinished")
            rate = RATES[path.suffix]
            spoken = np.concatenate([samples[path.suffix], audio.silence(PAUSE, rate)])
            audio.write_wav(unfinished, spoken, rate)
            unfinished.replace(path)  # whole or not at all
    return wide
