"""One call of the softphone, from either end: what is said, pressed, heard, and how it ends."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from enum import Enum

from vm_ari.adapters.softphone import sdp
from vm_ari.adapters.softphone.errors import CallRefused, ServerSilent
from vm_ari.adapters.softphone.g711 import AnyAudio, Audio, Codec
from vm_ari.adapters.softphone.line import ALLOW, Dialog, Line
from vm_ari.adapters.softphone.media import Media
from vm_ari.adapters.softphone.messages import Address, Header, Request, Response
from vm_ari.adapters.softphone.wire import Transaction

log = logging.getLogger(__name__)

_SDP: Header = ("Content-Type", "application/sdp")
_ALLOW: Header = ("Allow", ALLOW)


class Ending(Enum):
    """How a call came to its end."""

    REFUSED = "refused"
    CANCELLED = "cancelled"
    HUNG_UP_HERE = "hung up here"
    HUNG_UP_THERE = "hung up there"


class Call:
    """What both kinds of call have in common.

    Moments (`invited_at`, `answered_at`, `first_audio_at`, `ended_at`) are monotonic seconds;
    second 0 of `heard` is `invited_at`.
    """

    def __init__(self, line: Line, dialog: Dialog, media: Media, codecs: Sequence[Codec]) -> None:
        self.dialog = dialog
        self.invited_at = media.opened_at
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.ending: Ending | None = None
        self.ended = asyncio.Event()
        self.on_end: Callable[[], None] = lambda: None
        self._line = line
        self._media = media
        self._codecs = codecs
        self._port = media.port
        self._description = sdp.describe(line.wire.address[0], media.port, codecs)

    @property
    def heard(self) -> Audio:
        """Everything heard so far: mono, 8 kHz, early media included, pauses as zeros."""
        return self._media.track.audio

    @property
    def keys_heard(self) -> str:
        """The keys the other side has pressed (RFC 4733)."""
        return self._media.keys_heard

    @property
    def hears_sound(self) -> asyncio.Event:
        """Set by the first packet that is not silence."""
        return self._media.hears_sound

    @property
    def first_audio_at(self) -> float | None:
        """When the first RTP packet with audio came, silent or not."""
        return self._media.first_audio_at

    @property
    def packets(self) -> tuple[int, int]:
        """RTP packets received, and lost on the way."""
        return self._media.tally.received, self._media.tally.lost

    @property
    def port(self) -> int:
        """The UDP port this call receives its audio at."""
        return self._port

    @property
    def codec(self) -> Codec | None:
        """What is sent, once the call is answered."""
        return self._media.codec

    @property
    def send_silence(self) -> bool:
        """Is RTP sent while there is nothing to say?"""
        return self._media.send_silence

    @send_silence.setter
    def send_silence(self, value: bool) -> None:
        self._media.send_silence = value

    async def speak(self, samples: AnyAudio) -> None:
        """Say something (mono, 8 kHz, -1 … 1); back when its last packet has left.

        Raises CallEnded. Whoever cancels it falls silent at once.
        """
        await self._media.speak(samples)

    async def press(self, keys: str, *, key_ms: int = 100, gap_ms: int = 100) -> None:
        """Press keys, each *key_ms* long and *gap_ms* apart (multiples of 20), over any speech.

        Raises CallEnded, KeysNotOffered, ValueError.
        """
        await self._media.press(keys, key_ms, gap_ms)

    async def falls_silent(self, seconds: float = 0.5, *, within: float = 10.0) -> None:
        """Wait until nothing was heard for *seconds* after some sound; raises TimeoutError."""
        async with asyncio.timeout(within):
            await self.hears_sound.wait()
            while True:
                rest = (self._media.last_sound_at or 0.0) + seconds - self._line.wire.now
                if rest <= 0:
                    return
                await asyncio.sleep(rest)

    async def hang_up(self) -> None:
        """End the call, whatever state it is in; a call that has ended stays as it is."""
        if self.ended.is_set():
            return
        self._end(Ending.HUNG_UP_HERE)
        await self._line.ask(self.dialog, "BYE")

    def drop(self) -> None:
        """End the call without a word, where the server does not listen any more."""
        self._end(Ending.HUNG_UP_HERE)

    def take(self, request: Request, source: Address) -> None:
        """A request within this call: BYE, re-INVITE or UPDATE."""
        match request.method:
            case "BYE":
                self._answer(request, source, 200)
                self._end(Ending.HUNG_UP_THERE)
            case "INVITE" | "UPDATE" if not self.ended.is_set():
                self._move(request)
                self._answer(request, source, 200, (_SDP, _ALLOW), self._description)
            case "CANCEL":
                self._answer(request, source, 481)
            case _:
                self._answer(request, source, 481 if self.ended.is_set() else 405, (_ALLOW,))

    def _move(self, request: Request) -> None:
        """A re-INVITE may move the other end's audio; one without an offer moves nothing."""
        if request.body:
            try:
                self._media.connect(sdp.parse(request.body, self._codecs))
            except sdp.NoAudioOffered as error:
                log.debug("re-INVITE ignored: %s", error)

    def _answer(
        self,
        request: Request,
        source: Address,
        status: int,
        headers: Sequence[Header] = (),
        body: bytes = b"",
    ) -> None:
        contact = (self._line.contact, *headers)
        self._line.answer(request, source, status, tag=self.dialog.tag, headers=contact, body=body)

    def _end(self, ending: Ending) -> None:
        if not self.ended.is_set():
            self.ending, self.ended_at = ending, self._line.wire.now
            self._media.close()
            self.ended.set()
            self.on_end()


