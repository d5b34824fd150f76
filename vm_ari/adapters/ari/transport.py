"""Two ways to bring a request to Asterisk: over HTTP, or over the events WebSocket.

HTTP works everywhere. REST over the WebSocket (Asterisk 22.4 and later) keeps the order of
requests and costs about half the CPU; `docs/decisions/0003` has the figures.
"""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp

from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.measures import Asking

Json = Any
ANSWER_SECONDS = 5.0


@dataclass(frozen=True)
class Address:
    """Where Asterisk's HTTP server is, and who we are there."""

    url: str
    """Such as ``http://127.0.0.1:8088`` (the part before ``/ari``)."""
    user: str
    password: str

    def authorization(self) -> dict[str, str]:
        """The header of HTTP's basic authentication (RFC 7617); never in a URL, which is logged."""
        login = f"{self.user}:{self.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(login).decode()}"}

    def __repr__(self) -> str:
        return f"Address({self.url!r}, user={self.user!r})"


class Transport(Protocol):
    """Brings one request there and its answer back."""

    keeps_order: bool
    """Are requests served as they were made, also those whose answer nobody has waited for?"""

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: Json = None
    ) -> Json:
        """The answer's JSON, None if it has no body. Raises `AriError`, `AriUnavailable`."""
        ...


class HttpTransport:
    """Each request on a kept-alive HTTP connection."""

    keeps_order = False

    def __init__(self, session: aiohttp.ClientSession, address: Address) -> None:
        self._session = session
        self._base = f"{address.url.rstrip('/')}/ari/"

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: Json = None
    ) -> Json:
        """See `Transport`."""
        try:
            with Asking("asterisk", aiohttp.ClientError, TimeoutError, OSError):
                async with self._session.request(
                    method, self._base + path, params=query, json=body
                ) as answer:
                    status, text = answer.status, await answer.text()
            return _judge(status, text)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise AriUnavailable(f"{method} {path}: {error!r}") from error


class WebSocketTransport:
    """Requests and answers between the events of the one WebSocket."""

    keeps_order = True

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: Json = None
    ) -> Json:
        """See `Transport`."""
        number = str(next(self._numbers))
        answer = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            with Asking("asterisk", TimeoutError, OSError, aiohttp.ClientError):
                await self._socket.send_str(_frame(number, method, path, query, body))
                async with asyncio.timeout(ANSWER_SECONDS):
                    frame = await answer
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            raise AriUnavailable(f"{method} {path}: {error!r}") from error
        finally:
            del self._waiting[number]
        return _judge(int(frame["status_code"]), str(frame.get("message_body") or ""))

    def take_answer(self, frame: Mapping[str, Any]) -> None:
        """A RESTResponse came in; one that nobody waits for any more is dropped."""
        waiting = self._waiting.get(str(frame.get("request_id")))
        if waiting and not waiting.done():
            waiting.set_result(frame)

    def close(self) -> None:
        """The socket is gone: nobody waits any longer."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError("the WebSocket was closed"))


def _frame(number: str, method: str, path: str, query: Mapping[str, str], body: Json) -> str:
    frame: dict[str, Any] = {
        "type": "RESTRequest",
        "transaction_id": number,
        "request_id": number,
        "method": method,
        "uri": f"{path}?{urlencode(query)}" if query else path,
    }
    if body is not None:
        frame |= {"content_type": "application/json", "message_body": json.dumps(body)}
    return json.dumps(frame)


def _judge(status: int, text: str) -> Json:
    if status < 300:
        return json.loads(text) if text else None
    try:
        message = str(json.loads(text).get("message", text))
    except (ValueError, AttributeError):
        message = text[:200]
    if status in (404, 409):
        raise NotFound(status, message)
    if status == 503:
        raise AriUnavailable(f"Asterisk is booting or stopping: {message}")
    raise AriError(status, message)
