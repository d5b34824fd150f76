"""What a telephone line does, told once and seen on both: our fake line, and a real Asterisk.

Each test is a fact of ``docs/asterisk-facts.md`` that the call engine relies on.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np
import pytest

from tests.clock import run_virtually
from tests.patience import AT_MOST
from tests.phone import FakeChannel
from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.connection import Way
from vm_ari.adapters.ari.leg import ENDPOINT
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone.call import OutgoingCall
from vm_ari.adapters.softphone.phone import Softphone
from vm_ari.domain.recording import Limits
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import (
    Channel,
    ChannelGone,
    Event,
    HungUp,
    KeyPressed,
    PlayEnded,
    RecordingEnded,
    TalkingStarted,
)

LONG = Clip("en/please-choose")
SHORT = Clip("tones/beep")
MISSING = Clip("no/such-clip")
LIMITS = Limits(longest=20, silence=3, shortest=1)
SPOOL_NAME = "vm-ari/channel-test"

T = TypeVar("T", bound=Event)


class Caller(Protocol):
    """The other end of the line."""

    async def press(self, keys: str) -> None:
        """Press keys one after the other."""

    async def speak(self, seconds: float) -> None:
        """Make noise."""

    async def hang_up(self) -> None:
        """Put the receiver down."""

    def hears_anything(self) -> bool:
        """Has there been any sound so far?"""
        ...


Story = Callable[[Channel, Caller], Awaitable[None]]
Tell = Callable[..., None]


async def until(channel: Channel, kind: type[T]) -> T:
    """Drop events until one of that kind comes."""
    async with asyncio.timeout(AT_MOST):
        while True:
            event = await channel.next_event()
            if isinstance(event, kind):
                return event


async def record(channel: Channel, take: str = "", limits: Limits = LIMITS) -> str:
    """Start a recording of its own name."""
    name = f"{SPOOL_NAME}/{take or time.monotonic_ns()}"
    await channel.record(name, limits)
    return name


# --- the two lines


class FakeCaller:
    """The caller of a fake line."""

    def __init__(self, channel: FakeChannel) -> None:
        self._channel = channel

    async def press(self, keys: str) -> None:
        """See Caller."""
        for key in keys:
            await asyncio.sleep(0.2)
            self._channel.key(key)

    async def speak(self, seconds: float) -> None:
        """See Caller."""
        self._channel.voice_on()
        await asyncio.sleep(seconds)
        self._channel.speech(seconds)
        self._channel.voice_off()

    async def hang_up(self) -> None:
        """See Caller."""
        self._channel.caller_hangs_up()

    def hears_anything(self) -> bool:
        """See Caller."""
        return bool(self._channel.whispered)


class RealCaller:
    """A SIP phone with audio in both directions."""

    def __init__(self, call: OutgoingCall) -> None:
        self._call = call

    async def press(self, keys: str) -> None:
        """See Caller."""
        await self._call.press(keys)

    async def speak(self, seconds: float) -> None:
        """See Caller."""
        times = np.arange(int(seconds * 8000)) / 8000
        await self._call.speak((0.3 * np.sin(2 * np.pi * 350 * times)).astype(np.float32))

    async def hang_up(self) -> None:
        """See Caller."""
        await self._call.hang_up()

    def hears_anything(self) -> bool:
        """See Caller."""
        return self._call.hears_sound.is_set()


def tell_fake(story: Story, *, silence: bool = True) -> None:
    """Run a story on the fake line, on the virtual clock."""

    async def play() -> None:
        channel = FakeChannel()
        channel.audio_flows = silence
        await story(channel, FakeCaller(channel))
        await channel.hang_up()

    run_virtually(play())


class _Hand:
    """Hands the next line to the test and waits until the test is through with it."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[AriLine] = asyncio.Queue()
        self.through = asyncio.Event()

    async def call(self, line: AriLine, arrival: Arrival) -> None:
        assert arrival.arguments[0] == "leave"
        await line.answer()
        await self.lines.put(line)
        await self.through.wait()
        await line.hang_up()

    async def orphan(self, line: AriLine) -> None:
        await line.hang_up()

    async def connected(self) -> None:
        self.through.clear()


@asynccontextmanager
async def served(
    asterisk: PrivateAsterisk, hand: _Hand, way: Way, endpoint: str = ENDPOINT
) -> AsyncIterator[None]:
    """Our application on that Asterisk."""
    address = Address(
        asterisk.ari_url.removesuffix("/ari"),
        asterisk.instance.ari_user,
        asterisk.instance.ari_password,
    )
    sounds = asterisk.instance.sounds
    assert sounds
    app = AriApplication(
        address, hand, sounds=sounds.absolute(), now=time.time, way=way, endpoint=endpoint
    )
    running = asyncio.create_task(app.run())
    try:
        await asyncio.wait_for(app.connection.ready.wait(), AT_MOST)
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


async def on_asterisk(asterisk: PrivateAsterisk, way: Way, story: Story, silence: bool) -> None:
    """One call by a softphone into our application."""
    hand = _Hand()
    server = ("127.0.0.1", asterisk.instance.sip_port)
    async with served(asterisk, hand, way), Softphone(user="caller", server=server) as phone:
        call = await phone.call("101", send_silence=silence)
        line = await asyncio.wait_for(hand.lines.get(), AT_MOST)
        await story(line, RealCaller(call))
        hand.through.set()


