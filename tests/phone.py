"""A caller with a telephone: a call told from both ends."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.clock import run_virtually
from tests.fake_channel import FakeChannel
from vm_ari.speech.language import Language, language
from vm_ari.speech.parts import Clip, Part
from vm_ari.telephony.call import Call, CallerHungUp

__all__ = [
    "Caller",
    "FakeChannel",
    "LineIsDead",
    "Phone",
    "Script",
    "Told",
    "on_the_phone",
    "phone_call",
]


class LineIsDead(AssertionError):
    """The caller waited for something that never came: the call had ended."""


class Phone:
    """The caller's telephone: what a person does with it."""

    def __init__(self, channel: FakeChannel, tongue: Language) -> None:
        self._channel = channel
        self._language = tongue
        self._listened = 0

    async def hears(self, *sentence: Part) -> None:
        """Wait until all of this has been said, in this order, after what was heard before."""
        for clip in self._language.clips(sentence):
            await self._hears_clip(clip)

    async def _hears_clip(self, wanted: Clip) -> None:
        while True:
            while self._listened < len(self._channel.heard):
                self._listened += 1
                if self._channel.heard[self._listened - 1] == wanted:
                    return
            if self._channel.gone:
                raise LineIsDead(f"waited for {wanted.name}; heard {self.heard_names()}")
            await self._channel.changed()

    async def hears_the_end(self) -> None:
        """Wait until the other side ends the call."""
        while not self._channel.gone:
            await self._channel.changed()

    async def is_recorded(self) -> None:
        """Wait until the recording has begun."""
        while not self._channel.recording:
            if self._channel.gone:
                raise LineIsDead(f"was never recorded; heard {self.heard_names()}")
            await self._channel.changed()

    def is_over(self) -> bool:
        """Has the line ended, by whichever side?"""
        return self._channel.gone

    def is_being_recorded(self) -> bool:
        """Does the recording go on?"""
        return self._channel.recording

    def now(self) -> float:
        """Seconds on the virtual clock; a test of one call begins at 0."""
        return asyncio.get_running_loop().time()

    def presses(self, keys: str) -> None:
        """Press keys, as fast as the telephone can."""
        for key in keys:
            self._channel.key(key)

    async def speaks(self, seconds: float) -> None:
        """Talk so long; begins when it is recorded."""
        await self.is_recorded()
        await self.talks(seconds)

    async def talks(self, seconds: float) -> None:
        """Talk so long, whether anybody listens or not."""
        self._channel.voice_on()
        await asyncio.sleep(seconds)
        self._channel.speech(seconds)
        self._channel.voice_off()

    async def waits(self, seconds: float) -> None:
        """Say and press nothing."""
        await asyncio.sleep(seconds)

    def sends_no_audio(self) -> None:
        """A dead microphone on an Asterisk that does not notice."""
        self._channel.audio_flows = self._channel.notices_missing_audio = False

    def sends_fax_tone(self) -> None:
        """Be a fax machine."""
        self._channel.sends_fax_tone()

    def hangs_up(self) -> None:
        """Put the receiver down."""
        self._channel.caller_hangs_up()

    def heard_names(self) -> list[str]:
        """Everything heard so far, by clip name."""
        return [clip.name for clip in self._channel.heard]

    def whispered_names(self) -> list[str]:
        """What was heard while being recorded."""
        return [clip.name for clip in self._channel.whispered]


Script = Callable[[Call], Coroutine[Any, Any, None]]
Caller = Callable[[Phone], Coroutine[Any, Any, None]]


@dataclass
class Told:
    """What both sides of a finished call can tell."""

    phone: Phone
    channel: FakeChannel
    seconds: float


async def on_the_phone(
    script: Script,
    caller: Caller,
    code: str = "en",
    *,
    channel: FakeChannel | None = None,
    hang_up_after: float | None = None,
) -> Told:
    """Run a script against a caller; ends when both are through.

    *hang_up_after* so many seconds the caller hangs up, wherever he is in his story.
    """
    channel = channel or FakeChannel()
    phone = Phone(channel, language(code))
    call = Call(channel, language(code))
    loop = asyncio.get_running_loop()
    started = loop.time()
    if hang_up_after is not None:
        loop.call_later(hang_up_after, channel.caller_hangs_up)

    async def our_side() -> None:
        try:
            with suppress(CallerHungUp):
                await script(call)
        except asyncio.CancelledError:
            raise  # the controller died; the line lives on
        except BaseException:
            await channel.hang_up()
            raise
        await channel.hang_up()

    async def their_side() -> None:
        try:
            await caller(phone)
        except LineIsDead:
            if hang_up_after is None:
                raise

    async with asyncio.TaskGroup() as both:
        both.create_task(our_side())
        both.create_task(their_side())
    return Told(phone, channel, loop.time() - started)


def phone_call(script: Script, caller: Caller, code: str = "en") -> Told:
    """The same in one line, on a virtual clock."""
    return run_virtually(on_the_phone(script, caller, code))
