"""Calls in which a message is spoken, over Asterisk: dialled, followed, and why nobody answered.

Who answers comes to the running controller like every call. Why nobody does is told by events of
the channel, which the controller hears as well; a controller that was restarted meanwhile has not
heard them, and then nobody knows.
"""

from contextlib import suppress

from vm_ari.adapters.ari.application import AriApplication
from vm_ari.adapters.ari.client import Channels
from vm_ari.adapters.ari.connection import AriEvent
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.leg import cause_of, shown_as
from vm_ari.adapters.ari.line import FAR
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.spoken_orders import PURPOSE, Cause, Ending
from vm_ari.ports.orders import LineAway
from vm_ari.telephony.channel import Cause as LineCause

_CAUSES = {
    LineCause.BUSY: Ending(Cause.BUSY),
    LineCause.NO_ANSWER: Ending(Cause.NO_ANSWER),
    LineCause.REFUSED: Ending(Cause.DECLINED),
}
_UNREACHABLE = Ending(Cause.TROUBLE, "the number could not be reached")


class AsteriskSpokenLine:
    """`ports.spoken.SpokenLine`; *endpoint* is dialled, with ``{number}`` in it."""

    def __init__(self, ari: AriApplication, endpoint: str, ring_seconds: int) -> None:
        self._ari = ari
        self._endpoint = endpoint
        self._ring_seconds = ring_seconds
        self._status: dict[str, str] = {}
        """What Asterisk has told of dialling, by channel; of calls that go on only."""
        self._endings: dict[str, Ending] = {}
        ari.watches(self._channel(""), self._take)

    async def call(self, call_id: str, number: Allowed, shown: Caller) -> None:
        """See `SpokenLine`."""
        channel_id = self._channel(call_id)
        self._status[channel_id] = ""
        display = shown_as(shown)
        try:
            await self._channels().originate(
                self._endpoint.format(number=number.dial),
                variables=None,
                app=self._ari.connection.app,
                appArgs=f"{PURPOSE},{call_id}",
                timeout=str(self._ring_seconds),
                channelId=channel_id,
                otherChannelId=channel_id + FAR,
                **({"callerId": display} if display else {}),
            )
        except AriUnavailable as error:
            raise LineAway(f"Asterisk: {error}") from error
        except AriError as error:
            reason = f"it cannot be dialled ({error}); look at dialling.endpoint"
            self._endings[channel_id] = Ending(Cause.TROUBLE, reason)

    async def is_over(self, call_id: str) -> bool:
        """See `SpokenLine`."""
        try:
            await self._channels().get(self._channel(call_id))
        except NotFound:
            return True
        except (AriUnavailable, AriError) as error:
            raise LineAway(f"Asterisk: {error}") from error
        return False

    async def hang_up(self, call_id: str) -> None:
        """See `SpokenLine`."""
        try:
            with suppress(NotFound):
                await self._channels().handle(self._channel(call_id)).hangup()
        except (AriUnavailable, AriError) as error:
            raise LineAway(f"Asterisk: {error}") from error

    def ending(self, call_id: str) -> Ending | None:
        """See `SpokenLine`."""
        channel_id = self._channel(call_id)
        self._status.pop(channel_id, None)
        return self._endings.pop(channel_id, None)

    def _take(self, channel_id: str, event: AriEvent) -> None:
        """Of a channel that no script serves: nobody has answered yet."""
        if channel_id not in self._status:
            return
        match event["type"]:
            case "Dial":
                self._status[channel_id] = str(event.get("dialstatus", ""))
            case "ChannelDestroyed" if event["channel"]["state"] != "Up":
                why = cause_of(event, self._status[channel_id])
                self._endings[channel_id] = _CAUSES.get(why, _UNREACHABLE)

    def _channels(self) -> Channels:
        """Raises `AriUnavailable`."""
        return self._ari.connection.client.channels

    def _channel(self, call_id: str) -> str:
        return f"{self._ari.connection.app}-spoken-{call_id}"
