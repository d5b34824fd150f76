"""SIP transactions over one UDP socket (RFC 3261 section 17), with its simple timers."""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from vm_ari.adapters.softphone.errors import ServerSilent
from vm_ari.adapters.softphone.messages import (
    Address,
    Header,
    NotSip,
    Request,
    Response,
    parse,
)

log = logging.getLogger(__name__)

T1 = 0.5
"""Seconds a round trip may take; everything is given up after 64 of them."""
T2 = 4.0
MEMORY = 32.0
"""Seconds for which responses are remembered, in case the other side repeats itself."""


class Transaction:
    """One request of ours, sent again until it is answered."""

    def __init__(self, wire: "Wire", request: Request, to: Address) -> None:
        self.request = request
        self._wire = wire
        self._to = to
        self._inbox: asyncio.Queue[Response] = asyncio.Queue()
        self._ack: Request | None = None
        self._deadline = wire.now + 64 * wire.t1
        self._interval = wire.t1
        self._silent = True
        wire.send(request.encode(), to)

    async def response(self) -> Response:
        """The next response; raises ServerSilent after 64 × T1 without any."""
        while True:
            try:
                async with asyncio.timeout_at(self._next_alarm()):
                    return await self._inbox.get()
            except TimeoutError:
                self._send_again()

    def take(self, response: Response) -> None:
        """A response has come in; a refusal of an INVITE is acknowledged here."""
        if self._ack:
            self._wire.send(self._ack.encode(), self._to)  # they did not get the first ACK
            return
        self._silent = False
        if self.request.method == "INVITE" and response.status >= 300:
            self.acknowledge(self.request.related("ACK", response.get("to")))
        self._inbox.put_nowait(response)

    def acknowledge(self, ack: Request) -> None:
        """Send the ACK, now and whenever the final response comes again."""
        self._ack = ack
        self._wire.send(ack.encode(), self._to)

    def _next_alarm(self) -> float | None:
        if self.request.method == "INVITE" and not self._silent:
            return None  # it is ringing: the caller decides how long
        return min(self._wire.now + self._interval, self._deadline)

    def _send_again(self) -> None:
        if self._wire.now >= self._deadline:
            raise ServerSilent(f"no answer to {self.request.method} from {self._to}")
        self._wire.send(self.request.encode(), self._to)
        self._interval *= 2
        if self.request.method != "INVITE":
            self._interval = min(self._interval, T2)


class Wire(asyncio.DatagramProtocol):
    """The socket: finds the transaction of a response, repeats our answers, hands on requests."""

    def __init__(self, on_request: Callable[[Request, Address], None], t1: float = T1) -> None:
        self.t1 = t1
        self._on_request = on_request
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._transactions: dict[Header, Transaction] = {}
        self._answers: dict[Header, bytes] = {}
        self._unacknowledged: dict[tuple[str, int], asyncio.TimerHandle] = {}
        self._expiries: set[asyncio.TimerHandle] = set()

    @classmethod
    async def open(
        cls, on_request: Callable[[Request, Address], None], local: Address, t1: float = T1
    ) -> "Wire":
        """Listen at *local* (port 0: any free one)."""
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_datagram_endpoint(lambda: cls(on_request, t1), local_addr=local)
        return wire

    @property
    def now(self) -> float:
        """The loop's clock, monotonic seconds."""
        return self._loop.time()

    @property
    def address(self) -> Address:
        """Where this phone is reached."""
        if self._transport is None:
            raise RuntimeError("the phone is not open: use `async with phone`")
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def begin(self, request: Request, to: Address) -> Transaction:
        """Send a request and be ready for its responses."""
        transaction = Transaction(self, request, to)
        self._transactions[request.transaction] = transaction
        return transaction

    def finish(self, transaction: Transaction) -> None:
        """Forget a transaction, after the time in which its response may be repeated."""
        key = transaction.request.transaction
        self._later(MEMORY, lambda: self._transactions.pop(key, None))

    def answer(self, request: Request, response: Response, to: Address) -> None:
        """Send a response; the final one to an INVITE again and again until it is acknowledged."""
        key = request.transaction
        self._answers[key] = response.encode()
        self.send(self._answers[key], to)
        if response.final:
            self._later(MEMORY, lambda: self._answers.pop(key, None))
        if response.final and request.method == "INVITE":
            self._repeat(request, self._answers[key], to, self.t1, self.now + 64 * self.t1)

    def send(self, datagram: bytes, to: Address) -> None:
        """One datagram; what does not leave is lost, as anywhere with UDP."""
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(datagram, to)

    def close(self) -> None:
        """Close the socket and forget everything."""
        for timer in (*self._expiries, *self._unacknowledged.values()):
            timer.cancel()
        self._expiries.clear()
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio when the socket is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def error_received(self, exc: Exception) -> None:
        """Called by asyncio, e.g. for a port nobody listens at."""
        log.debug("SIP socket: %s", exc)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Called by asyncio for every datagram."""
        try:
            message = parse(data)
        except NotSip as error:
            log.debug("not SIP from %s: %s", addr, error)
            return
        match message:
            case Response():
                self._take_response(message)
            case Request():
                self._take_request(message, addr[:2])

    def _take_response(self, response: Response) -> None:
        transaction = self._transactions.get(response.transaction)
        if transaction:
            transaction.take(response)
        else:
            log.debug("response to nothing we asked: %d", response.status)

    def _take_request(self, request: Request, source: Address) -> None:
        known = self._answers.get(request.transaction)
        if request.method == "ACK":
            repetition = self._unacknowledged.pop((request.call_id, request.cseq[0]), None)
            if repetition:
                repetition.cancel()
        elif known:
            self.send(known, source)
        else:
            self._on_request(request, source)

    def _repeat(
        self, request: Request, data: bytes, to: Address, interval: float, until: float
    ) -> None:
        def again() -> None:
            self.send(data, to)
            self._repeat(request, data, to, min(2 * interval, T2), until)

        key = (request.call_id, request.cseq[0])
        self._unacknowledged.pop(key, None)
        if self.now < until:
            self._unacknowledged[key] = self._loop.call_later(interval, again)

    def _later(self, seconds: float, forget: Callable[[], object]) -> None:
        def run() -> None:
            self._expiries.discard(timer)
            forget()

        timer = self._loop.call_later(seconds, run)
        self._expiries.add(timer)
