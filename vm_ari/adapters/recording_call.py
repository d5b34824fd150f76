"""Calls a telephone, so that a greeting is recorded there by the running controller."""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiohttp

from vm_ari.adapters.ari.client import AriClient, Channels
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.transport import ANSWER_SECONDS, Address, HttpTransport
from vm_ari.domain.dialling import Allowed

RING_SECONDS = 40
LOOK_EVERY = 0.5
"""Seconds: how late the end of the call is noticed."""


class NoRecordingCall(Exception):
    """There was no call. The text says why, and what to do."""


class RecordingCaller:
    """Makes such calls over Asterisk's REST interface; *app* is the controller's."""

    def __init__(
        self, address: Address, app: str, endpoint: str, *, ring_seconds: int = RING_SECONDS
    ) -> None:
        self._address = address
        self._app = app
        self._endpoint = endpoint
        self._ring_seconds = ring_seconds

    async def call(self, destination: Allowed, arguments: str) -> None:
        """Back when the call that was answered is over. Raises `NoRecordingCall`.

        When this is cancelled the call ends.
        """
        limit = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        headers = self._address.authorization()
        async with aiohttp.ClientSession(headers=headers, timeout=limit) as session:
            client = AriClient(HttpTransport(session, self._address))
            try:
                await self._check_controller(client)
                channel = await self._originate(client.channels, destination, arguments)
                await self._wait(client.channels, channel)
            except (AriUnavailable, AriError) as error:
                raise NoRecordingCall(f"Asterisk cannot be used: {error}") from error

    async def _check_controller(self, client: AriClient) -> None:
        try:
            await client.applications.get(self._app)
        except NotFound:
            raise NoRecordingCall(
                f"No controller serves calls of {self._app}; start it: vm-ari run"
            ) from None

    async def _originate(self, channels: Channels, destination: Allowed, arguments: str) -> str:
        channel = f"{self._app}-record-{secrets.token_hex(8)}"
        try:
            await channels.originate(
                self._endpoint.format(number=destination.dial),
                app=self._app,
                appArgs=arguments,
                timeout=str(self._ring_seconds),
                channelId=channel,
                otherChannelId=f"{channel}-far",
            )
        except AriError as error:
            raise NoRecordingCall(
                f"{destination.number} cannot be called ({error}); look at dialling.endpoint "
                "and the dialplan behind it"
            ) from None
        return channel

    async def _wait(self, channels: Channels, channel: str) -> None:
        answered = False
        try:
            while state := await _state(channels, channel):
                answered = answered or state["state"] == "Up"
                await asyncio.sleep(LOOK_EVERY)
        except BaseException:
            with suppress(AriError, AriUnavailable):
                await channels.handle(channel).hangup()
            raise
        if not answered:
            raise NoRecordingCall("Nobody answered, or the line was busy.")


async def _state(channels: Channels, channel: str) -> Mapping[str, Any] | None:
    """What is known of the channel; None when it has ended."""
    try:
        return await channels.get(channel)
    except NotFound:
        return None
