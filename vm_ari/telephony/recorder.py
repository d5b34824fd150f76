"""The seconds or minutes in which the caller talks."""

from collections.abc import Callable

from vm_ari.domain.recording import Ending, Limits, why_it_ended
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import ChannelGone, KeyPressed, LineFault, LineSilent
from vm_ari.telephony.line import HANG_UP_FOLLOWS, Line, now

GRACE = 3.0
"""Seconds: Asterisk ends on time or one second late, and without incoming audio never."""

STOP_TAKES = 2.0
"""Seconds: until Asterisk has closed the file of a recording that we stop."""

END_KEY = "#"
ASK_AGAIN = 0.5
"""Seconds between questions whether a recording goes on, while Asterisk does not answer."""

KEY_ENDS_WITHIN = 3.0
"""Seconds: Asterisk reports the end of the recording a few milliseconds after the key."""


class Recorder:
    """One recording on one line."""

    def __init__(self, line: Line, name: str, limits: Limits, warning: Clip) -> None:
        self._line = line
        self._name = name
        self._limits = limits
        self._warning = warning
        self._warned = not limits.warns
        self._end_key_at: float | None = None
        self._stopped = False
        self._unanswered = False
        self._started = 0.0

    async def record(self, tone: Clip | None = None) -> Ending:
        """Record, and say why it ended. Raises `CallerHungUp` only if it could not begin."""
        self._line.listen_anew()
        self._started = now()
        try:
            await self._line.command(self._line.channel.record(self._name, self._limits, tone))
        except LineSilent:
            await self._find()
        return await self._watch()

    async def rejoin(self) -> Ending:
        """The same for a recording that goes on already; how long it has, nobody knows."""
        self._line.listen_anew()
        self._started = now()
        await self._line.command(self._line.channel.rejoin(self._name))
        return await self._watch()

    async def _find(self) -> None:
        """The command may have arrived though its answer has not: then he is talking already.

        Whatever he does until Asterisk answers again, the file will tell.
        """
        self._unanswered = True
        latest = self._started + self._limits.longest + GRACE
        while not self._line.gone and now() < latest:
            try:
                await self._line.channel.rejoin(self._name)
            except ChannelGone:
                self._line.gone = True
            except LineFault:
                await self._events_until(lambda: False, ASK_AGAIN)
            else:
                return

    async def _watch(self) -> Ending:
        while not (self._line.gone or self._stopped or self._line.is_over(self._name)):
            match await self._line.event(self._next_deadline()):
                case None:
                    await self._deadline_passed()
                case KeyPressed(key):
                    self._use_up(key)
                case _:
                    pass
        if not self._ended_by_key:
            self._line.keys.clear()
        return await self._reason()

    @property
    def _ended_by_key(self) -> bool:
        """Was it the end key just now?  One pressed during the tone ends nothing."""
        return self._end_key_at is not None and now() - self._end_key_at < KEY_ENDS_WITHIN

    def _use_up(self, key: str) -> None:
        """Keys until the end key answer nothing; those behind it are typed ahead."""
        if not self._ended_by_key:
            self._line.keys.clear()
            self._end_key_at = now() if key == END_KEY else None

    async def _reason(self) -> Ending:
        lasted, quiet = now() - self._started, self._line.quiet_seconds()
        if self._stopped:
            await self._events_until(lambda: self._line.is_over(self._name), STOP_TAKES)
        if not self._ended_by_key:
            await self._events_until(lambda: False, HANG_UP_FOLLOWS)
        ending = why_it_ended(
            hung_up=self._line.gone,
            by_key=self._ended_by_key,
            lasted=lasted,
            quiet=quiet,
            limits=self._limits,
        )
        return Ending.UNANSWERED if self._unanswered and ending is Ending.FAULT else ending

    async def _events_until(self, reached: Callable[[], bool], seconds: float) -> None:
        """Note what happens, for so long at most; hang-up ends it like everything else."""
        deadline = now() + seconds
        while not (reached() or self._line.gone):
            if await self._line.event(deadline) is None:
                return

    def _warning_time(self) -> float:
        return self._started + self._limits.longest - self._limits.warning

    def _next_deadline(self) -> float:
        deadlines = [self._started + self._limits.longest + GRACE]
        if not self._warned:
            deadlines.append(self._warning_time())
        if not self._line.talking:
            silent_since = now() - self._line.quiet_seconds()
            deadlines.append(silent_since + self._limits.silence + GRACE)
        return min(deadlines)

    async def _deadline_passed(self) -> None:
        channel = self._line.channel
        try:
            if not self._warned and now() >= self._warning_time():
                self._warned = True
                await channel.whisper(self._warning)
            else:
                self._stopped = True
                await channel.stop_recording(self._name)
        except ChannelGone:
            self._line.gone = True
        except LineFault:
            return  # what was said matters more than a missing beep
