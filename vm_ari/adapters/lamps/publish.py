"""The lamp by SIP: PUBLISH of Asterisk's own event package ``asterisk-mwi`` (RFC 3903).

The body is what Asterisk nodes send each other (res_pjsip_publish_asterisk); its counts must be
JSON integers, text counts as 0. ``asterisk-conf/pjsip_vm_ari.conf`` has the other side's part.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import cast

from vm_ari.adapters.lamps.method import CONTEXT, LampCounts, LampNotTold, LampRefused
from vm_ari.adapters.softphone.digest import Credentials
from vm_ari.adapters.softphone.messages import (
    Address,
    Header,
    NotSip,
    Request,
    Response,
    parse,
    token,
)

PUBLISH_MODULE = "res_pjsip_publish_asterisk.so"
EVENT = "asterisk-mwi"
NODE = "02:76:6d:61:72:69"
"""Who says so: Asterisk wants the id of a node in the form of a MAC address. One for all
controllers, so that a later one replaces what an earlier one said."""
EXPIRES = 5
"""Seconds Asterisk keeps the publication; the lamp stays as it is when it ends."""
PAUSES = (0.5, 1.0, 2.0)
"""Seconds until it is sent again, and in the end given up (RFC 3261 section 17.1.2, cut short)."""
_NOT_NOW = (408, 480, 500, 503, 504)
_HINT = "is the account in pjsip.conf as asterisk-conf/pjsip_vm_ari.conf shows it?"


@dataclass(frozen=True)
class SipAccount:
    """Where to publish, and as whom."""

    server: Address
    """Host and UDP port of Asterisk's SIP."""
    user: str
    password: str = field(repr=False)


class Publisher:
    """Sends one PUBLISH for each change; opened with the first one."""

    def __init__(self, account: SipAccount) -> None:
        self._account = account
        self._credentials = Credentials(account.user, account.password)
        host = account.server[0]
        self._uri = f"sip:{account.user}@{f'[{host}]' if ':' in host else host}"
        self._socket: _Socket | None = None
        self._opening = asyncio.Lock()
        self._numbers = count(1)
        self._run = token()
        self._proof: tuple[Header, ...] = ()
        """What the last challenge was answered with; good for a while, as all have one URI."""

    async def tell(self, mailbox: str, counts: LampCounts) -> None:
        """See `Method`."""
        socket = await self._open()
        bare = self._request(socket, mailbox, counts)
        response = await socket.ask(replace(bare, headers=(*bare.headers, *self._proof)))
        if proof := self._credentials.answer(bare, response):
            self._proof = (proof,)
            response = await socket.ask(self._request(socket, mailbox, counts, proof))
        if response.status in _NOT_NOW:
            raise LampNotTold(f"Asterisk answers PUBLISH with {_words(response)}")
        if response.status >= 300:
            raise LampRefused(f"Asterisk answers PUBLISH with {_words(response)}; {_HINT}")

    async def close(self) -> None:
        """See `Method`."""
        if self._socket:
            self._socket.close()
            self._socket = None

    async def _open(self) -> "_Socket":
        async with self._opening:
            if self._socket is None:
                try:
                    _, self._socket = await asyncio.get_running_loop().create_datagram_endpoint(
                        _Socket, remote_addr=self._account.server
                    )
                except OSError as error:
                    raise LampNotTold(f"no way to {self._account.server}: {error}") from error
            return self._socket

    def _request(
        self, socket: "_Socket", mailbox: str, counts: LampCounts, *more: Header
    ) -> Request:
        """One Call-ID for each mailbox: Asterisk works off what has the same one in order."""
        headers = (
            ("Via", f"SIP/2.0/UDP {socket.via};rport;branch=z9hG4bK{token()}"),
            ("Max-Forwards", "70"),
            ("From", f"<{self._uri}>;tag={self._run}"),
            ("To", f"<{self._uri}>"),
            ("Call-ID", f"{mailbox}-{self._run}"),
            ("CSeq", f"{next(self._numbers)} PUBLISH"),
            ("Event", EVENT),
            ("Expires", str(EXPIRES)),
            ("Content-Type", "application/json"),
            *more,
        )
        return Request(
            method="PUBLISH", uri=self._uri, headers=headers, body=_state(mailbox, counts)
        )


def _state(mailbox: str, counts: LampCounts) -> bytes:
    state = {"type": "mailboxstate", "eid": NODE, "uniqueid": f"{mailbox}@{CONTEXT}"}
    return json.dumps(state | {"new": counts.new, "old": counts.old}).encode()


def _words(response: Response) -> str:
    return f"{response.status} {response.reason}"


class _Socket(asyncio.DatagramProtocol):
    """A connected UDP socket and the questions that wait on it."""

    def __init__(self) -> None:
        self.via = ""
        self._waiting: dict[Header, asyncio.Future[Response]] = {}
        self._send: Callable[[bytes], None] = lambda _: None
        self.close: Callable[[], None] = lambda: None

    async def ask(self, request: Request) -> Response:
        """The final response. Raises `LampNotTold`."""
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[request.transaction] = answer
        try:
            for pause in PAUSES:
                self._send(request.encode())
                done, _ = await asyncio.wait([answer], timeout=pause)
                if done:
                    return answer.result()
        except OSError as error:
            raise LampNotTold(f"PUBLISH: {error}") from error
        finally:
            del self._waiting[request.transaction]
        raise LampNotTold(f"no answer to PUBLISH within {sum(PAUSES)} s")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the socket is open."""
        udp = cast(asyncio.DatagramTransport, transport)
        host, port = udp.get_extra_info("sockname")[:2]
        self.via = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._send, self.close = udp.sendto, udp.close

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Called by asyncio; provisional responses and anything unasked are of no interest."""
        try:
            message = parse(data)
        except NotSip:
            return
        if isinstance(message, Response) and message.final:
            waiting = self._waiting.get(message.transaction)
            if waiting and not waiting.done():
                waiting.set_result(message)

    def error_received(self, exc: Exception) -> None:
        """Called by asyncio: nobody listens there."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(exc)
