"""The Stasis application: one task and one line for each call, and order after every gap."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import structlog

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.connection import AriConnection, AriEvent, Way
from vm_ari.adapters.ari.conversations import Conversation, left_behind, until_one_hangs_up
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.leg import ENDPOINT, LEG, AriLeg, is_leg, is_only_dialled
from vm_ari.adapters.ari.line import WHISPER, AriLine
from vm_ari.adapters.ari.transport import Address
from vm_ari.domain.fallback_name import id_in_name
from vm_ari.domain.lateness import Lateness, Queue
from vm_ari.measures import GIVEN_BACK, LATENESS
from vm_ari.telephony.channel import ChannelGone, Leg, LineFault

log = structlog.get_logger("vm_ari.ari")

RELEASE_PAUSES = (0.5, 2.0, 5.0)
"""Seconds between tries to give a call back when Asterisk does not answer."""


@dataclass(frozen=True)
class Arrival:
    """A call as Asterisk hands it over; caller's data are raw."""

    arguments: Sequence[str]
    caller_number: str
    caller_name: str
    channel_name: str


class Receiver(Protocol):
    """What serves the calls."""

    async def call(self, line: AriLine, arrival: Arrival) -> None:
        """Serve one call to its end."""
        ...

    async def orphan(self, line: AriLine) -> None:
        """A caller whose script died with an earlier controller."""
        ...

    async def connected(self) -> None:
        """The connection is up and orphans are being served: adopt files, light lamps."""
        ...


