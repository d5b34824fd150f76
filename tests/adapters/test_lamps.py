"""The lamp adapter without Asterisk: what it asks for, when it tries again, what it refuses.

The other side is a server, or the transport below, that answers as Asterisk is documented to.
res_ari_mailboxes is in no stock build: that it *works* is not tested here, only that it is
chosen where it runs and asked as the ARI reference says.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tests.clock import run_virtually
from tests.patience import AT_MOST
from vm_ari.adapters.ami import ManagerAccount
from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.transport import Address, HttpTransport, Json
from vm_ari.adapters.lamps import AsteriskLamps, LampSettings, MethodName, SipAccount, probe
from vm_ari.adapters.lamps.method import LampCounts, LampNotTold, LampRefused
from vm_ari.adapters.lamps.over_ari import AriMailboxes, Minivm
from vm_ari.adapters.lamps.publish import Publisher
from vm_ari.adapters.softphone.messages import Request, parse, reply

STOCK = {"app_minivm.so", "res_pjsip_publish_asterisk.so", "res_pjsip_notify.so"}
SIP = SipAccount(("127.0.0.1", 9), "vm-ari-lamps", "secret")
MANAGER = ManagerAccount("vm-ari", "secret")


@dataclass
class Asterisk:
    """Answers requests as Asterisk does, at once; what it cannot do is for a test to say."""

    modules: set[str] = field(default_factory=lambda: set(STOCK))
    dialplan: bool = True
    away: bool = False
    keeps_order: bool = False
    busy_channels: int = 0
    """How many originates find the channel before them still there."""
    lamps: dict[str, tuple[str, str]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    connections: int = 0
    _client: AriClient | None = None

    @property
    def client(self) -> AriClient:
        """As `AriConnection.client`: another one after each loss."""
        if self.away:
            self._client = None
            raise AriUnavailable("not connected to Asterisk")
        if self._client is None:
            self.connections += 1
            self._client = AriClient(self)
        return self._client

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: Json = None
    ) -> Json:
        """See `Transport`."""
        if self.away:
            raise AriUnavailable("the connection is lost")
        match method, path.split("/"):
            case "GET", ["asterisk", "modules"]:
                return [{"name": name, "status": "Running"} for name in self.modules]
            case "POST", ["channels"]:
                return self._originate(query)
            case "GET", ["channels", _]:
                if not self.busy_channels:
                    raise NotFound(404, "Channel not found")
                self.busy_channels -= 1
                return {}
            case "PUT", ["mailboxes", name]:
                self.lamps[name] = query["newMessages"], query["oldMessages"]
                return None
        raise AssertionError(f"unexpected: {method} {path}")

    def forget(self) -> None:
        """It has pushed 0/0 to every phone."""
        self.lamps.clear()

    def _originate(self, query: Mapping[str, str]) -> Json:
        if not self.dialplan:
            raise NotFound(404, "Requested label can not be found")
        if self.busy_channels:
            self.busy_channels -= 1
            raise NotFound(409, "Channel with given unique ID already exists")
        extension, _, context = query["endpoint"].removeprefix("Local/").partition("@")
        if context == "vm-ari-mwi/n":
            mailbox, new, old = extension.split("-")
            self.lamps[mailbox] = new, old
            self.told.append(extension)
        return {}


# --- which way


@pytest.mark.parametrize(
    ("modules", "settings", "chosen"),
    [
        (STOCK, LampSettings(), MethodName.MINIVM),
        (STOCK | {"res_ari_mailboxes.so"}, LampSettings(), MethodName.ARI),
        (STOCK - {"app_minivm.so"}, LampSettings(), None),
        (STOCK - {"app_minivm.so"}, LampSettings(publish=SIP), MethodName.PUBLISH),
        (STOCK - {"app_minivm.so"}, LampSettings(publish=SIP, manager=MANAGER), MethodName.PUBLISH),
        (STOCK - {"app_minivm.so"}, LampSettings(manager=MANAGER), MethodName.AMI),
        (set[str](), LampSettings(publish=SIP, manager=MANAGER), None),
        (STOCK, LampSettings(MethodName.PUBLISH, SIP), MethodName.PUBLISH),
        (STOCK, LampSettings(MethodName.PUBLISH), None),
        (STOCK, LampSettings(MethodName.AMI), None),
        (STOCK, LampSettings(MethodName.ARI), None),
    ],
)
def test_the_first_way_that_is_there_is_taken(
    modules: set[str], settings: LampSettings, chosen: MethodName | None
) -> None:
    choice = asyncio.run(probe(Asterisk(modules).client, settings))
    assert choice.method is chosen
    if settings.method:
        assert list(choice.why) == [settings.method]
    if chosen:
        assert choice.why[chosen] == "there"


def test_without_our_dialplan_minivm_is_no_way() -> None:
    choice = asyncio.run(probe(Asterisk(dialplan=False).client, LampSettings()))
    assert choice.method is None
    assert "extensions_vm_ari.conf" in choice.why[MethodName.MINIVM]


def test_where_there_is_no_way_it_is_said_once_and_found_later() -> None:
    asterisk = Asterisk(dialplan=False)

    async def story() -> None:
        lamps = AsteriskLamps(asterisk, LampSettings())
        await lamps.connected()
        await lamps.show("101", 1, 0)
        await asyncio.sleep(60)
        assert asterisk.told == []
        asterisk.dialplan = True
        await asyncio.sleep(11)
        assert asterisk.lamps == {"101": ("1", "0")}
        await lamps.close()

    with capture_logs() as logs:
        run_virtually(story())
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == [
        "no way to show lamps"
    ]


# --- when


def test_what_asterisk_forgets_while_it_starts_is_told_again() -> None:
    asterisk = Asterisk()

    async def story() -> None:
        lamps = AsteriskLamps(asterisk, LampSettings())
        await lamps.connected()
        await lamps.show("101", 3, 2)
        await lamps.show("102", 0, 0)
        await lamps.settled()
        assert asterisk.lamps == {"101": ("3", "2"), "102": ("0", "0")}
        asterisk.forget()
        await asyncio.sleep(4)
        assert asterisk.lamps == {"101": ("3", "2")}
        await lamps.close()

    run_virtually(story())


def test_an_outage_loses_nothing_and_is_logged_once() -> None:
    asterisk = Asterisk()

    async def story() -> None:
        lamps = AsteriskLamps(asterisk, LampSettings())
        await lamps.connected()
        for mailbox in ("101", "102"):
            await lamps.show(mailbox, 1, 0)
        await lamps.settled()
        asterisk.away = True
        asterisk.forget()
        for new in range(50):
            await lamps.show("102", new % 2, 0)
            await lamps.show("103", new, 0)
        await lamps.show("102", 0, 1)
        await asyncio.sleep(60)
        asterisk.away = False
        await lamps.connected()
        await lamps.settled()
        assert asterisk.lamps == {"101": ("1", "0"), "102": ("0", "1"), "103": ("49", "0")}
        await lamps.close()

    with capture_logs() as logs:
        run_virtually(story())
    events = [entry["event"] for entry in logs]
    assert events.count("lamps wait") == events.count("lamps are shown again") == 1
    assert asterisk.connections == 2


def test_shown_before_the_first_connection_is_told_then() -> None:
    asterisk = Asterisk(away=True)

    async def story() -> None:
        lamps = AsteriskLamps(asterisk, LampSettings())
        await lamps.connected()
        await lamps.show("101", 1, 0)
        await lamps.settled()
        asterisk.away = False
        await asyncio.sleep(11)  # even if nobody says that there is a connection
        assert asterisk.lamps == {"101": ("1", "0")}
        await lamps.close()

    run_virtually(story())


def test_an_earlier_channel_is_waited_for_but_not_for_ever() -> None:
    asterisk = Asterisk()

    async def story() -> None:
        minivm = Minivm(asterisk.client)
        asterisk.busy_channels = 5  # of another controller
        await minivm.tell("101", LampCounts(1, 0))
        asterisk.busy_channels = 5  # of this one
        await minivm.tell("101", LampCounts(2, 0))
        assert asterisk.told == ["101-1-0", "101-2-0"]
        asterisk.busy_channels = 10_000
        with pytest.raises(LampNotTold, match="earlier channel"):
            await minivm.tell("101", LampCounts(3, 0))

    run_virtually(story())


def test_a_change_that_is_overtaken_at_once_is_not_told() -> None:
    asterisk = Asterisk()

    async def story() -> None:
        lamps = AsteriskLamps(asterisk, LampSettings())
        await lamps.connected()
        for new in range(200):
            await lamps.show("101", new, 0)
        await lamps.settled()
        assert asterisk.told == ["101-199-0"]
        await lamps.close()

    run_virtually(story())


@pytest.mark.parametrize("last", [3, 0])
def test_after_quick_changes_the_last_is_told_once_more(last: int) -> None:
    asterisk = Asterisk()

    async def story() -> None:
        lamps = AsteriskLamps(asterisk, LampSettings())
        await lamps.connected()
        await asyncio.sleep(5)
        for new in (1, 2, last):
            await lamps.show("101", new, 0)
            await lamps.settled()
        asterisk.lamps["101"] = ("2", "0")  # a NOTIFY that was late
        await asyncio.sleep(10)
        assert asterisk.told == ["101-1-0", "101-2-0", f"101-{last}-0", f"101-{last}-0"]
        await lamps.show("101", 4, 0)
        await asyncio.sleep(10)
        assert asterisk.told[4:] == ["101-4-0"]
        await lamps.close()
        await lamps.show("101", 5, 0)
        await asyncio.sleep(10)
        assert asterisk.told[5:] == []

    run_virtually(story())


def test_what_is_no_mailbox_or_no_count_is_refused() -> None:
    asterisk = Asterisk()

    async def story() -> None:
        lamps = AsteriskLamps(asterisk, LampSettings())
        await lamps.connected()
        for mailbox in ("", "1" * 33, "101@x", "101-9-9", "101\n", "１０１", "101&102", "1 2"):
            await lamps.show(mailbox, 1, 0)
        await lamps.show("101", -1, 0)
        await lamps.show("101", 0, -1)
        await lamps.settled()
        assert asterisk.told == []
        await lamps.show("101", 10_000, 10**30)
        await lamps.settled()
        assert asterisk.told == ["101-9999-9999"]
        await lamps.close()

    with capture_logs() as logs:
        run_virtually(story())
    assert sum(entry["log_level"] == "error" for entry in logs) == 10


def test_one_lamp_that_is_refused_does_not_stop_the_others() -> None:
    asterisk = Asterisk()

    async def story() -> None:
        lamps = AsteriskLamps(asterisk, LampSettings())
        for mailbox in ("anna", "101"):  # our dialplan has numbers only
            await lamps.show(mailbox, 1, 0)
        await lamps.settled()
        assert asterisk.told == ["101-1-0"]
        await lamps.close()

    run_virtually(story())


# --- ARI's own mailboxes


@asynccontextmanager
async def mailboxes_server(status: int, seen: list[Any]) -> AsyncIterator[AriClient]:
    """A web server in the place of Asterisk's."""

    async def put(request: web.Request) -> web.Response:
        seen.append((request.match_info["name"], dict(request.query)))
        return web.Response(status=status)

    app = web.Application()
    app.router.add_put("/ari/mailboxes/{name}", put)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = Address(f"http://127.0.0.1:{runner.addresses[0][1]}", "vm-ari", "secret")
    try:
        async with aiohttp.ClientSession() as session:
            yield AriClient(HttpTransport(session, address))
    finally:
        await runner.cleanup()


