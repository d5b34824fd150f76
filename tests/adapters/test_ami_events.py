"""Events of the manager interface: what callers cannot write into them, and what breaks no thread.

The other side is a server that sends what a test needs; the real one takes part in
tests/system/test_missed_calls.py.
"""

import asyncio
import io
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from tests.patience import AT_MOST
from tests.ring_records import BEGIN
from vm_ari.adapters.ami import ManagerAccount, client, events
from vm_ari.adapters.ami.blocks import LONGEST_LINE, MOST_LINES, TooLong, believable, blocks
from vm_ari.adapters.ami.events import ManagerEvents
from vm_ari.adapters.ami.ringing import happened, ring_event
from vm_ari.domain.ring_events import (
    Appeared,
    CallerChanged,
    CallerShown,
    DialBegan,
    HungUp,
    Lost,
    Rang,
    RingEvent,
)

# pyst2 calls setDaemon() and isSet()
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk.manager")


def channel(key: str, *, call: str = "", number: str = "030123", name: str = "Carla") -> str:
    """The lines by which Asterisk describes a channel."""
    return (
        f"Channel: PJSIP/{key}-00000001\r\nChannelState: 5\r\nChannelStateDesc: Ringing\r\n"
        f"CallerIDNum: {number}\r\nCallerIDName: {name}\r\nConnectedLineNum: <unknown>\r\n"
        "ConnectedLineName: <unknown>\r\nLanguage: en\r\nAccountCode: \r\nContext: house\r\n"
        f"Exten: 101\r\nPriority: 1\r\nUniqueid: {key}\r\nLinkedid: {call or key}\r\n"
    )


def event(kind: str, lines: str) -> str:
    """A whole event."""
    return f"Event: {kind}\r\nPrivilege: call,all\r\nSystemName: pbx\r\n{lines}\r\n"


def dial(key: str, to: str) -> str:
    """The beginning of a dial."""
    called = "".join(f"Dest{line}\r\n" for line in channel(to, call=key).splitlines())
    return event("DialBegin", channel(key) + called + "DialString: 101\r\n")


def heard(text: str) -> list[RingEvent]:
    """What is believed of that."""
    whole = (believable(block) for block in blocks(io.BytesIO(text.encode())))
    made = (ring_event(fields, BEGIN) for fields in whole if fields)
    return [one for one in made if one]


def test_what_events_mean() -> None:
    one = channel("1", name=r"O\'Neil \"Bö\" \\ \a\?")
    assert heard(event("Newchannel", one)) == [
        Appeared(BEGIN, "1", "1", "PJSIP/1-00000001", "030123", 'O\'Neil "Bö" \\  ?', "101")
    ]
    assert heard(event("NewCallerid", one)) == [
        CallerChanged(BEGIN, "1", "030123", 'O\'Neil "Bö" \\  ?')
    ]
    assert heard(event("Newstate", one)) == [Rang(BEGIN, "1")]
    assert heard(event("Newstate", one.replace("ChannelState: 5", "ChannelState: 6"))) == []
    assert heard(event("Hangup", one + "Cause: 16\r\n")) == [HungUp(BEGIN, "1")]
    [began] = heard(dial("1", "2"))
    assert isinstance(began, DialBegan)
    assert (began.by, began.to, began.address) == ("1", "2", "101")


def test_variables_of_channels_do_no_harm() -> None:
    more = "ChanVariable: A=1\r\nChanVariable: B=2\r\nChanVariable(PJSIP/1): x\r\n"
    assert heard(event("Hangup", channel("1") + more)) == [HungUp(BEGIN, "1")]


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [
        ("Timestamp: {:.6f}\r\n", -2),
        ("Timestamp: nan\r\n", 0),
        ("Timestamp: 1e300\r\n", 0),
        ("Timestamp: 0.5\r\n", 0),
        ("SystemName: pbx\r\nTimestamp: {:.6f}\r\n", 0),
        ("", 0),
    ],
)
def test_when_it_happened(stamp: str, seconds: int) -> None:
    """What Asterisk says counts, in the place where it says it, and if our clocks agree."""
    line = stamp.format((BEGIN - timedelta(seconds=2)).timestamp())
    text = f"Event: Hangup\r\nPrivilege: call,all\r\n{line}{channel('1')}\r\n"
    [block] = blocks(io.BytesIO(text.encode()))
    fields = believable(block)
    assert fields
    assert happened(fields, BEGIN) == BEGIN + timedelta(seconds=seconds)


