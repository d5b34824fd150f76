"""A recording that its listener controls: pause, back and forward, slower and faster (INBOX-05).

A telephone system does not tell where a playback is, its own controls count wrongly in 16 kHz
files, and they do not know another speed. So every control is a stop, and a new start at a place
that we keep ourselves.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from vm_ari.domain.playback import STEP, Place, Speed
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Clip, Part, Sentence
from vm_ari.telephony.line import WATCHDOG_SECONDS, Line, NoAnswer, now

PATIENCE = (10.0, 60.0, 60.0, 60.0)
"""Seconds: after each of them in a pause we say how to go on, after the last one the call ends."""


class Control(Enum):
    """What a key does to a recording that plays."""

    PAUSE = "pause"
    REWIND = "rewind"
    FORWARD = "forward"
    SLOWER = "slower"
    FASTER = "faster"


class Say(Protocol):
    """As `Call.say`."""

    async def __call__(self, *sentence: Part) -> bool:
        """Speak until a key is pressed."""


@dataclass(frozen=True)
class Controls:
    """What a listener can do."""

    keys: Mapping[str, Control]
    help: Sentence
    """What is said in a pause that lasts."""
    at_speed: Callable[[Speed], Awaitable[Clip | None]]
    """The recording at another speed; None where that is not possible."""


class Playback:
    """One recording on a line."""

    def __init__(self, line: Line, clip: Clip, controls: Controls, say: Say) -> None:
        self._line = line
        self._clip = clip
        self._controls = controls
        self._say = say
        self._place = Place()
        self._playing = ""
        """Id of what plays now; empty in a pause."""
        self._since = 0.0

    async def run(self) -> bool:
        """Play to the end, or until a key that controls nothing; False if it never began.

        That key is kept. Raises `CallerHungUp`; `NoAnswer` when a pause has no end.
        """
        await self._line.catch_up()
        if self._line.keys:
            return False
        await self._start()
        while await self._key_comes():
            control = self._controls.keys.get(self._line.keys[0])
            if control is None:
                await self._stop()
                break
            self._line.keys.popleft()
            await self._obey(control)
        return True

    async def _key_comes(self) -> bool:
        """Wait for a key; False when the recording ends before."""
        if not self._playing:
            await self._pause()
            return True
        line, playing = self._line, self._playing
        while not await line.until(
            lambda: line.is_over(playing) or bool(line.keys), WATCHDOG_SECONDS
        ):
            if not await line.command(line.channel.is_playing(playing)):
                return False
        return bool(line.keys)

    async def _pause(self) -> None:
        """Wait for a key, with a stream of silence: some trunks end a call without any."""
        keys = self._line.keys
        for seconds in PATIENCE:
            await self._line.command(self._line.channel.send_silence())
            if await self._line.until(lambda: bool(keys), seconds):
                return
            await self._say(*self._controls.help)
        raise NoAnswer

    async def _obey(self, control: Control) -> None:
        match control:
            case Control.PAUSE if self._playing:
                await self._stop()
            case Control.PAUSE:
                await self._start()
            case Control.REWIND:
                await self._jump(-STEP)
            case Control.FORWARD:
                await self._jump(STEP)
            case Control.SLOWER:
                await self._change(self._place.speed.slower())
            case Control.FASTER:
                await self._change(self._place.speed.faster())

    async def _jump(self, seconds: float) -> None:
        """Go on from there; beyond the end that is the end."""
        await self._stop()
        self._place = self._place.moved(seconds)
        await self._start()

    async def _change(self, speed: Speed) -> None:
        """Go on at the same place; until the other file is prepared it plays as before."""
        if speed is self._place.speed:
            return
        clip = await self._controls.at_speed(speed)
        await self._line.catch_up()
        await self._stop()
        if clip is None:
            await self._say(P.NOT_POSSIBLE_NOW)
        else:
            self._clip, self._place = clip, self._place.at(speed)
        await self._start()

    async def _start(self) -> None:
        play = self._line.channel.play([self._clip], skip=self._place.in_file)
        self._playing = await self._line.command(play)
        self._since = now()

    async def _stop(self) -> None:
        """Keep the place where it stopped."""
        if self._playing:
            await self._line.command(self._line.channel.stop_playing(self._playing))
            self._place = self._place.after(now() - self._since)
            self._playing = ""