def test_ari_mailboxes_are_asked_as_the_reference_says() -> None:
    seen: list[Any] = []

    async def story() -> None:
        async with mailboxes_server(204, seen) as client:
            await AriMailboxes(client).tell("+4989101", LampCounts(new=3, old=2))

    asyncio.run(story())
    assert seen == [("+4989101@vm-ari", {"oldMessages": "2", "newMessages": "3"})]


@pytest.mark.parametrize(("status", "error"), [(404, LampRefused), (503, LampNotTold)])
def test_ari_mailboxes_that_do_not_take_it(status: int, error: type[Exception]) -> None:
    async def story() -> None:
        async with mailboxes_server(status, []) as client:
            with pytest.raises(error):
                await AriMailboxes(client).tell("101", LampCounts(1, 0))

    asyncio.run(story())


# --- SIP PUBLISH


class Peer(asyncio.DatagramProtocol):
    """The other end of PUBLISH: lets *deaf* requests go by, answers the others with *status*."""

    def __init__(self, deaf: int, status: int) -> None:
        self.seen: list[Request] = []
        self._deaf = deaf
        self._status = status

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        request = parse(data)
        assert isinstance(request, Request)
        self.seen.append(request)
        if len(self.seen) > self._deaf:
            self._transport.sendto(b"nonsense", addr)
            self._transport.sendto(reply(request, 100, tag="t").encode(), addr)
            for _ in range(2):  # a repeated answer is no harm
                self._transport.sendto(reply(request, self._status, tag="t").encode(), addr)