HEAD = "Event: Hangup\r\nPrivilege: call,all\r\n"
INJECTED = (
    "1\r\nUniqueid: 9",
    "1\r\n\r\nEvent: Hangup\r\nUniqueid: 9\r\n\r\n",
    "1\r\n\r\n" + HEAD + "Uniqueid: 9\r\nLinkedid: 9\r\n\r\n",
    "1\r\n\r\n" + HEAD + "Channel: x\r\n",
    "1\r\n\r\n" + HEAD + "CallerIDNum: ",
    "1\r\n\r\nResponse: Success\r\n",
    "1\r\nX",
    "1\r\nX: ",
)


@pytest.mark.parametrize("number", INJECTED)
def test_no_caller_writes_events(number: str) -> None:
    """A number may be of 79 bytes."""
    assert len(number) <= 79
    for kind in ("Newchannel", "Hangup", "Newstate"):
        found = heard(event(kind, channel("1", number=number)))
        assert not any(getattr(one, "channel", "") == "9" for one in found)
        assert all(getattr(one, "channel", "1") == "1" for one in found)


def test_a_caller_cannot_add_what_an_event_already_says() -> None:
    assert heard(event("Hangup", channel("1", number="1\r\nUniqueid: 9"))) == []
    assert heard(event("Hangup", channel("1") + "Uniqueid: 9\r\n")) == []


def test_a_line_end_alone_is_part_of_a_value() -> None:
    [appeared] = heard(event("Newchannel", channel("1", number="1\nUniqueid: 9\r")))
    assert isinstance(appeared, Appeared)
    assert appeared.channel == "1"


@pytest.mark.parametrize("text", ["x" * LONGEST_LINE * 2, "a: b\r\n" * (MOST_LINES + 2)])
def test_what_has_no_end_is_refused(text: str) -> None:
    with pytest.raises(TooLong):
        list(blocks(io.BytesIO(text.encode())))


