"""The audio of one call: an RTP socket, paced sending, and a track of what was heard."""

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Callable

from vm_ari.adapters.softphone import outflow, rtp, sdp
from vm_ari.adapters.softphone.errors import CallEnded, KeysNotOffered
from vm_ari.adapters.softphone.g711 import AnyAudio, Codec
from vm_ari.adapters.softphone.outflow import FRAME_SECONDS, Job, Outflow, Slot
from vm_ari.adapters.softphone.track import Tally, Track

log = logging.getLogger(__name__)

_CODECS = {codec.value: codec for codec in Codec}
_TOO_LATE = 5  # slots; silence that late is skipped, speech is sent nevertheless
_AT_ONCE = 100  # datagrams read before other calls get their turn


class Media:
    """Opens its socket at once; hears from then on, and sends after connect().

    Moments are monotonic seconds; the sound of the track counts from the moment of opening.
    """

    def __init__(self, local_ip: str, *, send_silence: bool = True) -> None:
        self.track = Track()
        self.tally = Tally()
        self.keys_heard = ""
        self.first_audio_at: float | None = None
        self.last_sound_at: float | None = None
        self.hears_sound = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.opened_at = self._loop.time()
        self._silence = send_silence
        self._keys_payload = sdp.KEYS_PAYLOAD
        self._last_key = -1
        self._remote: sdp.Stream | None = None
        self._outflow: Outflow | None = None
        self._pacer: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._socket = _open_socket(local_ip)
        self._loop.add_reader(self._socket, self._readable)

    @property
    def send_silence(self) -> bool:
        """Are packets sent while there is nothing to say?  A phone that is off sends none."""
        return self._silence

    @send_silence.setter
    def send_silence(self, value: bool) -> None:
        self._silence = value
        if self._outflow:
            self._outflow.silence = value

    @property
    def codec(self) -> Codec | None:
        """What is sent; None before connect()."""
        return self._outflow.codec if self._outflow else None

    @property
    def port(self) -> int:
        """Where this call receives."""
        return int(self._socket.getsockname()[1])

    def connect(self, remote: sdp.Stream) -> None:
        """Send to *remote* from now on; again after a re-INVITE moved it."""
        self._remote = remote
        self._keys_payload = remote.keys or sdp.KEYS_PAYLOAD
        if self._outflow is None:
            self._outflow = Outflow(remote.codec, remote.keys, silence=self._silence)
            self._pacer = asyncio.create_task(self._pace(self._outflow))
        self._outflow.codec, self._outflow.keys = remote.codec, remote.keys

    async def speak(self, samples: AnyAudio) -> None:
        """Say this after what is being said; back when the last packet has left."""
        await self._through(outflow.speech(samples), Outflow.speak)

    async def press(self, digits: str, key_ms: int, gap_ms: int) -> None:
        """Press these keys at once; back after the last gap."""
        if self._outflow and self._outflow.keys is None:
            raise KeysNotOffered("the other side does not take telephone events")
        await self._through(outflow.keys(digits, key_ms, gap_ms), Outflow.press)

    def close(self) -> None:
        """Stop hearing and sending; whoever is speaking gets CallEnded."""
        if self._socket.fileno() < 0:
            return
        self._loop.remove_reader(self._socket)
        self._socket.close()
        if self._pacer:
            self._pacer.cancel()
        for finished in self._waiting:
            if not finished.done():
                finished.set_exception(CallEnded("the call ended meanwhile"))

    async def _through(self, slots: deque[Slot], lane: Callable[[Outflow, Job], None]) -> None:
        if self._outflow is None or self._socket.fileno() < 0:
            raise CallEnded("the call is not up")
        if not slots:
            return
        finished = self._loop.create_future()
        job = Job(slots, lambda: _settle(finished))
        self._waiting.add(finished)
        lane(self._outflow, job)
        try:
            await finished
        finally:
            self._waiting.discard(finished)
            self._outflow.drop(job)

    async def _pace(self, source: Outflow) -> None:
        """One slot every 20 ms of an absolute schedule: being late once delays nothing else.

        Speech may catch up, keys may not: those that follow each other too fast are not taken.
        """
        began, slot = self._loop.time(), 0
        while True:
            await asyncio.sleep(began + slot * FRAME_SECONDS - self._loop.time())
            late = int((self._loop.time() - began) / FRAME_SECONDS) - slot
            if late > 0 and source.pressing:
                began += late * FRAME_SECONDS
            elif late > _TOO_LATE and source.idle:
                slot += late
            for packet in source.packets(slot):
                self._send(packet)
            slot += 1

    def _send(self, packet: rtp.Packet) -> None:
        if self._remote is None:
            return
        try:
            self._socket.sendto(packet.encode(), (self._remote.host, self._remote.port))
        except OSError as error:
            log.debug("RTP packet not sent: %s", error)

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                datagram = self._socket.recv(2048)
            except BlockingIOError:
                return
            except OSError as error:
                log.debug("RTP socket: %s", error)
                return
            self._hear(datagram, self._loop.time())

    def _hear(self, datagram: bytes, now: float) -> None:
        try:
            packet = rtp.parse(datagram)
            if packet.payload_type in _CODECS:
                self._hear_audio(packet, now)
            elif packet.payload_type == self._keys_payload:
                self._hear_key(packet)
        except rtp.NotRtp as error:
            log.debug("not RTP: %s", error)

    def _hear_audio(self, packet: rtp.Packet, now: float) -> None:
        self.tally.count(packet)
        self.first_audio_at = self.first_audio_at or now
        samples = _CODECS[packet.payload_type].decode(packet.payload)
        if self.track.place(packet, samples, now - self.opened_at):
            self.last_sound_at = now
            self.hears_sound.set()

    def _hear_key(self, packet: rtp.Packet) -> None:
        """The end of a key comes three times, with one timestamp."""
        self.tally.count(packet)
        event = rtp.parse_key(packet.payload)
        if event.end and packet.timestamp != self._last_key:
            self._last_key = packet.timestamp
            self.keys_heard += event.key


def _settle(finished: asyncio.Future[None]) -> None:
    if not finished.done():
        finished.set_result(None)


def _open_socket(local_ip: str) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    try:
        opened.bind((local_ip, 0))
    except OSError:
        opened.close()
        raise
    return opened