async def publish_to(peer: Peer) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: peer, local_addr=("127.0.0.1", 0))
    publisher = Publisher(SipAccount(transport.get_extra_info("sockname"), "lamps", "secret"))
    try:
        await publisher.tell("101", LampCounts(3, 2))
    finally:
        await publisher.close()
        transport.close()


def test_a_lost_publish_is_sent_again() -> None:
    peer = Peer(deaf=1, status=200)
    asyncio.run(publish_to(peer))
    first, second = peer.seen
    assert first == second
    assert first.get("event") == "asterisk-mwi"
    assert b'"uniqueid": "101@vm-ari", "new": 3, "old": 2' in first.body


@pytest.mark.parametrize(
    ("status", "error"), [(403, LampRefused), (489, LampRefused), (503, LampNotTold)]
)
def test_a_publish_that_is_not_taken(status: int, error: type[Exception]) -> None:
    with pytest.raises(error, match=str(status)):
        asyncio.run(publish_to(Peer(0, status)))


def test_a_publish_nobody_listens_to_fails_at_once() -> None:
    async def story() -> None:
        publisher = Publisher(SIP)  # the discard port: closed on any machine of today
        async with asyncio.timeout(AT_MOST):
            with pytest.raises(LampNotTold):
                await publisher.tell("101", LampCounts(1, 0))
        await publisher.close()

    asyncio.run(story())


def test_a_publish_that_is_never_answered_is_given_up() -> None:
    with pytest.raises(LampNotTold, match="no answer"):
        asyncio.run(publish_to(Peer(deaf=99, status=200)))


def test_an_error_of_the_probe_is_not_swallowed() -> None:
    class Strange(Asterisk):
        async def request(self, *_: Any, **__: Any) -> Json:
            raise AriError(403, "read only")

    async def story() -> None:
        lamps = AsteriskLamps(Strange(), LampSettings())
        await lamps.connected()
        await lamps.close()

    with capture_logs() as logs:
        asyncio.run(story())
    assert logs[0]["reason"] == "403: read only"