@pytest.fixture(params=["fake", "http", "websocket"])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Tells a story to one of the lines."""
    if request.param == "fake":
        return tell_fake
    asterisk: PrivateAsterisk = request.getfixturevalue("asterisk")

    def tell_asterisk(story: Story, *, silence: bool = True) -> None:
        asyncio.run(on_asterisk(asterisk, request.param, story, silence))

    return tell_asterisk


# --- the facts


def test_a_key_is_reported_and_a_stopped_play_ends(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        play = await channel.play([LONG, LONG])
        await caller.press("5")
        assert (await until(channel, KeyPressed)).key == "5"
        await channel.stop_playing(play)
        assert (await until(channel, PlayEnded)).play_id == play
        await channel.stop_playing(play)

    tell(story)


def test_all_keys_arrive_in_order(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        await caller.press("0123456789*#")
        keys = [(await until(channel, KeyPressed)).key for _ in range(12)]
        assert "".join(keys) == "0123456789*#"

    tell(story)


def test_a_missing_clip_is_skipped_and_the_play_ends(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        for clips in ([MISSING, SHORT], [MISSING]):
            play = await channel.play(clips)
            assert (await until(channel, PlayEnded)).play_id == play

    tell(story)


def test_plays_wait_for_each_other(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        first = await channel.play([SHORT])
        second = await channel.play([SHORT])
        assert await channel.is_playing(second)
        assert (await until(channel, PlayEnded)).play_id == first
        assert (await until(channel, PlayEnded)).play_id == second
        assert not await channel.is_playing(first)

    tell(story)


def test_a_play_waits_for_the_end_of_a_recording(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        name = await record(channel)
        play = await channel.play([SHORT])
        await caller.speak(1)
        await caller.press("#")
        first = await channel.next_event()
        while isinstance(first, TalkingStarted | KeyPressed):
            first = await channel.next_event()
        assert first == RecordingEnded(name)
        assert (await until(channel, PlayEnded)).play_id == play

    tell(story)


def test_a_tone_sounds_before_a_recording(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        name = f"{SPOOL_NAME}/{time.monotonic_ns()}"
        await channel.record(name, LIMITS, SHORT)
        await until(channel, PlayEnded)
        await until_speaking(channel, caller)
        await caller.press("#")
        assert (await until(channel, RecordingEnded)).name == name

    tell(story)


def test_the_end_key_is_reported_before_the_end_of_the_recording(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        name = await record(channel)
        await until_speaking(channel, caller)
        await caller.press("#")
        assert (await until(channel, KeyPressed)).key == "#"
        assert (await until(channel, RecordingEnded)).name == name

    tell(story)


async def until_speaking(channel: Channel, caller: Caller) -> None:
    """Talk, and see that it is noticed."""
    talk = asyncio.create_task(caller.speak(1.5))
    await until(channel, TalkingStarted)
    await talk


def test_silence_ends_a_recording(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        name = await record(channel)
        await caller.speak(1)
        assert (await until(channel, RecordingEnded)).name == name

    tell(story)


def test_a_recording_without_any_audio_ends_too(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        name = await record(channel, limits=Limits(longest=5, silence=3, shortest=1))
        assert (await until(channel, RecordingEnded)).name == name
        await channel.stop_recording(name)

    tell(story, silence=False)


def test_a_recording_can_be_stopped(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        name = await record(channel)
        await caller.speak(1)
        await channel.stop_recording(name)
        assert (await until(channel, RecordingEnded)).name == name

    tell(story)


def test_hang_up_ends_the_recording_first_and_then_the_line(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        await channel.report("closed")
        name = await record(channel)
        await caller.speak(1)
        await caller.hang_up()
        assert (await until(channel, RecordingEnded)).name == name
        await until(channel, HungUp)
        with pytest.raises(ChannelGone):
            await channel.play([SHORT])
        await channel.hang_up()
        with pytest.raises(ChannelGone):
            await channel.report("played")

    tell(story)


def test_hang_up_during_a_play_is_reported(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        play = await channel.play([LONG, LONG])
        await caller.hang_up()
        assert (await until(channel, PlayEnded)).play_id == play
        await until(channel, HungUp)

    tell(story)


def test_a_whisper_does_not_end_a_recording(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        name = await record(channel)
        await channel.whisper(SHORT)
        await caller.speak(2)
        await caller.press("#")
        assert (await until(channel, RecordingEnded)).name == name

    tell(story)


def test_a_whisper_is_heard_in_a_stream_only(tell: Tell) -> None:
    async def story(channel: Channel, caller: Caller) -> None:
        name = await record(channel, limits=replace(LIMITS, stream=False))
        await channel.whisper(SHORT)
        await caller.speak(2)
        assert not caller.hears_anything()
        await caller.press("#")
        assert (await until(channel, RecordingEnded)).name == name
        await record(channel)
        await channel.whisper(SHORT)
        async with asyncio.timeout(AT_MOST):
            while not caller.hears_anything():
                await asyncio.sleep(0.05)

    tell(story)
