"""Where a play begins, and the silence between plays: on our fake line and on a real Asterisk."""

import asyncio
from pathlib import Path

import pytest

from tests.adapters.test_channel import LONG, SHORT, Caller, Tell, tell, until
from tests.fake_channel import FakeChannel
from vm_ari.adapters.audio import tone, write_wav
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import Channel, KeyPressed, PlayEnded

__all__ = ["tell"]


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_play_begins_where_it_is_asked_to(tell: Tell, tmp_path: Path, rate: int) -> None:
    """Of ten seconds the first eight are left out; an offset is counted in the file's own rate."""
    clip = long_clip(tmp_path, rate)

    async def story(channel: Channel, caller: Caller) -> None:
        if isinstance(channel, FakeChannel):
            channel.lengths[clip.name] = 10.0
        begun = asyncio.get_running_loop().time()
        play = await channel.play([clip], skip=8.0)
        assert (await until(channel, PlayEnded)).play_id == play
        assert 1.8 < asyncio.get_running_loop().time() - begun < 8

    tell(story)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_play_that_begins_behind_the_end_is_over(tell: Tell, tmp_path: Path, rate: int) -> None:
    clip = long_clip(tmp_path, rate)

    async def story(channel: Channel, caller: Caller) -> None:
        if isinstance(channel, FakeChannel):
            channel.lengths[clip.name] = 10.0
        for skip in (10.0, 10.5, 1000.0):
            begun = asyncio.get_running_loop().time()
            play = await channel.play([clip], skip=skip)
            assert (await until(channel, PlayEnded)).play_id == play
            assert asyncio.get_running_loop().time() - begun < 8

    tell(story)


def test_a_play_follows_on_silence(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        first = await channel.play([LONG])
        await channel.stop_playing(first)
        assert (await until(channel, PlayEnded)).play_id == first
        await channel.send_silence()
        await channel.send_silence()
        await caller.press("1")
        assert (await until(channel, KeyPressed)).key == "1"
        play = await channel.play([SHORT])
        assert (await until(channel, PlayEnded)).play_id == play

    tell(story)


def long_clip(folder: Path, rate: int) -> Clip:
    """Ten seconds of a tone that Asterisk can read."""
    folder.chmod(0o755)
    suffix = ".wav" if rate == 8000 else ".wav16"
    write_wav(folder / f"long{suffix}", tone(440, 10, rate, -20), rate)
    return Clip(str(folder / "long"), absolute=True)
