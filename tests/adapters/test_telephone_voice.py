"""Spoken texts as files that a telephone system plays."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vm_ari.adapters import audio
from vm_ari.adapters.telephone_voice import TelephoneVoice
from vm_ari.ports import VoiceUnavailable


class Engine:
    """A voice that makes a quiet tone of 16 kHz, once."""

    def __init__(self, folder: Path) -> None:
        self.sound = folder / "text.wav"

    async def spoken(self, text: str, language: str) -> Path:
        if not self.sound.exists() and text != "nothing":
            audio.write_wav(self.sound, audio.tone(500, 1.0, 22_050, -40.0), 22_050)
        return self.sound


def test_it_is_as_loud_as_a_prompt_and_there_at_both_rates(tmp_path: Path) -> None:
    voice = TelephoneVoice(Engine(tmp_path))
    wide = asyncio.run(voice.spoken("Hello", "en"))
    for path, rate in ((wide, 16_000), (wide.with_suffix(".wav"), 8_000)):
        info = soundfile.info(path)
        assert (info.samplerate, info.channels, info.subtype) == (rate, 1, "PCM_16")
        samples, _ = audio.read(path)
        assert abs(audio.active_level(samples, rate) - audio.PROMPT_LEVEL) < 1.0
        assert not np.any(samples[-rate // 10 :]), "a pause follows"
    assert wide.stem != "text", "Asterisk would take the engine's own file"


def test_it_is_made_once(tmp_path: Path) -> None:
    voice = TelephoneVoice(Engine(tmp_path))
    first = asyncio.run(voice.spoken("Hello", "en"))
    made = first.stat().st_ino
    assert asyncio.run(voice.spoken("Hello", "en")) == first
    assert first.stat().st_ino == made
    first.with_suffix(".wav").unlink()  # the cache was tidied up
    asyncio.run(voice.spoken("Hello", "en"))
    assert first.with_suffix(".wav").exists()
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_sound_that_is_none_is_no_voice(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_bytes(b"no sound")
    with pytest.raises(VoiceUnavailable):
        asyncio.run(TelephoneVoice(Engine(tmp_path)).spoken("Hello", "en"))
    (tmp_path / "text.wav").unlink()
    with pytest.raises(VoiceUnavailable):
        asyncio.run(TelephoneVoice(Engine(tmp_path)).spoken("nothing", "en"))
