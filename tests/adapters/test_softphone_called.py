"""The softphone is called, watches its lamp, and stands rough company; on a real Asterisk."""

import asyncio
import os
import re
import socket
from collections.abc import Iterator
from typing import Self, cast

import pytest

from tests.adapters.softphone_lab import (
    ANNA,
    BERT,
    CLARA,
    Lab,
    babble,
    heard_completely,
    running_lab,
)
from tests.patience import AT_MOST
from vm_ari.adapters.softphone import (
    CallRefused,
    Ending,
    IncomingCall,
    LampNotSeen,
    PhoneSilent,
    Softphone,
    sdp,
)

Address = tuple[str, int]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


# --- being called --------------------------------------------------------------------------


def test_two_phones_talk_through_the_server(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone(ANNA) as anna, lab.phone(BERT) as bert:
            await bert.register()
            outgoing = anna.dial(BERT)
            incoming = await bert.next_call()
            await outgoing.ringing.wait()
            assert f"<sip:{ANNA}@" in incoming.request.get("from")
            incoming.answer()
            await outgoing.answered()
            hello, yes = babble(11, 0.4), babble(12, 0.4)
            await asyncio.gather(outgoing.speak(hello), incoming.speak(yes))
            await incoming.press("1")
            await outgoing.falls_silent(0.1)
            await incoming.hang_up()
            await asyncio.wait_for(outgoing.ended.wait(), AT_MOST)
        assert heard_completely(outgoing, yes)
        assert heard_completely(incoming, hello)
        assert outgoing.keys_heard == "1"
        assert outgoing.ending is Ending.HUNG_UP_THERE
        assert incoming.ending is Ending.HUNG_UP_HERE

    asyncio.run(scene())


def test_a_phone_may_be_busy(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone(ANNA) as anna, lab.phone(BERT) as bert:
            await bert.register()
            bert.on_call(lambda call: call.reject(486))
            with pytest.raises(CallRefused) as refused:
                await anna.call(BERT)
            assert refused.value.status == 486
            with pytest.raises(PhoneSilent, match=BERT):
                await bert.next_call(within=0.05)

    asyncio.run(scene())


def test_the_caller_gives_up_before_anybody_answers(lab: Lab) -> None:
    async def scene() -> IncomingCall:
        async with lab.phone(ANNA) as anna, lab.phone(BERT) as bert:
            await bert.register()
            outgoing = anna.dial(BERT)
            incoming = await bert.next_call()
            await outgoing.hang_up()
            await asyncio.wait_for(incoming.ended.wait(), AT_MOST)
            incoming.answer()
            assert incoming.answered_at is None
        return incoming

    assert asyncio.run(scene()).ending is Ending.CANCELLED


def test_closing_the_phone_ends_its_calls(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone(ANNA) as anna:
            calls = [await anna.call("echo") for _ in range(3)]
        assert [call.ending for call in calls] == [Ending.HUNG_UP_HERE] * 3
        assert "0 active channels" in await lab.asterisk.command("core show channels")

    asyncio.run(scene())


# --- the lamp ------------------------------------------------------------------------------


async def set_lamp(lab: Lab, new: int, old: int) -> None:
    await lab.asterisk.command(f"channel originate Local/mwi{new}{old}@lab/n application Wait 0")


def test_the_lamp_is_told_unasked(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone(ANNA) as phone:
            await phone.register()
            await set_lamp(lab, 3, 2)
            lamp = await phone.lamp(new=3, old=2)
            assert lamp.on
            assert phone.lamps[-1] == lamp
            await set_lamp(lab, 0, 5)
            assert not (await phone.lamp(new=0, old=5)).on
            with pytest.raises(LampNotSeen, match=r"waited for 9/any, saw .*\(3, 2\), \(0, 5\)"):
                await phone.lamp(new=9, within=0.05)

    asyncio.run(scene())


def test_the_lamp_is_told_to_who_subscribes(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone(CLARA) as phone:
            await phone.register()
            await set_lamp(lab, 1, 1)
            await phone.subscribe_mwi()
            await phone.lamp(new=1, old=1)
            await set_lamp(lab, 4, 0)
            await phone.lamp(new=4, old=0)
            assert CLARA in await lab.asterisk.command("pjsip show subscriptions inbound")
        assert CLARA not in await lab.asterisk.command("pjsip show subscriptions inbound")

    asyncio.run(scene())


# --- rough company -------------------------------------------------------------------------


def test_hostile_caller_data_leave_as_they_are(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone("stranger") as phone:
            with pytest.raises(CallRefused, match="403"):
                await phone.call(
                    "who",
                    from_name=b'\xff\xfe<script>"\\' + b"x" * 2000,
                    from_number="12%0d%0aBcc%20x",
                    headers=[
                        ("Diversion", "<sip:111@x>;reason=no-answer"),
                        ("Diversion", b"<sip:222@x>;reason=user-busy"),
                    ],
                )
            with pytest.raises(CallRefused):
                await phone.call("who", from_header='"short" <sip:*)(uid=*@x>')

    asyncio.run(scene())
    log = lab.log()
    assert '\ufffd\ufffd<script>\\"\\\\' + 2000 * "x" in log  # Asterisk warns of the invalid bytes
    assert f"NUMBER {len('12..Bcc x')}" in log
    assert "DIVERTED <sip:111@x>;reason=no-answer" in log
    assert "BEFORE <sip:222@x>;reason=user-busy" in log
    assert "NAME 5 <short>" in log


class Stranger:
    """Somebody who sends raw datagrams to a phone."""

    def __init__(self, phone: Softphone) -> None:
        self._phone = phone.line.wire.address
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    async def asks(self, *datagrams: bytes) -> list[bytes]:
        """The first lines of what comes back within 60 ms."""
        loop = asyncio.get_running_loop()
        for datagram in datagrams:
            await loop.sock_sendto(self._socket, datagram, self._phone)
        lines = []
        try:
            async with asyncio.timeout(0.06):
                while True:
                    lines.append((await loop.sock_recv(self._socket, 4096)).split(b"\r\n")[0])
        except TimeoutError:
            return lines


def request(method: str, *, body: str = "", to: str = "<sip:101@x>") -> bytes:
    return (
        f"{method} sip:101@x SIP/2.0\r\n"
        f"v: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK{method}{len(to)}\r\n"
        f"f: <sip:x@x>;tag=1\r\nt: {to}\r\ni: strange-call\r\nCSeq: 1 {method}\r\n"
        f"m: <sip:x@127.0.0.1>\r\nl: {len(body)}\r\n\r\n{body}"
    ).encode()


UNKNOWN_CALL = b"SIP/2.0 481 Call/Transaction Does Not Exist"
BY_THE_BOOK = {
    "options": (request("OPTIONS"), [b"SIP/2.0 200 OK"]),
    "transfer": (request("REFER"), [b"SIP/2.0 405 Method Not Allowed"]),
    "unheard of": (request("DANCE"), [b"SIP/2.0 501 Not Implemented"]),
    "bye of no call": (request("BYE"), [UNKNOWN_CALL]),
    "re-invite of no call": (request("INVITE", to="<sip:101@x>;tag=9"), [UNKNOWN_CALL]),
    "invite without offer": (
        request("INVITE"),
        [b"SIP/2.0 100 Trying", b"SIP/2.0 488 Not Acceptable Here"],
    ),
    "odd lamp": (request("NOTIFY", body="Messages-Waiting: perhaps"), [b"SIP/2.0 200 OK"]),
    "ack": (request("ACK"), []),
    "response to nothing": (b"SIP/2.0 200 OK" + request("OPTIONS")[25:], []),
    "keep-alive": (b"\r\n\r\n", []),
    "binary": (b"\x80" * 3000, []),
}


@pytest.mark.parametrize("what", BY_THE_BOOK)
def test_what_nobody_expects_is_answered_by_the_book(what: str) -> None:
    datagram, answers = BY_THE_BOOK[what]

    async def scene() -> None:
        async with Softphone(user=ANNA) as phone:
            with Stranger(phone) as stranger:
                assert await stranger.asks(datagram) == answers
            assert phone.lamps == []
            assert phone.calls == {}

    asyncio.run(scene())


def test_a_repeated_request_gets_the_same_answer_and_is_taken_once() -> None:
    summary = request("NOTIFY", body="Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/0)\r\n")

    async def scene() -> None:
        async with Softphone(user=ANNA) as phone:
            with Stranger(phone) as stranger:
                assert await stranger.asks(summary, summary) == [b"SIP/2.0 200 OK"] * 2
            assert [(lamp.new, lamp.old) for lamp in phone.lamps] == [(2, 8)]

    asyncio.run(scene())


def test_an_answer_is_repeated_until_it_is_acknowledged() -> None:
    offer = sdp.describe("127.0.0.1", 9).decode()

    async def scene() -> None:
        async with Softphone(user=ANNA, t1=0.01) as phone:
            with Stranger(phone) as stranger:
                ringing = await stranger.asks(request("INVITE", body=offer))
                assert ringing == [b"SIP/2.0 100 Trying", b"SIP/2.0 180 Ringing"]
                call = await phone.next_call()
                call.answer()
                assert len(await stranger.asks()) >= 2  # at once, after 10 ms, 30 ms …
                await stranger.asks(request("ACK"))
                assert await stranger.asks() == []
                assert await stranger.asks(request("BYE")) == [b"SIP/2.0 200 OK"]
            assert call.ending is Ending.HUNG_UP_THERE

    asyncio.run(scene())


def test_rubbish_does_not_disturb_a_call(lab: Lab) -> None:
    async def scene() -> None:
        async with lab.phone() as phone:
            call = await phone.call("echo")
            said = babble(8, 0.5)
            speech = asyncio.create_task(call.speak(said))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
                for port in (phone.line.wire.address[1], call.port):
                    for size in range(0, 400, 7):
                        stranger.sendto(os.urandom(size), ("127.0.0.1", port))
            await speech
            await call.falls_silent(0.1)
        assert heard_completely(call, said)

    asyncio.run(scene())


class Loss(asyncio.DatagramProtocol):
    """A bad network before the server: every datagram is lost the first time it is sent."""

    def __init__(self, server: Address) -> None:
        self.passed: list[bytes] = []
        self._server = server
        self._client: Address = server
        self._seen: set[tuple[bytes, ...]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        kind = (*data.split(b"\r\n", 1)[:1], *re.findall(rb"CSeq: .*", data))
        if kind not in self._seen:
            self._seen.add(kind)
            return
        self.passed.append(kind[0])
        if addr == self._server:
            self._transport.sendto(data, self._client)
        else:
            self._client = addr
            self._transport.sendto(data, self._server)


def test_a_network_that_loses_everything_once_only_costs_time(lab: Lab) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        transport, network = await loop.create_datagram_endpoint(
            lambda: Loss(lab.server), local_addr=("127.0.0.1", 0)
        )
        address = transport.get_extra_info("sockname")
        async with lab.phone(server=address, domain="lab", t1=0.05) as phone:
            await phone.register()
            call = await phone.call("echo")
            said = babble(9, 0.2)
            await call.speak(said)
            acknowledged = f"ACK sip:127.0.0.1:{lab.server[1]} SIP/2.0".encode()
            async with asyncio.timeout(AT_MOST):  # the server repeats its 200
                while acknowledged not in network.passed:
                    await asyncio.sleep(0.02)
            assert not call.ended.is_set()
            await call.hang_up()
        transport.close()
        assert heard_completely(call, said)
        assert network.passed.count(acknowledged) == 1

    asyncio.run(scene())