class OutgoingCall(Call):
    """A call from this phone; early media is heard before it is answered."""

    def __init__(self, line: Line, dialog: Dialog, media: Media, codecs: Sequence[Codec]) -> None:
        super().__init__(line, dialog, media, codecs)
        self.refused: Exception | None = None
        self.ringing = asyncio.Event()
        self._transaction: Transaction | None = None
        self._proceeding = asyncio.Event()
        self._settled = asyncio.Event()
        self._inviting: asyncio.Task[None] | None = None

    def start(self, headers: Sequence[Header]) -> None:
        """Send the INVITE with these additional headers."""
        self._inviting = asyncio.create_task(self._invite((*headers, _SDP, _ALLOW)))

    async def answered(self, within: float = 60.0) -> None:
        """Wait for the 200 OK; raises CallRefused, ServerSilent, or TimeoutError: still ringing."""
        async with asyncio.timeout(within):
            await self._settled.wait()
        if self.refused:
            raise self.refused

    async def hang_up(self) -> None:
        """End the call; one that still rings is cancelled (487)."""
        if not self._settled.is_set():
            await self._proceeding.wait()  # RFC 3261 section 9.1: not before a provisional response
        if not self._settled.is_set() and self._transaction:
            await self._line.cancel(self._transaction)
            await self._settled.wait()
        await super().hang_up()

    def drop(self) -> None:
        """End the call without a word, where the server does not listen any more."""
        if self._inviting:
            self._inviting.cancel()
        super().drop()

    async def _invite(self, headers: Sequence[Header]) -> None:
        try:
            response = await self._line.ask(
                self.dialog,
                "INVITE",
                headers,
                self._description,
                on_begin=self._begun,
                on_progress=self._progress,
            )
            self._decide(response)
        except ServerSilent as error:
            self.refused = error
            self._end(Ending.REFUSED)
        finally:
            self._proceeding.set()
            self._settled.set()

    def _begun(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def _progress(self, response: Response) -> None:
        self._proceeding.set()
        if response.status > 100:
            self.ringing.set()

    def _decide(self, response: Response) -> None:
        if response.status < 300:
            self._accept(response)
        else:
            self.refused = CallRefused(response.status, response.reason)
            self._end(Ending.CANCELLED if response.status == 487 else Ending.REFUSED)

    def _accept(self, response: Response) -> None:
        self.dialog.establish(response)
        if self._transaction:
            self._line.acknowledge(self._transaction, self.dialog)
        self.answered_at = self._line.wire.now
        try:
            self._media.connect(sdp.parse(response.body, self._codecs))
        except sdp.NoAudioOffered as error:
            log.debug("a call without audio: %s", error)


class IncomingCall(Call):
    """A call to this phone: ring(), answer() or reject() it.

    *request* is the INVITE, for its headers.
    """

    def __init__(
        self,
        line: Line,
        media: Media,
        codecs: Sequence[Codec],
        request: Request,
        source: Address,
    ) -> None:
        self._stream = sdp.parse(request.body, codecs)
        super().__init__(line, Dialog.of_invite(request, source), media, (self._stream.codec,))
        self.request = request
        self._source = source
        self._description = sdp.describe(
            line.wire.address[0], media.port, self._codecs, self._stream.keys
        )

    @property
    def pending(self) -> bool:
        """Is it neither answered nor over?"""
        return self.answered_at is None and not self.ended.is_set()

    def ring(self) -> None:
        """Let the caller know that the phone rings (180)."""
        if self.pending:
            self._answer(self.request, self._source, 180)

    def answer(self) -> None:
        """Pick up (200)."""
        if self.pending:
            self.answered_at = self._line.wire.now
            self._answer(self.request, self._source, 200, (_SDP, _ALLOW), self._description)
            self._media.connect(self._stream)

    def reject(self, status: int = 486) -> None:
        """Do not take it: 486 busy, 480 nobody there, 603 declined …"""
        if self.pending:
            self._answer(self.request, self._source, status)
            self._end(Ending.REFUSED)

    async def hang_up(self) -> None:
        """End the call; one that still rings is declined."""
        if self.pending:
            self.reject(603)
        else:
            await super().hang_up()

    def take(self, request: Request, source: Address) -> None:
        """The caller may give up while it rings (RFC 3261 section 9.2)."""
        if request.method == "CANCEL" and self.pending:
            self._answer(request, source, 200)
            self._answer(self.request, self._source, 487)
            self._end(Ending.CANCELLED)
        else:
            super().take(request, source)