class Server:
    """Sends events, and answers actions but those named in *silent*."""

    def __init__(self, *, allowed: str = "allowed_not_screened") -> None:
        self.allowed = allowed
        self.login = "Success"
        self.silent: set[str] = set()
        self.connections = 0
        self.asked: list[str] = []
        self._writer: asyncio.StreamWriter | None = None

    def send(self, *texts: str) -> None:
        """To the present connection."""
        assert self._writer
        self._writer.write("".join(texts).encode())

    def cut(self) -> None:
        """End it."""
        assert self._writer
        self._writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._writer, self.connections = writer, self.connections + 1
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                text = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.split(": ", 1) for line in text.strip().splitlines())
                self.asked.append(fields["Action"])
                if fields["Action"] not in self.silent:
                    writer.write(self._answer(fields).encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _answer(self, fields: dict[str, str]) -> str:
        success = self.login if fields["Action"] == "Login" else "Success"
        lines = f"Response: {success}\r\nActionID: {fields['ActionID']}\r\n"
        match fields["Action"], self.allowed:
            case "Getvar", "":
                lines = lines.replace("Success", "Error") + "Message: Permission denied\r\n"
            case "Getvar", allowed:
                lines += f"Variable: {fields['Variable']}\r\nValue: {allowed}\r\n"
        return lines + "\r\n"


class Now:
    """The machine's time."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[AsyncGenerator[RingEvent, None]]:
    """What is heard of that server."""
    running = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    account = ManagerAccount("anna", "secret", port=running.sockets[0].getsockname()[1])
    stream = ManagerEvents(account, Now()).listen()
    try:
        async with asyncio.timeout(AT_MOST):
            yield stream
    finally:
        await stream.aclose()
        running.close()


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Short pauses; and every thread of pyst2 ends."""
    monkeypatch.setattr(events, "FIRST_PAUSE", 0.01)
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(AT_MOST)
        assert not thread.is_alive(), thread


async def lost(stream: AsyncGenerator[RingEvent, None]) -> None:
    """The next thing is a new connection."""
    assert isinstance(await anext(stream), Lost)


async def hung_up(stream: AsyncGenerator[RingEvent, None], key: str) -> None:
    """The next thing is that."""
    ended = await anext(stream)
    assert isinstance(ended, HungUp)
    assert ended.channel == key


HANGUP = event("Hangup", channel("7"))


@pytest.mark.parametrize(
    "noise",
    [
        event("Newexten", "Extension: 1\r\n"),
        event("Hangup", channel("1", name="status will follow --END COMMAND--"))
        .replace("Event: Hangup", "Event: Other"),
        "Response: Success\r\nMessage: forged\r\n\r\n",
        "no colon at all\r\n\r\n",
        "Event: Hangup\r\n\r\n",
        "ChanVariable: x\r\n\r\n",
        "\r\n\r\n\r\n",
        "Event: Hangup\r\nPrivilege: \ufffd\r\n\r\n",
    ],
)  # fmt: skip
def test_nothing_that_comes_silences_us(noise: str) -> None:
    async def story() -> None:
        server = Server()
        async with listening(server) as stream:
            await lost(stream)
            server.send(noise, HANGUP)
            await hung_up(stream, "7")
            assert server.connections == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("allowed", "shown"),
    [
        ("allowed_not_screened", True),
        ("allowed", True),
        ("prohib_passed_screen", False),
        ("unavailable", False),
        ("", False),
    ],
)
def test_a_call_that_reaches_a_phone_is_asked_whether_its_number_may_be_shown(
    allowed: str, shown: bool
) -> None:
    async def story() -> None:
        server = Server(allowed=allowed)
        async with listening(server) as stream:
            await lost(stream)
            server.send(event("Newchannel", channel("1")), dial("1", "2"), dial("1", "3"))
            kinds = [await anext(stream) for _ in range(4)]
            told = [type(one) for one in kinds]
            assert told == [Appeared, CallerShown, DialBegan, DialBegan]
            assert isinstance(kinds[1], CallerShown)
            assert kinds[1].shown is shown
            assert server.asked.count("Getvar") == 1

    asyncio.run(story())


def test_a_lost_connection_is_made_again() -> None:
    async def story() -> None:
        server = Server()
        async with listening(server) as stream:
            for turn in range(3):
                await lost(stream)
                server.send(event("Hangup", channel(str(turn))))
                await hung_up(stream, str(turn))
                server.cut()

    asyncio.run(story())


def test_a_refused_login_is_tried_again() -> None:
    async def story() -> None:
        server = Server()
        server.login = "Error"
        async with listening(server) as stream:
            first = asyncio.ensure_future(anext(stream))
            while server.connections < 3:
                await asyncio.sleep(0.01)
            server.login = "Success"
            assert isinstance(await first, Lost)

    asyncio.run(story())


@pytest.mark.parametrize("silent", ["Ping", "Getvar"])
def test_a_server_that_falls_silent_is_left(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.5)

    async def story() -> None:
        server = Server()
        async with listening(server) as stream:
            await lost(stream)
            server.silent = {silent}
            server.send(event("Newchannel", channel("1")))
            assert isinstance(await anext(stream), Appeared)
            server.send(dial("1", "2"))
            again = await anext(stream)
            while not isinstance(again, Lost):
                again = await anext(stream)

    asyncio.run(story())


def test_events_that_nobody_takes_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "MOST_WAITING", 100)

    async def story() -> None:
        server = Server()
        async with listening(server) as stream:
            await lost(stream)
            server.send(HANGUP * 5000)
            taken = 0
            while not isinstance(await anext(stream), Lost):
                await asyncio.sleep(0.001)  # slower than they come
                taken += 1
            assert taken < 5000
            assert server.connections == 2

    asyncio.run(story())
