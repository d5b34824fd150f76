"""Calls a telephone, and has the running controller serve that call."""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import aiohttp

from vm_ari.adapters.ari.client import AriClient, Channels
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.leg import shown_as
from vm_ari.adapters.ari.line import CHAIN_VARIABLE, FAR, REPORT_VARIABLE
from vm_ari.adapters.ari.transport import ANSWER_SECONDS, Address, HttpTransport
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.transfer import Chain
from vm_ari.ports import NoCall

RING_SECONDS = 40
LOOK_EVERY = 0.5
"""Seconds: how late the end of the call is noticed."""
FROM_NOWHERE = Chain()
NOBODY = Caller()


class OutgoingCalls:
    """`ports.Telephones` over Asterisk's REST interface; *app* is the controller's."""

    def __init__(
        self,
        address: Address,
        app: str,
        endpoint: str,
        *,
        ring_seconds: int = RING_SECONDS,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._address = address
        self._app = app
        self._endpoint = endpoint
        self._ring_seconds = ring_seconds
        self._look_every = look_every

    async def call(
        self,
        destination: Allowed,
        arguments: str,
        *,
        chain: Chain = FROM_NOWHERE,
        caller: Caller = NOBODY,
        endpoint: str = "",
    ) -> str:
        """Back with the last report when the call that was answered is over. Raises `NoCall`.

        Mailboxes of the *chain* do not take the call. When this is cancelled the call ends.
        """
        limit = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        headers = self._address.authorization()
        async with aiohttp.ClientSession(headers=headers, timeout=limit) as session:
            client = AriClient(HttpTransport(session, self._address))
            try:
                await self._check_controller(client)
                way = (endpoint or self._endpoint).format(number=destination.dial)
                channel = await self._originate(
                    client.channels, way, destination, arguments, chain, shown_as(caller)
                )
                return await self._wait(client.channels, channel)
            except (AriUnavailable, AriError) as error:
                raise NoCall(f"Asterisk cannot be used: {error}") from error

    async def _check_controller(self, client: AriClient) -> None:
        try:
            await client.applications.get(self._app)
        except NotFound:
            raise NoCall(
                f"No controller serves calls of {self._app}; start it: vm-ari run"
            ) from None

    async def _originate(
        self,
        channels: Channels,
        way: str,
        destination: Allowed,
        arguments: str,
        chain: Chain,
        shown: str,
    ) -> str:
        channel = f"{self._app}-call-{secrets.token_hex(8)}"
        try:
            await channels.originate(
                way,
                variables={f"__{CHAIN_VARIABLE}": str(chain)} if chain.numbers else None,
                app=self._app,
                appArgs=arguments,
                timeout=str(self._ring_seconds),
                channelId=channel,
                otherChannelId=channel + FAR,
                **({"callerId": shown} if shown else {}),
            )
        except AriError as error:
            raise NoCall(
                f"{destination.number} cannot be called ({error}); look at dialling.endpoint "
                "and the dialplan behind it"
            ) from None
        return channel

    async def _wait(self, channels: Channels, channel: str) -> str:
        answered, report = False, ""
        try:
            while state := await _state(channels, channel):
                if state["state"] == "Up":
                    answered = True
                    report = await _report(channels, channel) or report
                await asyncio.sleep(self._look_every)
        except BaseException:
            with suppress(AriError, AriUnavailable):
                await channels.handle(channel).hangup()
            raise
        if not answered:
            raise NoCall("Nobody answered, or the line was busy.")
        return report


async def _state(channels: Channels, channel: str) -> Mapping[str, Any] | None:
    """What is known of the channel; None when it has ended."""
    try:
        return await channels.get(channel)
    except NotFound:
        return None


async def _report(channels: Channels, channel: str) -> str:
    """What the controller has said last; empty where it has said nothing yet."""
    try:
        return await channels.handle(channel).get_variable(REPORT_VARIABLE)
    except NotFound:
        return ""
