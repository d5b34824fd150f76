"""ari-py's object surface, asynchronous: ``client.channels.originate``, ``channel.play`` …

Each method is one request of the ARI reference (Asterisk REST Interface, "Channels",
"Bridges", "Playbacks", "Recordings", "Applications", "Asterisk"). All raise `AriError` and
`AriUnavailable`; what is gone is `NotFound`.

Some requests about a channel are answered by the channel's own thread, when it has come to them:
not while it records or plays. The WebSocket serves one request after the other, so there such a one
keeps all other calls waiting. It goes *aside*, over HTTP, unless somebody knows that the thread is
free (`test_ari_busy_lines.py` tells which ones they are).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from vm_ari.adapters.ari.transport import Json, Transport


@dataclass(frozen=True)
class _Resource:
    """Something with an id below one path."""

    transport: Transport
    path: str

    async def _get(self, below: str = "", **query: str) -> Json:
        return await self.transport.request("GET", self.path + below, query)

    async def _post(self, below: str = "", body: Json = None, **query: str) -> Json:
        return await self.transport.request("POST", self.path + below, query, body)

    async def _put(self, below: str = "", body: Json = None, **query: str) -> Json:
        return await self.transport.request("PUT", self.path + below, query, body)

    async def _delete(self, below: str = "", **query: str) -> Json:
        return await self.transport.request("DELETE", self.path + below, query)


def _segment(name: str) -> str:
    return quote(name, safe="")


@dataclass(frozen=True)
class _Patient(_Resource):
    """One with requests that wait for the thread of a channel."""

    aside: Transport
    """Where they keep nobody else waiting."""

    async def _post_aside(self, below: str, body: Json = None, **query: str) -> None:
        await self.aside.request("POST", self.path + below, query, body)


class ChannelHandle(_Patient):
    """One channel: ``client.channels.handle(id)``."""

    async def in_order(self, *commands: Callable[[], Awaitable[None]]) -> None:
        """Give several commands one after the other, as close together as it can be."""
        if self.transport.keeps_order:
            await asyncio.gather(*(command() for command in commands))
        else:
            for command in commands:
                await command()

    async def answer(self) -> None:
        """Pick up."""
        await self._post_aside("/answer")

    async def hangup(self, **reason: str) -> None:
        """End it; *reason_code* is a cause of ITU-T Q.850."""
        await self._delete(**reason)

    async def ring(self) -> None:
        """Let the caller hear ringing, as a tone where the call is answered."""
        await self._post("/ring")

    async def ring_stop(self) -> None:
        """No more ringing."""
        await self._delete("/ring")

    async def start_moh(self) -> None:
        """Music on hold, of the channel's class."""
        await self._post("/moh")

    async def stop_moh(self) -> None:
        """No more music."""
        await self._delete("/moh")

    async def redirect(self, endpoint: str) -> None:
        """Ask the other side to call somewhere else: SIP REFER once the call is answered."""
        await self._post("/redirect", endpoint=endpoint)

    async def play(
        self, media: Sequence[str], playback_id: str, offset_ms: int = 0, language: str = ""
    ) -> None:
        """Play a list of media URIs in order.

        *offset_ms* into the first one, which Asterisk counts as samples at 8 kHz in every file.
        """
        body: dict[str, Json] = {"media": list(media)}
        if offset_ms:
            body["offsetms"] = offset_ms
        if language:
            body["lang"] = language
        await self._post(f"/play/{_segment(playback_id)}", body)

    async def record(self, name: str, **options: Any) -> None:
        """Record into ``<spool>/recording/<name>.<format>``."""
        await self._post("/record", {"name": name, **options})

    async def start_silence(self) -> None:
        """Send silence from now on, until something is played."""
        await self._post("/silence")

    async def mute(self) -> None:
        """Nothing that is said there reaches anybody."""
        await self._post("/mute", direction="in")

    async def unmute(self) -> None:
        """It does again. Harmless where it did."""
        await self._delete("/mute", direction="in")

    async def set_variable(self, name: str, value: str) -> None:
        """Set a channel variable or a dialplan function."""
        await self._post_aside("/variable", {"variable": name, "value": value})

    async def get_variable(self, name: str) -> str:
        """Read one; a missing header or function value is answered with 500 (`AriError`)."""
        answer = await self._get("/variable", variable=name)
        return str(answer["value"])

    async def continue_in_dialplan(self) -> None:
        """Give it back to the dialplan, at the next priority."""
        await self._post("/continue")

    async def snoop(self, app: str, app_args: str, **options: str) -> Mapping[str, Any]:
        """A channel that listens or whispers to this one."""
        answer: Mapping[str, Any] = await self._post("/snoop", app=app, appArgs=app_args, **options)
        return answer


