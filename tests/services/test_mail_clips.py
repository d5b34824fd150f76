"""From a mail to sound: in order, ahead of the listener, with a real voice."""

import asyncio
import importlib.util
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.adapters.test_mail_reader import ENGLISH, GERMAN, written
from tests.patience import STORY
from vm_ari.adapters import audio
from vm_ari.adapters.mail_reader import MailReader
from vm_ari.adapters.speech_synthesis import Synthesis, VoiceSettings
from vm_ari.domain.mail_speech.utterances import About, Utterance
from vm_ari.ports import Unspeakable, VoiceUnavailable
from vm_ari.services.mail_clips import AHEAD, clips

needs_pico = pytest.mark.skipif(
    not (shutil.which("pico2wave") or importlib.util.find_spec("ttspico")),
    reason="neither pico2wave nor ttspico is installed",
)


class NotingVoice:
    """A voice that notes what it was asked for."""

    def __init__(self, unspeakable: Sequence[str] = (), missing: Sequence[str] = ()) -> None:
        self.asked: list[str] = []
        self._unspeakable, self._missing = unspeakable, missing

    async def spoken(self, text: str, language: str) -> Path:
        self.asked.append(text)
        await asyncio.sleep(0)
        if text in self._unspeakable:
            raise Unspeakable(text)
        if text in self._missing:
            raise VoiceUnavailable(language)
        return Path(f"/{text}.wav")


async def counted(most: int) -> AsyncGenerator[Utterance, None]:
    for number in range(most):
        yield Utterance(str(number), "en")


def heard(voice: NotingVoice, most: int) -> list[str]:
    async def listen() -> list[str]:
        return [clip.sound.stem async for clip in clips(counted(most), voice)]

    return asyncio.run(listen())


@needs_pico
@pytest.mark.feature_part("INBOX-10", "a mail is heard, each part in its language")
def test_a_mail_is_heard_with_a_real_voice(tmp_path: Path) -> None:
    content = written(f"{GERMAN}\n\n{ENGLISH}\n").as_bytes()

    async def listen() -> list[tuple[Utterance, Path]]:
        mail = MailReader(patience=60.0).read(content, ("de", "en", "fr"))
        voice = Synthesis(tmp_path, VoiceSettings(engine="pico"))
        return [(clip.utterance, clip.sound) async for clip in clips(mail, voice)]

    found = asyncio.run(listen())
    assert [one.language for one, _ in found if one.about is About.TEXT] == ["de", "en"]
    for one, sound in found:
        samples, rate = audio.read(sound)
        assert len(samples) / rate > 0.03 * len(one.text)


def test_clips_come_in_order_and_what_cannot_be_said_is_left_out() -> None:
    assert heard(NotingVoice(), 10) == [str(n) for n in range(10)]
    assert heard(NotingVoice(unspeakable=["0", "3", "9"]), 10) == list("1245678")
    assert heard(NotingVoice(unspeakable=[str(n) for n in range(10)]), 10) == []


def test_the_clips_before_a_missing_voice_are_heard() -> None:
    async def listen(found: list[str]) -> None:
        async for clip in clips(counted(5), NotingVoice(missing=["3"])):
            found.append(clip.sound.stem)

    found: list[str] = []
    with pytest.raises(VoiceUnavailable):
        asyncio.run(listen(found))
    assert found == ["0", "1", "2"]


def test_no_more_than_the_next_clips_are_made_ahead_and_none_for_who_has_gone() -> None:
    voice = NotingVoice()

    async def listen() -> None:
        async with aclosing(clips(counted(100), voice)) as found:
            await anext(found)
            for _ in range(200):
                await asyncio.sleep(0)
            assert len(voice.asked) == 1 + AHEAD
        for _ in range(200):
            await asyncio.sleep(0)

    asyncio.run(listen())
    assert len(voice.asked) == 1 + AHEAD


def test_a_fault_in_the_reading_is_not_a_silence_without_end() -> None:
    async def broken() -> AsyncGenerator[Utterance, None]:
        yield Utterance("0", "en")
        raise OSError("disk")

    async def listen() -> None:
        async for _ in clips(broken(), NotingVoice()):
            pass

    with pytest.raises(OSError, match="disk"):
        asyncio.run(asyncio.wait_for(listen(), STORY))
