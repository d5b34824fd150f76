"""The seconds or minutes in which the caller talks."""

from vm_ari.domain.recording import Ending, Limits, why_it_ended
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import ChannelGone, KeyPressed
from vm_ari.telephony.line import Line, now

GRACE = 3.0
"""Seconds: Asterisk ends on time or one second late, and without incoming audio never."""

HANG_UP_FOLLOWS = 0.1
"""Seconds: RecordingFinished comes a moment before StasisEnd when the caller hangs up."""

END_KEY = "#"


class Recorder:
    """One recording on one line."""

    def __init__(self, line: Line, name: str, limits: Limits, warning: Clip) -> None:
        self._line = line
        self._name = name
        self._limits = limits
        self._warning = warning
        self._warned = limits.longest <= 2 * limits.warning
        self._ended_by_key = False
        self._stopped = False
        self._started = 0.0

    async def record(self) -> Ending:
        """Record, and say why it ended. Raises `CallerHungUp` only if it could not begin."""
        self._line.listen_anew()
        self._started = now()
        await self._line.command(self._line.channel.record(self._name, self._limits))
        return await self._watch()

    async def rejoin(self) -> Ending:
        """The same for a recording that goes on already; how long it has, nobody knows."""
        self._line.listen_anew()
        self._started = now()
        await self._line.command(self._line.channel.rejoin(self._name))
        return await self._watch()

    async def _watch(self) -> Ending:
        while not (self._line.gone or self._stopped or self._line.is_over(self._name)):
            match await self._line.event(self._next_deadline()):
                case None:
                    await self._deadline_passed()
                case KeyPressed(key):
                    self._use_up(key)
                case _:
                    pass
        return await self._reason()

    def _use_up(self, key: str) -> None:
        """Keys while talking answer nothing; those behind the end key are typed ahead."""
        if not self._ended_by_key:
            self._line.keys.pop()
            self._ended_by_key = key == END_KEY

    async def _reason(self) -> Ending:
        lasted, quiet = now() - self._started, self._line.quiet_seconds()
        if not (self._ended_by_key or self._line.gone):
            deadline = now() + HANG_UP_FOLLOWS
            while not self._line.gone and await self._line.event(deadline) is not None:
                pass
        return why_it_ended(
            hung_up=self._line.gone,
            by_key=self._ended_by_key,
            lasted=lasted,
            quiet=quiet,
            limits=self._limits,
        )

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