class Channels(_Patient):
    """All channels."""

    def handle(self, channel_id: str, *, is_free: bool = False) -> ChannelHandle:
        """The channel of that id, without asking whether it exists.

        *is_free*: its thread has nothing else to do, so that no request needs to go aside.
        """
        aside = self.transport if is_free else self.aside
        return ChannelHandle(self.transport, f"channels/{_segment(channel_id)}", aside)

    async def get(self, channel_id: str) -> Mapping[str, Any]:
        """What Asterisk knows of a channel. Raises `NotFound`."""
        answer: Mapping[str, Any] = await self._get(f"/{_segment(channel_id)}")
        return answer

    async def list(self) -> Sequence[Mapping[str, Any]]:
        """All channels there are, whoever serves them."""
        answer: Sequence[Mapping[str, Any]] = await self._get()
        return answer

    async def originate(
        self, endpoint: str, *, variables: Mapping[str, str] | None = None, **options: str
    ) -> Mapping[str, Any]:
        """Call an endpoint; *options* are app, appArgs, context, extension, timeout …"""
        body = {"variables": dict(variables)} if variables else None
        answer: Mapping[str, Any] = await self._post("", body, endpoint=endpoint, **options)
        return answer


class Bridges(_Patient):
    """Where channels hear each other."""

    async def list(self) -> Sequence[Mapping[str, Any]]:
        """All bridges there are, with their ``channels``."""
        answer: Sequence[Mapping[str, Any]] = await self._get()
        return answer

    async def get(self, bridge_id: str) -> Mapping[str, Any]:
        """One of them. Raises `NotFound`."""
        answer: Mapping[str, Any] = await self._get(f"/{_segment(bridge_id)}")
        return answer

    async def create(self, bridge_id: str) -> None:
        """A mixing bridge of that id."""
        await self._post("", bridgeId=bridge_id, type="mixing", name=bridge_id)

    async def add_channels(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """Put channels into it; all must be in our application."""
        await self._post_aside(f"/{_segment(bridge_id)}/addChannel", channel=",".join(channel_ids))

    async def create_room(self, bridge_id: str) -> None:
        """The same for many, from whom keys are reported."""
        await self._post("", bridgeId=bridge_id, type="mixing,dtmf_events", name=bridge_id)

    async def add_quietly(self, bridge_id: str, channel_id: str) -> None:
        """Put a channel into it whose keys the others do not hear."""
        options = {"absorbDTMF": "true", "inhibitConnectedLineUpdates": "true"}
        await self._post_aside(f"/{_segment(bridge_id)}/addChannel", channel=channel_id, **options)

    async def remove_channel(self, bridge_id: str, channel_id: str) -> None:
        """It is back in its application."""
        await self._post_aside(f"/{_segment(bridge_id)}/removeChannel", channel=channel_id)

    async def play(self, bridge_id: str, media: Sequence[str], playback_id: str) -> None:
        """To everybody in it, behind what plays already."""
        below = f"/{_segment(bridge_id)}/play/{_segment(playback_id)}"
        await self._post(below, {"media": list(media)})

    async def record(self, bridge_id: str, name: str, **options: Any) -> None:
        """Everything that is heard in it, into ``<spool>/recording/<name>.<format>``."""
        await self._post(f"/{_segment(bridge_id)}/record", {"name": name, **options})

    async def start_moh(self, bridge_id: str) -> None:
        """Music on hold for everybody in it."""
        await self._post(f"/{_segment(bridge_id)}/moh")

    async def stop_moh(self, bridge_id: str) -> None:
        """No more music. Raises `AriError` 409 where there is none."""
        await self._delete(f"/{_segment(bridge_id)}/moh")

    async def destroy(self, bridge_id: str) -> None:
        """Its channels are back in their applications. Raises `NotFound`."""
        await self._delete(f"/{_segment(bridge_id)}")


class Playbacks(_Resource):
    """All playbacks."""

    async def get(self, playback_id: str) -> Mapping[str, Any]:
        """Its state. Raises `NotFound` when it is over."""
        answer: Mapping[str, Any] = await self._get(f"/{_segment(playback_id)}")
        return answer

    async def stop(self, playback_id: str) -> None:
        """Be quiet now. Raises `NotFound` when it is over."""
        await self._delete(f"/{_segment(playback_id)}")


class Recordings(_Resource):
    """Live and stored recordings."""

    async def stop(self, name: str) -> None:
        """End a live one and keep its file. Raises `NotFound`."""
        await self._post(f"/live/{_segment(name)}/stop")

    async def delete_stored(self, name: str) -> None:
        """Remove a stored one with its file. Raises `NotFound`."""
        await self._delete(f"/stored/{_segment(name)}")

    async def live(self, name: str) -> Mapping[str, Any]:
        """A recording that goes on. Raises `NotFound`."""
        answer: Mapping[str, Any] = await self._get(f"/live/{_segment(name)}")
        return answer


class Applications(_Resource):
    """Stasis applications."""

    async def get(self, name: str) -> Mapping[str, Any]:
        """With ``channel_ids``. Raises `NotFound` if nobody has registered it."""
        answer: Mapping[str, Any] = await self._get(f"/{_segment(name)}")
        return answer

    async def disallow_events(self, name: str, types: Sequence[str]) -> None:
        """Never send these; an *allowed* list would swallow REST answers on the WebSocket."""
        filters = {"disallowed": [{"type": kind} for kind in types]}
        await self._put(f"/{_segment(name)}/eventFilter", filters)


class AsteriskInfo(_Resource):
    """The server itself."""

    async def ping(self) -> None:
        """Answers when it has fully booted."""
        await self._get("/ping")

    async def info(self) -> Mapping[str, Any]:
        """Version, start time, configuration."""
        answer: Mapping[str, Any] = await self._get("/info")
        return answer

    async def module_runs(self, name: str) -> bool:
        """Is that module loaded and running?"""
        modules: Sequence[Mapping[str, Any]] = await self._get("/modules")
        return any(m["name"] == name and m["status"] == "Running" for m in modules)

    async def running_modules(self) -> frozenset[str]:
        """All of them, such as ``app_stasis.so``."""
        modules: Sequence[Mapping[str, Any]] = await self._get("/modules")
        return frozenset(m["name"] for m in modules if m["status"] == "Running")

    async def load_module(self, name: str) -> None:
        """Until Asterisk's next start. `AriError` 409: it cannot be loaded."""
        await self._post(f"/modules/{_segment(name)}")

    async def reload_module(self, name: str) -> None:
        """Have it read its configuration anew: ``pbx_config.so`` the dialplan."""
        await self._put(f"/modules/{_segment(name)}")

    async def get_global_variable(self, name: str) -> str:
        """Empty where it was never set."""
        answer = await self._get("/variable", variable=name)
        return str(answer["value"])

    async def set_global_variable(self, name: str, value: str) -> None:
        """A global of the dialplan."""
        await self._post("/variable", variable=name, value=value)


class Mailboxes(_Resource):
    """Message-waiting state, where res_ari_mailboxes is built."""

    async def update(self, name: str, old: int, new: int) -> None:
        """Set the counts; phones are told."""
        await self._put(f"/{_segment(name)}", oldMessages=str(old), newMessages=str(new))


class AriClient:
    """The whole interface over one transport; *aside*: for what would hold it up."""

    def __init__(self, transport: Transport, aside: Transport | None = None) -> None:
        self.transport = transport
        aside = aside or transport
        self.channels = Channels(transport, "channels", aside)
        self.bridges = Bridges(transport, "bridges", aside)
        self.playbacks = Playbacks(transport, "playbacks")
        self.recordings = Recordings(transport, "recordings")
        self.applications = Applications(transport, "applications")
        self.asterisk = AsteriskInfo(transport, "asterisk")
        self.mailboxes = Mailboxes(transport, "mailboxes")
