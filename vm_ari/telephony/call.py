"""A call as its script sees it: say, ask, collect, record.

Hang-up is one exception, raised only by the verbs that talk to the caller; `record` returns.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from vm_ari.domain.recording import Ending, Limits
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import Language
from vm_ari.speech.parts import Part, Sentence
from vm_ari.telephony.channel import Channel, ChannelGone
from vm_ari.telephony.dtmf import Complete, Judgement, Matcher, Pending, one_of
from vm_ari.telephony.line import CallerHungUp, Line, now
from vm_ari.telephony.recorder import Recorder

__all__ = ["Call", "CallerHungUp", "NoAnswer", "Timers"]

T = TypeVar("T")

TRIES = 3
WATCHDOG_SECONDS = 5.0
"""How often a playback that reports no end is asked whether it is still going on."""


class NoAnswer(Exception):
    """Three empty or wrong inputs."""


@dataclass(frozen=True)
class Timers:
    """How long a person may think, in seconds."""

    first_key: float = 5.0
    between_keys: float = 3.0
    all_keys: float = 30.0


class Call:
    """One caller on the line."""

    def __init__(self, channel: Channel, language: Language, timers: Timers | None = None) -> None:
        self.language = language
        self._line = Line(channel)
        self._timers = timers or Timers()

    @property
    def id(self) -> str:
        """The line's name in the telephone system."""
        return self._line.channel.id

    async def answer(self) -> None:
        """Pick up."""
        await self._line.command(self._line.channel.answer())

    async def say(self, *sentence: Part, barge_in: bool = True, skip: str = "") -> None:
        """Speak; any key stops it and is kept for the next question.

        A *skip* key also stops it, but is used up by that. Keys typed ahead make it silent.
        """
        keys = self._line.keys
        await self._play(sentence, stops=lambda: barge_in and bool(keys))
        if skip and keys and keys[0] == skip:
            keys.popleft()

    async def say_or_key(self, sentence: Sentence, keys: str) -> str | None:
        """Speak; only one of *keys* stops it, and is returned; other keys pass unheard."""
        pressed = self._line.keys

        def chosen() -> bool:
            while pressed and pressed[0] not in keys:
                pressed.popleft()
            return bool(pressed)

        await self._play(sentence, stops=chosen)
        return pressed.popleft() if chosen() else None

    async def ask(self, question: Sentence, choices: Mapping[str, T]) -> T:
        """Ask until one of the keys is pressed. Raises `NoAnswer` after three useless tries."""
        return await self.collect(question, one_of(choices))

    async def collect(self, question: Sentence, matcher: Matcher[T]) -> T:
        """Ask and take keys until *matcher* is content. Raises `NoAnswer` like `ask`."""
        for _ in range(TRIES):
            await self.say(*question)
            match await self._typed(matcher):
                case Complete(value):
                    return value
                case Pending.INVALID:
                    await self.say(P.KEY_NOT_USED)
                case Pending.INCOMPLETE:
                    await self.say(P.PLEASE_CHOOSE)
        raise NoAnswer

    async def record(self, name: str, limits: Limits) -> Ending:
        """Record until ``#``, silence, the longest time or hang-up; returns in every case.

        The ``#`` is used up; keys pressed while talking are no answers to anything.
        """
        return await self._recorder(name, limits).record()

    async def rejoin(self, name: str, limits: Limits) -> Ending:
        """Like `record`, for a recording that an earlier controller began."""
        return await self._recorder(name, limits).rejoin()

    def forget_keys(self) -> None:
        """Drop what was typed ahead (after a wrong PIN)."""
        self._line.keys.clear()

    async def leave(self, status: str, extension: str = "") -> None:
        """Give the line back to the dialplan; the caller being gone is no error."""
        try:
            await self._line.channel.leave(status, extension)
        except ChannelGone:
            self._line.gone = True

    def _recorder(self, name: str, limits: Limits) -> Recorder:
        warning = self.language.clips((P.WARNING_BEEP,))[0]
        return Recorder(self._line, name, limits, warning)

    async def _play(self, sentence: Sentence, stops: Callable[[], bool]) -> None:
        line, channel = self._line, self._line.channel
        await line.catch_up()
        if stops():
            return
        play_id = await line.command(channel.play(self.language.clips(sentence)))
        while not await line.until(lambda: line.is_over(play_id) or stops(), WATCHDOG_SECONDS):
            if not await line.command(channel.is_playing(play_id)):
                return
        if not line.is_over(play_id):
            await line.command(channel.stop_playing(play_id))

    async def _typed(self, matcher: Matcher[T]) -> Judgement[T]:
        """One try: keys until the matcher is sure, or the person is silent."""
        keys, last = self._line.keys, now() + self._timers.all_keys
        typed = ""
        while True:
            pause = self._timers.between_keys if typed else self._timers.first_key
            if not await self._line.until(lambda: bool(keys), min(pause, last - now())):
                return matcher(typed + "#") if typed else Pending.INCOMPLETE
            typed += keys.popleft()
            judgement = matcher(typed)
            if judgement is not Pending.INCOMPLETE:
                return judgement