class AriApplication:
    """Turns events into calls."""

    def __init__(
        self,
        address: Address,
        receiver: Receiver,
        *,
        sounds: Path,
        now: Callable[[], float],
        app: str = "vm-ari",
        most_calls: int = 500,
        latest_answer: float = 1.0,
        way: Way = "auto",
        endpoint: str = ENDPOINT,
    ) -> None:
        """*endpoint*: how Asterisk dials a ``{number}``."""
        self._endpoint = endpoint
        self._receiver = receiver
        self._sounds = sounds
        self._most_calls = most_calls
        self._latest_answer = latest_answer
        self._lateness = Lateness()
        self._queue = Queue()
        self._lines: dict[str, AriLine] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._watchers: dict[str, Callable[[str, AriEvent], None]] = {}
        self.connection = AriConnection(
            address,
            app,
            on_event=self._take,
            on_connect=self._adopt,
            on_replaced=self._lose_all,
            now=now,
            way=way,
        )

    @property
    def calls(self) -> int:
        """How many lines are being served."""
        return len(self._lines)

    async def run(self) -> None:
        """Serve calls until cancelled; calls that go on then are left to Asterisk."""
        try:
            await self.connection.run()
        finally:
            for task in list(self._tasks):
                task.cancel()

    async def is_alive(self, channel_id: str) -> bool:
        """Does that channel still exist? Also as the dialplan's file names spell its id.

        Raises `AriUnavailable`, `AriError`.
        """
        channels = self.connection.client.channels
        try:
            await channels.get(channel_id)
        except NotFound:
            return channel_id in {id_in_name(str(one["id"])) for one in await channels.list()}
        return True

    async def end(self, channel_id: str) -> bool:
        """Hang up a call that is served here: its script ends as if the caller had. Is it one?"""
        if channel_id not in self._lines:
            return False
        await self._hang_up(channel_id)
        return True

    def _take(self, event: AriEvent) -> None:
        if event["type"] == "StasisStart":
            self._arrive(event)
        elif line := self._lines.get(_channel_of(event)):
            if event["type"] == "PlaybackStarted":
                self._queue.leaves(line.id)
            line.take(event)
            self._forget_leg(line)
        else:
            self._tell_watchers(event)

    def watches(self, prefix: str, hears: Callable[[str, AriEvent], None]) -> None:
        """Let *hears* have the events of channels that begin so, while no script serves them."""
        self._watchers[prefix] = hears

    def _tell_watchers(self, event: AriEvent) -> None:
        channel_id = _channel_of(event)
        for prefix, hears in self._watchers.items():
            if channel_id.startswith(prefix):
                hears(channel_id, event)

    def _arrive(self, event: AriEvent) -> None:
        arguments = [str(argument) for argument in event["args"]]
        channel_id = str(event["channel"]["id"])
        known = self._lines.get(channel_id)
        if arguments[:1] == [LEG]:
            self._leg_answered(channel_id, event)
            return
        if known and not known.gone:
            return  # it was listed before its event was read, and is served as an orphan
        line = self._line(channel_id, str(event["channel"].get("name", "")))
        if arguments[:1] == [WHISPER]:
            self._serve(line, self._whisper(line, arguments[1]))
        elif why := self._refusal(late := self._late(event)):
            log.warning("this call goes to the dialplan", why=why, calls=len(self._lines))
            GIVEN_BACK.add(why)
            self._serve(line, line.leave("FALLBACK"))
        else:
            line.arrived(late)
            self._queue.joins(line.id, self.connection.now() - late)
            self._serve(line, self._receiver.call(line, _arrival(arguments, event["channel"])))

    def _late(self, event: AriEvent) -> float:
        """Seconds that the news of a call waited to be read."""
        written = _written(event)
        late = 0.0 if written is None else self._lateness.of(written, self.connection.now())
        LATENESS.note(late)
        return late

    def _refusal(self, late: float) -> str:
        """Why a new call is better off with the dialplan; nothing: it is not."""
        if len(self._lines) > self._most_calls or self._queue.is_crowded(self.connection.now()):
            return "too-many"
        return "too-late" if late > self._latest_answer else ""

    def _line(self, channel_id: str, name: str | None = None) -> AriLine:
        line = AriLine(
            channel_id,
            self.connection.app,
            lambda: self.connection.client,
            self._sounds,
            dial=self._dial,
            name=name,
        )
        self._lines[channel_id] = line
        return line

    # --- legs: the script of the line that dialled them owns them

    async def _dial(self, owner: AriLine, leg: Leg) -> AriLine:
        line = AriLeg(
            self.connection.app,
            lambda: self.connection.client,
            self._sounds,
            dial=self._dial,
            owner=owner,
        )
        self._lines[line.id] = line
        self._queue.leaves(owner.id)  # he is being connected, and hears it ring
        try:
            await line.originate(leg, self._endpoint)
        except LineFault:
            await self._hang_up(line.id)  # it may exist all the same, if only the answer was lost
            self._lines.pop(line.id, None)
            raise
        return line

    def _leg_answered(self, leg_id: str, event: AriEvent) -> None:
        leg = self._lines.get(leg_id)
        if isinstance(leg, AriLeg) and not leg.let_go:
            leg.take(event)
        else:  # nobody waits for it any more, or its controller is not there any more
            self._run(self._hang_up(leg_id))

    def _forget_leg(self, line: AriLine) -> None:
        if line.gone and isinstance(line, AriLeg):
            self._lines.pop(line.id, None)

    async def _hang_up(self, channel_id: str) -> None:
        with suppress(AriError, AriUnavailable):
            await self.connection.client.channels.handle(channel_id).hangup()

    async def _end_bridge(self, bridge_id: str) -> None:
        with suppress(AriError, AriUnavailable):
            await self.connection.client.bridges.destroy(bridge_id)

    # --- stories

    def _serve(self, line: AriLine, story: Awaitable[None]) -> None:
        self._run(self._served(line, story))

    def _run(self, story: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _served(self, line: AriLine, story: Awaitable[None]) -> None:
        try:
            with structlog.contextvars.bound_contextvars(call=line.id):
                await story
        except ChannelGone:
            log.info("caller hung up", call=line.id)
        except Exception as error:
            GIVEN_BACK.add("fault")
            log.error("call given back to the dialplan", call=line.id, reason=repr(error))
            await self._release(line)
        finally:
            self._queue.leaves(line.id)
            if self._lines.get(line.id) is line:
                del self._lines[line.id]

    async def _release(self, line: AriLine) -> None:
        """No caller may be left alone in our application; after a lost connection he is adopted."""
        for pause in RELEASE_PAUSES:
            try:
                await line.leave("FALLBACK")
            except ChannelGone:
                return
            except LineFault:
                await asyncio.sleep(pause)
            else:
                return

    async def _whisper(self, line: AriLine, media: str) -> None:
        """Runs on the helper channel: play one sound, then vanish."""
        client = self.connection.client
        try:
            await client.channels.handle(line.id).play([media], f"{line.id}-whisper")
            await line.next_event()
        except AriError:
            return
        await line.hang_up()

    async def _adopt(self) -> None:
        """Compare what we believe with what Asterisk has, and take care of the difference."""
        known = dict(self._lines)  # before asking: who comes in meanwhile is missing in the answer
        client, app = self.connection.client, self.connection.app
        ours = {str(one) for one in (await client.applications.get(app))["channel_ids"]}
        all_channels = {str(one["id"]): one for one in await client.channels.list()}
        for channel_id, line in known.items():
            if channel_id in (all_channels if isinstance(line, AriLeg) else ours):
                await line.resume()
            else:
                line.lost()
                self._forget_leg(line)
        talking = await self._adopt_conversations()
        await self._end_stray_legs(all_channels.keys() - talking)
        orphans = ours - talking - self._lines.keys()
        self._serve_orphans(one for one in orphans if not is_only_dialled(one, app, all_channels))
        await self._receiver.connected()
        log.info("connected to Asterisk", app=app, channels=len(ours))

    async def _lose_all(self, client: AriClient) -> None:
        """The calls are another controller's now; our scripts keep what they have, and end.

        The other one knows nothing of our recordings: they are closed, so that they are whole.
        """
        lines = list(self._lines.values())
        await asyncio.gather(*(line.close_recording(client) for line in lines))
        for line in lines:
            line.lost()
            self._forget_leg(line)

    async def _adopt_conversations(self) -> set[str]:
        """Who talks goes on talking. Returns the channels that are thereby taken care of."""
        bridges = await self.connection.client.bridges.list()
        in_hand = [line.bridge for line in self._lines.values()]
        found = left_behind(bridges, self.connection.app, in_hand)
        for conversation in found:
            self._adopt_conversation(conversation)
        return {channel for one in found for channel in (one.caller, *one.others)}

    def _adopt_conversation(self, found: Conversation) -> None:
        log.info("conversation adopted", call=found.caller)
        if found.caller in self._lines:  # his script has gone on; only the bridge is left
            self._run(self._end_bridge(found.id))
            return
        caller = self._line(found.caller)
        caller.talks()
        self._serve(caller, self._converse(caller, [self._line(one) for one in found.others]))

    async def _converse(self, caller: AriLine, others: Sequence[AriLine]) -> None:
        try:
            for line in (caller, *others):  # one may have gone between two of our questions
                if not await self.is_alive(line.id):
                    line.lost()
            await until_one_hangs_up(caller, others)
        finally:
            for line in others:
                self._lines.pop(line.id, None)

    async def _end_stray_legs(self, channel_ids: set[str]) -> None:
        """Those that an earlier controller let ring, and those that could not be ended before."""
        for channel_id in channel_ids:
            line = self._lines.get(channel_id)
            stray = line is None or (isinstance(line, AriLeg) and line.let_go)
            if is_leg(channel_id, self.connection.app) and stray:
                await self._hang_up(channel_id)

    def _serve_orphans(self, channel_ids: Iterable[str]) -> None:
        for channel_id in channel_ids:
            line = self._line(channel_id)
            self._serve(line, self._orphan(line))

    async def _orphan(self, line: AriLine) -> None:
        """Perhaps he was waiting for somebody: nothing is to be heard of that any more."""
        with suppress(LineFault):
            await line.stop_waiting()
        await line.adopt_recording()
        await self._receiver.orphan(line)


def _channel_of(event: AriEvent) -> str:
    """The id of the channel that an event is about; empty if it is about something else."""
    for role in ("channel", "peer"):
        if role in event:
            return str(event[role]["id"])
    about: Mapping[str, Any] = event.get("playback") or event.get("recording") or {}
    return str(about.get("target_uri", "")).removeprefix("channel:")


def _written(event: AriEvent) -> float | None:
    """When Asterisk wrote it, by its own clock."""
    try:
        return datetime.fromisoformat(str(event["timestamp"])).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None


def _arrival(arguments: Sequence[str], channel: Mapping[str, Any]) -> Arrival:
    caller = channel.get("caller", {})
    return Arrival(
        arguments=arguments,
        caller_number=str(caller.get("number", "")),
        caller_name=str(caller.get("name", "")),
        channel_name=str(channel.get("name", "")),
    )


__all__ = ["AriApplication", "AriUnavailable", "Arrival", "Receiver"]
