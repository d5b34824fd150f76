"""The recording of one channel and the tone before it: who hears the tone is recorded.

Asterisk carries out what it is told about a channel one after the other, behind what is still
playing. What it has not yet read of a connection that breaks, it drops: its first answer that
cannot be written closes the socket (`ast_websocket_write`). So a controller that dies right after
it has ordered tone and recording would let the caller talk to nobody.

Therefore both wait behind a gate, a silent playback without an end, and the gate is opened when
Asterisk has said that it has the recording, too. Its name is the language of that playback, which
silence has no use for; so the next controller can ask which recording it stands before.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, NotFound
from vm_ari.domain.recording import Limits

SILENCE = "tone:0"
"""Frequency 0, for ever."""
SETTLES = 1.0
"""Seconds in which Asterisk may still carry out what it was told on a connection that has broken.
"""
TRIES = 50
PAUSE = 0.02
"""Seconds: a playback that begins in this very moment cannot be stopped yet."""
BEGINS_WITHIN = 3.0
"""Seconds: a tone is much shorter."""


class ChannelRecording:
    """At most one at a time. All methods raise `AriError` and `AriUnavailable`."""

    def __init__(self, channel_id: str, client: Callable[[], AriClient]) -> None:
        self._channel_id = channel_id
        self._client = client
        self._gate = f"{channel_id}-gate"
        self._tone = f"{channel_id}-tone"
        self.name: str | None = None
        """What is being recorded, or will be behind the tone: Asterisk has confirmed it."""
        self.waits = False
        """Is the gate closed, for all we know? Then nothing else is done on the channel."""

    async def begin(self, name: str, limits: Limits, tone: str = "") -> None:
        """Play the *tone*, a media URI, if there is one, and record; returns when that is sure.

        A stream of silence beside it costs Asterisk some 17 ms of CPU in nine seconds: every 20 ms
        a timer wakes it up for a packet.
        """
        self.name = None
        line = self._client().channels.handle(self._channel_id)
        record = partial(
            line.record,
            name,
            format="wav",
            maxDurationSeconds=limits.longest,
            maxSilenceSeconds=limits.silence,
            ifExists="overwrite",
            terminateOn="#",
            beep=False,
        )
        before: list[Callable[[], Awaitable[None]]] = []
        if tone:
            self.waits = True
            gate = partial(line.play, [SILENCE], self._gate, language=name)
            before = [gate, partial(line.play, [tone], self._tone)]
        if limits.stream:
            before.append(line.start_silence)
        await line.in_order(*before, record)
        self.name = name
        await self.settle()

    async def goes_on(self) -> bool:
        """Does Asterisk know the recording (still)?"""
        return self.name is not None and await self._state(self.name) is not None

    async def settle(self) -> None:
        """Open the gate; where nothing waits to be recorded, take the tone away before."""
        if not self.waits:
            return
        if self.name is None:
            with suppress(NotFound):
                await self._client().playbacks.stop(self._tone)
        await self._open()

    async def adopt(self) -> None:
        """What an earlier controller has ordered is done: returns when he is being recorded.

        Or when nothing is in the way of anything else, where it was not ordered completely.
        """
        self.waits = True  # until we know better: what is asked next may not be answered
        try:
            name = str((await self._client().playbacks.get(self._gate))["language"])
        except NotFound:
            self.waits = False
            return
        if await self._state(name) is None:
            await asyncio.sleep(SETTLES)
        self.name = name if await self._state(name) else None
        await self.settle()
        if self.name is not None:
            with suppress(NotFound):
                await self._begun(self._client(), self.name)

    async def stop(self, client: AriClient) -> None:
        """End what is being recorded, over any connection: its file is whole then."""
        if self.name is not None:
            with suppress(NotFound):
                await self._begun(client, self.name)
                await client.recordings.stop(self.name)

    async def _open(self) -> None:
        """Perhaps it is open already, or was never there."""
        for tries_left in reversed(range(TRIES)):
            try:
                await self._client().playbacks.stop(self._gate)
            except NotFound:
                break
            except AriError:
                if not tries_left:
                    raise
                await asyncio.sleep(PAUSE)
            else:
                break
        self.waits = False

    async def _state(self, name: str) -> Any:
        try:
            return (await self._client().recordings.live(name))["state"]
        except NotFound:
            return None

    @staticmethod
    async def _begun(client: AriClient, name: str) -> None:
        """Behind its tone; before that, it cannot be stopped. Raises `NotFound`."""
        for _ in range(round(BEGINS_WITHIN / PAUSE)):
            if (await client.recordings.live(name))["state"] != "queued":
                return
            await asyncio.sleep(PAUSE)
