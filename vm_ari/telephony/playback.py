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
    """One recording on a line, from a *start*.

    As part of several it *continues* what the listener controls already; is there one *before* it?
    """

    def __init__(
        self,
        line: Line,
        clip: Clip,
        controls: Controls,
        say: Say,
        *,
        start: Place | None = None,
        continues: bool = False,
        before: bool = False,
    ) -> None:
        self._line = line
        self._clip = clip
        self._controls = controls
        self._say = say
        self.place = start or Place()
        """Where it is, as long as it does not play."""
        self.wanted_before = 0.0
        """So many seconds before its beginning the listener wanted to go on."""
        self._continues = continues
        self._before = before
        self._playing = ""
        """Id of what plays now; empty in a pause."""
        self._since = 0.0

    async def run(self) -> bool:
        """Play to the end, or until a key that controls nothing; False if it never began.

        That key is kept. Raises `CallerHungUp`; `NoAnswer` when a pause has no end.
        """
        await self._line.catch_up()
        if self._line.keys and not (self._continues and self._is_control(self._line.keys[0])):
            return False
        await self._start()
        while not self.wanted_before and await self._key_comes():
            control = self._controls.keys.get(self._line.keys[0])
            if control is None:
                await self._stop()
                break
            self._line.keys.popleft()
            await self._obey(control)
        return True

    def _is_control(self, key: str) -> bool:
        return key in self._controls.keys

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
                return self._ended()
        return bool(line.keys) or self._ended()

    def _ended(self) -> bool:
        """It has come to its end: no key comes any more."""
        self.place = self.place.after(now() - self._since)
        self._playing = ""
        return False

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
                await self._change(self.place.speed.slower())
            case Control.FASTER:
                await self._change(self.place.speed.faster())

    async def _jump(self, seconds: float) -> None:
        """Go on from there; beyond the end that is the end."""
        await self._stop()
        if self._before and self.place.seconds + seconds < 0:
            self.wanted_before = -(self.place.seconds + seconds)
            return
        self.place = self.place.moved(seconds)
        await self._start()

    async def _change(self, speed: Speed) -> None:
        """Go on at the same place; until the other file is prepared it plays as before."""
        if speed is self.place.speed:
            return
        clip = await self._controls.at_speed(speed)
        await self._line.catch_up()
        await self._stop()
        if clip is None:
            await self._say(P.NOT_POSSIBLE_NOW)
        else:
            self._clip, self.place = clip, self.place.at(speed)
        await self._start()

    async def _start(self) -> None:
        play = self._line.channel.play([self._clip], skip=self.place.in_file)
        self._playing = await self._line.command(play)
        self._since = now()

    async def _stop(self) -> None:
        """Keep the place where it stopped."""
        if self._playing:
            await self._line.command(self._line.channel.stop_playing(self._playing))
            self.place = self.place.after(now() - self._since)
            self._playing = ""
