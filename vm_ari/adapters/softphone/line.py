"""The line of one phone: who it is, its server, and requests that prove it (RFC 3261 12, 22)."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vm_ari.adapters.softphone.digest import Credentials
from vm_ari.adapters.softphone.messages import (
    Address,
    Header,
    Request,
    Response,
    parameter,
    reply,
    token,
    uri_of,
)
from vm_ari.adapters.softphone.wire import Transaction, Wire

ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY"
_ATTEMPTS = 3  # without proof, with proof, with a fresh nonce


def _ignore(_: Response) -> None:
    """Nobody wants to know of provisional responses."""


@dataclass
class Dialog:
    """Our side of a dialog (RFC 3261 section 12), or of a series of REGISTERs.

    *local* and *remote* are the From and To values of our requests, with their tags.
    """

    local: str
    remote: str
    target: str
    address: Address
    call_id: str = field(default_factory=token)
    routes: tuple[str, ...] = ()
    cseq: int = 0

    @property
    def tag(self) -> str:
        """Names our end of the dialog."""
        return parameter(self.local, "tag")

    @classmethod
    def of_invite(cls, invite: Request, source: Address) -> "Dialog":
        """The dialog that begins with an INVITE to us."""
        return cls(
            local=f"{invite.get('to')};tag={token()}",
            remote=invite.get("from"),
            target=uri_of(invite.get("contact") or invite.get("from")),
            address=source,
            call_id=invite.call_id,
            routes=_routes(invite),
        )

    def establish(self, response: Response) -> None:
        """The other side has answered: from now on requests carry its tag and go to its contact."""
        self.remote = response.get("to", self.remote)
        self.target = uri_of(response.get("contact")) or self.target
        self.routes = _routes(response)[::-1]

    def headers(self, via: str, cseq: str) -> tuple[Header, ...]:
        """The headers every request of this dialog begins with."""
        return (
            ("Via", f"SIP/2.0/UDP {via};rport;branch=z9hG4bK{token()}"),
            ("Max-Forwards", "70"),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", cseq),
            *(("Route", route) for route in self.routes),
        )


def _routes(message: Request | Response) -> tuple[str, ...]:
    """The proxies that want to stay on the path; one header line may name several."""
    lines = message.all("record-route")
    return tuple(route for line in lines for route in re.split(r",\s*(?=<)", line))


class Line:
    """Sends the requests of a phone, answers challenges, and sends its answers."""

    def __init__(self, wire: Wire, credentials: Credentials, server: Address) -> None:
        self.wire = wire
        self.credentials = credentials
        self.server = server

    @property
    def via(self) -> str:
        """host:port of this phone."""
        host, port = self.wire.address
        return f"{host}:{port}"

    @property
    def contact(self) -> Header:
        """The header that tells where this phone is reached."""
        return "Contact", f"<sip:{self.credentials.user}@{self.via}>"

    async def ask(
        self,
        dialog: Dialog,
        method: str,
        headers: Sequence[Header] = (),
        body: bytes = b"",
        *,
        on_progress: Callable[[Response], None] = _ignore,
        on_begin: Callable[[Transaction], None] | None = None,
    ) -> Response:
        """Send a request of *dialog*, answer a challenge, and return the final response.

        Raises ServerSilent.
        """
        proof: tuple[Header, ...] = ()
        for _ in range(_ATTEMPTS):
            transaction = self._begin(dialog, method, (*headers, *proof), body)
            if on_begin:
                on_begin(transaction)
            response = await self._final(transaction, on_progress)
            header = self.credentials.answer(transaction.request, response)
            if header is None:
                break
            proof = (header,)
        return response

    def acknowledge(self, transaction: Transaction, dialog: Dialog) -> None:
        """The ACK of a 2xx: same number and proof as the INVITE (RFC 3261 section 13.2.2.4)."""
        invite = transaction.request
        proof = [h for h in invite.headers if h[0].endswith("Authorization")]
        headers = (*dialog.headers(self.via, f"{invite.cseq[0]} ACK"), *proof)
        transaction.acknowledge(Request(method="ACK", uri=dialog.target, headers=headers))

    async def cancel(self, transaction: Transaction) -> None:
        """Take back an INVITE that rings; its own final response tells what came of it."""
        request = transaction.request.related("CANCEL")
        await self._final(self.wire.begin(request, self.server), _ignore)

    def answer(
        self,
        request: Request,
        source: Address,
        status: int,
        *,
        tag: str = "",
        headers: Sequence[Header] = (),
        body: bytes = b"",
    ) -> None:
        """Answer a request; *tag*: that of the dialog, where there is one."""
        response = reply(request, status, tag=tag or token(), headers=headers, body=body)
        self.wire.answer(request, response, source)

    def _begin(
        self, dialog: Dialog, method: str, headers: Sequence[Header], body: bytes
    ) -> Transaction:
        dialog.cseq += 1
        begin = dialog.headers(self.via, f"{dialog.cseq} {method}")
        all_headers = (*begin, self.contact, *headers)
        request = Request(method=method, uri=dialog.target, headers=all_headers, body=body)
        return self.wire.begin(request, dialog.address)

    async def _final(
        self, transaction: Transaction, on_progress: Callable[[Response], None]
    ) -> Response:
        try:
            while not (response := await transaction.response()).final:
                on_progress(response)
            return response
        finally:
            self.wire.finish(transaction)
