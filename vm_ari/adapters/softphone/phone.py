"""The softphone: registers, calls, is called, and watches its message lamp."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypedDict, Unpack

from vm_ari.adapters.softphone import message_summary, sdp
from vm_ari.adapters.softphone.call import Call, IncomingCall, OutgoingCall
from vm_ari.adapters.softphone.digest import Credentials
from vm_ari.adapters.softphone.errors import (
    LampNotSeen,
    PhoneSilent,
    RegistrationRefused,
    SoftphoneError,
    SubscriptionRefused,
)
from vm_ari.adapters.softphone.g711 import Codec
from vm_ari.adapters.softphone.line import ALLOW, Dialog, Line
from vm_ari.adapters.softphone.media import Media
from vm_ari.adapters.softphone.message_summary import Lamp
from vm_ari.adapters.softphone.messages import (
    Address,
    Header,
    RawHeaders,
    Request,
    header_list,
    parameter,
    text,
    token,
)
from vm_ari.adapters.softphone.wire import T1, Wire

log = logging.getLogger(__name__)

_ALLOW: Header = ("Allow", ALLOW)
_KNOWN_METHODS = {"INFO", "MESSAGE", "PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE"}
_FAREWELL = 3.0  # seconds a silent server may delay the closing of the phone

Taker = Callable[[IncomingCall], None]


class How(TypedDict, total=False):
    """The ways to call, as Softphone.dial() explains them."""

    from_name: str | bytes
    from_number: str | bytes
    from_header: str | bytes
    headers: RawHeaders
    send_silence: bool


class Softphone:
    """A telephone without a handset: `async with Softphone(…) as phone`.

    One UDP socket for SIP and one for each call; *codecs*: what it offers, the preferred first;
    *t1*: seconds until the first repetition of an unanswered request (RFC 3261 section 17.1.1.1).
    """

    def __init__(
        self,
        *,
        user: str,
        password: str = "",
        server: Address = ("127.0.0.1", 5060),
        local_ip: str = "127.0.0.1",
        local_port: int = 0,
        domain: str = "",
        codecs: Sequence[Codec] = (Codec.PCMU, Codec.PCMA),
        t1: float = T1,
    ) -> None:
        self.user = user
        self.server = server
        self.domain = domain or f"{server[0]}:{server[1]}"
        self.lamps: list[Lamp] = []
        self.calls: dict[str, Call] = {}
        self._credentials = Credentials(user, password)
        self._local = (local_ip, local_port)
        self._codecs = tuple(codecs)
        self._t1 = t1
        self._line: Line | None = None
        self._lamp_changed = asyncio.Event()
        self._waiting: asyncio.Queue[IncomingCall] = asyncio.Queue()
        self._take_call: Taker = self._let_ring
        self._subscription: Dialog | None = None
        self._registration: Dialog | None = None
        self._renewing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        wire = await Wire.open(self._take, self._local, self._t1)
        self._line = Line(wire, self._credentials, self.server)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._renewing:
            self._renewing.cancel()
        try:
            await asyncio.gather(*(_politely(farewell) for farewell in self._farewells()))
        finally:
            for call in tuple(self.calls.values()):
                call.drop()
            self.line.wire.close()

    @property
    def line(self) -> Line:
        """The phone's connection; there is one inside `async with` only."""
        if self._line is None:
            raise RuntimeError("the phone is not open: use `async with phone`")
        return self._line

    async def register(self, expires: int = 300) -> None:
        """Tell the server where this phone is, and keep telling it until the phone is closed.

        Raises RegistrationRefused, ServerSilent.
        """
        await self._register(expires)
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(expires))

    async def subscribe_mwi(self, expires: int = 3600) -> None:
        """Ask for the lamp (RFC 3842), where the server does not send it unasked.

        Raises SubscriptionRefused, ServerSilent.
        """
        dialog = self._subscription or self._own_dialog()
        headers = (
            ("Event", "message-summary"),
            ("Accept", "application/simple-message-summary"),
            ("Expires", str(expires)),
        )
        response = await self.line.ask(dialog, "SUBSCRIBE", headers)
        if response.status >= 300:
            raise SubscriptionRefused(response.status, response.reason)
        dialog.establish(response)
        self._subscription = dialog

    async def lamp(self, new: int, old: int | None = None, *, within: float = 60.0) -> Lamp:
        """Wait until the lamp shows these counts (now or later); raises LampNotSeen."""
        try:
            async with asyncio.timeout(within):
                while not (self.lamps and _shows(self.lamps[-1], new, old)):
                    self._lamp_changed.clear()
                    await self._lamp_changed.wait()
        except TimeoutError:
            seen = [(lamp.new, lamp.old) for lamp in self.lamps]
            wanted = f"{new}/{'any' if old is None else old}"
            raise LampNotSeen(f"waited for {wanted}, saw {seen}") from None
        return self.lamps[-1]

    async def call(self, target: str, *, within: float = 60.0, **how: Unpack[How]) -> OutgoingCall:
        """Call somebody and return when they answer; *how* as for dial().

        Raises CallRefused, ServerSilent; TimeoutError (after giving up the call).
        """
        call = self.dial(target, **how)
        try:
            await call.answered(within)
        except TimeoutError:
            await call.hang_up()
            raise
        return call

    def dial(
        self,
        target: str,
        *,
        from_name: str | bytes = "",
        from_number: str | bytes = "",
        from_header: str | bytes = "",
        headers: RawHeaders = (),
        send_silence: bool = True,
    ) -> OutgoingCall:
        """Begin to call a number or a SIP URI; the call rings, early media is heard.

        All text goes out as it is, also bytes that are not text; *from_header* replaces the
        whole From value (without tag).  *send_silence*: send RTP while nothing is said?
        """
        uri = target if target.startswith(("sip:", "tel:")) else f"sip:{target}@{self.domain}"
        sender = text(from_header) or self._sender(text(from_name), text(from_number))
        dialog = Dialog(f"{sender};tag={token()}", f"<{uri}>", uri, self.server)
        media = Media(self.line.wire.address[0], send_silence=send_silence)
        call = OutgoingCall(self.line, dialog, media, self._codecs)
        self._keep(call)
        call.start(header_list(headers))
        return call

    def on_call(self, take: Taker) -> None:
        """From now on *take* decides what becomes of each call; nothing rings by itself."""
        self._take_call = take

    async def next_call(self, *, within: float = 60.0) -> IncomingCall:
        """Wait until the phone rings; raises PhoneSilent."""
        try:
            async with asyncio.timeout(within):
                return await self._waiting.get()
        except TimeoutError:
            raise PhoneSilent(f"nobody called {self.user} within {within} s") from None

    def _sender(self, name: str, number: str) -> str:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        address = f"<sip:{number or self.user}@{self.domain}>"
        return f'"{quoted}" {address}' if name else address

    def _own_dialog(self) -> Dialog:
        me = f"<sip:{self.user}@{self.domain}>"
        return Dialog(f"{me};tag={token()}", me, f"sip:{self.user}@{self.domain}", self.server)

    async def _register(self, expires: int) -> None:
        dialog = self._registration or self._own_dialog()
        dialog.target = f"sip:{self.domain}"
        self._registration = dialog
        response = await self.line.ask(dialog, "REGISTER", (("Expires", str(expires)),))
        if response.status >= 300:
            self._registration = None
            raise RegistrationRefused(response.status, response.reason)

    async def _renew(self, expires: int) -> None:
        while True:
            await asyncio.sleep(expires * 0.8)
            try:
                await self._register(expires)
            except SoftphoneError as error:
                log.warning("registration of %s not renewed: %s", self.user, error)

    def _farewells(self) -> list[Coroutine[Any, Any, None]]:
        goodbyes = [call.hang_up() for call in self.calls.values()]
        if self._registration:
            goodbyes.append(self._register(0))
        if self._subscription:
            goodbyes.append(self.subscribe_mwi(0))
        return goodbyes

    def _keep(self, call: Call) -> None:
        call_id = call.dialog.call_id
        self.calls[call_id] = call
        call.on_end = lambda: _forget(self.calls, call_id)

    def _let_ring(self, call: IncomingCall) -> None:
        call.ring()
        self._waiting.put_nowait(call)

    def _take(self, request: Request, source: Address) -> None:
        """Every request that is neither an ACK nor a repetition."""
        call = self.calls.get(request.call_id)
        match request.method:
            case "OPTIONS":
                self.line.answer(request, source, 200, headers=(_ALLOW,))
            case "NOTIFY":
                self._take_notify(request, source)
            case "INVITE" if call is None and not parameter(request.get("to"), "tag"):
                self._take_invite(request, source)
            case "INVITE" | "UPDATE" | "BYE" | "CANCEL":
                if call:
                    call.take(request, source)
                else:
                    self.line.answer(request, source, 481)
            case method:
                status = 405 if method in _KNOWN_METHODS else 501
                self.line.answer(request, source, status, headers=(_ALLOW,))

    def _take_invite(self, request: Request, source: Address) -> None:
        self.line.answer(request, source, 100)
        media = Media(self.line.wire.address[0])
        try:
            call = IncomingCall(self.line, media, self._codecs, request, source)
        except sdp.NoAudioOffered:
            media.close()
            self.line.answer(request, source, 488)
            return
        self._keep(call)
        self._take_call(call)

    def _take_notify(self, request: Request, source: Address) -> None:
        self.line.answer(request, source, 200)
        lamp = message_summary.parse(request.body, self.line.wire.now)
        if lamp:
            self.lamps.append(lamp)
            self._lamp_changed.set()


def _shows(lamp: Lamp, new: int, old: int | None) -> bool:
    return lamp.new == new and old in (None, lamp.old)


def _forget(calls: dict[str, Call], call_id: str) -> None:
    calls.pop(call_id, None)


async def _politely(farewell: Coroutine[Any, Any, None]) -> None:
    """Say goodbye, but do not wait for a server that has gone."""
    try:
        async with asyncio.timeout(_FAREWELL):
            await farewell
    except (SoftphoneError, TimeoutError) as error:
        log.debug("no farewell: %s", error)
