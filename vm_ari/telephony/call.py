"""A call as its script sees it: say, ask, collect, record.

Hang-up is one exception, raised only by the verbs that talk to the caller; `record` returns.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Self, TypeVar

from vm_ari.domain.recording import Ending, Limits
from vm_ari.domain.transfer import Chain, Outcome, Waiting
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import Language
from vm_ari.speech.parts import Clip, Part, Recorded, Sentence
from vm_ari.telephony.channel import Cause, Channel, ChannelGone, Leg
from vm_ari.telephony.dtmf import Complete, Judgement, Matcher, Pending, one_of
from vm_ari.telephony.line import (
    HANG_UP_FOLLOWS,
    WATCHDOG_SECONDS,
    CallerHungUp,
    Line,
    NoAnswer,
    now,
)
from vm_ari.telephony.playback import Controls, Playback
from vm_ari.telephony.recital import Piece, Recital
from vm_ari.telephony.recorder import Recorder
from vm_ari.telephony.transfer import Screen, Transfer

__all__ = ["Call", "CallerHungUp", "NoAnswer", "Timers"]

T = TypeVar("T")

TRIES = 3
ACCEPT = "1"
SCREENINGS = 2
"""How often somebody is asked whether he takes a call, as the first words are often missed."""


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
        self.has_recorded = False
        """Has the caller been asked to speak?"""

    @classmethod
    def on(cls, line: Line, language: Language, timers: Timers) -> Self:
        """A call on a line that somebody reads already."""
        call = cls(line.channel, language, timers)
        call._line = line
        return call

    @property
    def id(self) -> str:
        """The line's name in the telephone system."""
        return self._line.channel.id

    async def answer(self) -> None:
        """Pick up."""
        await self._line.command(self._line.channel.answer())

    async def say(self, *sentence: Part, skip: str = "") -> bool:
        """Speak; any key stops it and is kept for the next question. Was any of it to be heard?

        A *skip* key also stops it, but is used up by that. Keys typed ahead make it silent.
        """
        keys = self._line.keys
        begun = await self._play(sentence, stops=lambda: bool(keys))
        if skip and keys and keys[0] == skip:
            keys.popleft()
        return begun

    async def listen(self, recording: Recorded, controls: Controls, *, skip: str = "") -> bool:
        """Play a recording that the user controls; other keys stop it, as with `say`.

        Raises `NoAnswer` when a pause has no end.
        """
        [clip] = self.language.clips((recording,))
        keys = self._line.keys
        begun = await Playback(self._line, clip, controls, self.say).run()
        if skip and keys and keys[0] == skip:
            keys.popleft()
        return begun

    async def recite(self, pieces: AsyncIterator[Piece], *, skip: str = "") -> bool:
        """Play clips as they come, controlled like one recording; as with `listen`.

        Raises `NoAnswer` when a pause has no end, and what *pieces* raises.
        """
        keys = self._line.keys
        begun = await Recital(self._line, pieces, self.say).run()
        if skip and keys and keys[0] == skip:
            keys.popleft()
        return begun

    async def ready(self, work: asyncio.Future[T], seconds: float) -> bool:
        """Wait for something that is being prepared; False if a key or the end of time comes first.

        The work goes on. Raises `CallerHungUp`.
        """
        return await self._line.until_done(work, seconds)

    @property
    def talking(self) -> bool:
        """Is the caller's voice heard just now, as far as the line tells?"""
        return self._line.talking

    def next_key(self) -> str:
        """The oldest key that nothing has used yet; empty: there is none."""
        return self._line.keys.popleft() if self._line.keys else ""

    async def stays(self) -> None:
        """Give a hang-up the moment it needs to be reported. Raises `CallerHungUp`.

        For what shall only happen when the caller has listened to the end.
        """
        await self._line.until(lambda: bool(self._line.keys), HANG_UP_FOLLOWS)

    async def last_words(self, *sentence: Part) -> None:
        """Speak before the end of the call: no key, now or before, means anything any more."""
        await self.say_or_key(sentence, "")

    async def say_or_key(self, sentence: Sentence, keys: str, *, wait: float = 0.0) -> str | None:
        """Speak; only one of *keys* stops it, and is returned; other keys pass unheard.

        So it goes on for *wait* seconds after the last word.
        """
        pressed = self._line.keys

        def chosen() -> bool:
            while pressed and pressed[0] not in keys:
                pressed.popleft()
            return bool(pressed)

        await self._play(sentence, stops=chosen)
        if wait:
            await self._line.until(chosen, wait)
        return pressed.popleft() if chosen() else None

    async def ask(
        self, question: Sentence, choices: Mapping[str, T], *, again: Sentence | None = None
    ) -> T:
        """Ask until one of the keys is pressed. Raises `NoAnswer` after three useless tries.

        From the second try on *again* is asked instead, where it is given.
        """
        again = question if again is None else again
        return await self._insist(question, one_of(choices), (P.PLEASE_CHOOSE, *again), again)

    async def collect(self, question: Sentence, matcher: Matcher[T]) -> T:
        """Ask and take keys until *matcher* is content. Raises `NoAnswer` like `ask`."""
        return await self._insist(question, matcher, question, question)

    async def record(self, name: str, limits: Limits, *, tone: P | None = None) -> Ending:
        """Record until ``#``, silence, the longest time or hang-up; returns in every case.

        The ``#`` is used up; keys pressed while talking are no answers to anything. A *tone* tells
        the caller to begin.
        """
        self.has_recorded = True
        return await self._recorder(name, limits).record(self._clip(tone) if tone else None)

    async def rejoin(self, name: str, limits: Limits) -> Ending:
        """Like `record`, for a recording that an earlier controller began."""
        return await self._recorder(name, limits).rejoin()

    async def transfer(
        self,
        leg: Leg,
        *,
        hears: Waiting = Waiting.RINGING,
        give_up: str = "*",
        screening: Sentence = (),
        leaves_server: bool = False,
    ) -> Outcome:
        """Connect the caller with somebody else; who is not connected is back in the script.

        The key *give_up*, if any, ends the waiting. With a *screening* the destination hears it
        and accepts with 1. When they talk, *leaves_server* hands them over to the telephone system
        that carries both, if there is one and it agrees.

        Raises `CallerHungUp` while he waits; then nobody rings any more.
        """
        screen: Screen | None = partial(self._accepts, screening) if screening else None
        return await Transfer(
            self._line,
            leg,
            hears=hears,
            give_up=give_up,
            screen=screen,
            leaves_server=leaves_server,
        ).run()

    async def chain(self) -> Chain:
        """Which of our mailboxes have sent this call on."""
        return await self._line.command(self._line.channel.chain())

    async def has_other_nodes(self) -> bool:
        """Is there somebody who brings this call to another node if we do not take it?"""
        return await self._line.command(self._line.channel.has_other_nodes())

    async def report(self, text: str) -> None:
        """Tell who has asked for this call what has come of it so far."""
        await self._line.command(self._line.channel.report(text))

    async def refuse(self) -> None:
        """Do not take this call, which has not been answered."""
        await self._line.channel.refuse()

    async def forget_keys(self) -> None:
        """Drop what was typed ahead: it was meant for something else (after a wrong PIN)."""
        await self._line.catch_up()
        self._line.keys.clear()

    async def leave(self, status: str, extension: str = "") -> None:
        """Give the line back to the dialplan; the caller being gone is no error."""
        try:
            await self._line.channel.leave(status, extension)
        except ChannelGone:
            self._line.gone = True

    async def listen_for_fax(self, number: str) -> None:
        """Let the dialplan take over for that mailbox once a fax machine is heard.

        Raises `CallerHungUp`.
        """
        await self._line.command(self._line.channel.listen_for_fax(number))

    async def was_fax(self) -> bool:
        """Is the line gone because a fax machine has called, and the dialplan goes on with it?"""
        if not self._line.gone:
            return False
        if self._line.cause is None:  # a command has noticed it before the event came
            await self._line.event(now() + HANG_UP_FOLLOWS)
        return self._line.cause is Cause.FAX

    async def _accepts(self, question: Sentence, line: Line) -> bool:
        """Does the person on that line want the call? Any other key than 1, or none, is a no."""
        other = Call.on(line, self.language, self._timers)
        for _ in range(SCREENINGS):
            await other.say(*question)
            match await other._typed(one_of({ACCEPT: True})):
                case Complete():
                    return True
                case Pending.INVALID:
                    return False
        return False

    async def _insist(
        self, question: Sentence, matcher: Matcher[T], after_silence: Sentence, again: Sentence
    ) -> T:
        asked = question
        for _ in range(TRIES):
            await self.say(*asked)
            match await self._typed(matcher):
                case Complete(value):
                    return value
                case Pending.INVALID:
                    asked = (P.KEY_NOT_USED, *again)
                case Pending.INCOMPLETE:
                    asked = after_silence
        raise NoAnswer

    def _recorder(self, name: str, limits: Limits) -> Recorder:
        return Recorder(self._line, name, limits, self._clip(P.WARNING_BEEP))

    def _clip(self, sound: P) -> Clip:
        return self.language.clips((sound,))[0]

    async def _play(self, sentence: Sentence, stops: Callable[[], bool]) -> bool:
        """Play until it is over or *stops*; False if it never began."""
        line, channel = self._line, self._line.channel
        await line.catch_up()
        if stops() or not sentence:
            return False
        play_id = await line.command(channel.play(self.language.clips(sentence)))
        while not await line.until(lambda: line.is_over(play_id) or stops(), WATCHDOG_SECONDS):
            if not await line.command(channel.is_playing(play_id)):
                return True
        if not line.is_over(play_id):
            await line.command(channel.stop_playing(play_id))
        return True

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
