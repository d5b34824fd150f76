"""The proxy of the fault suite does what it says: a fault that never happens proves nothing."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.proxy import HOST, LONGEST_TRANSCRIPT, Cut, End, Proxy, Way, proxy_to

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Story = Callable[[Proxy, "Echo"], Awaitable[None]]
PATIENCE = 10.0


class Echo:
    """A server that says everything again, and remembers how connections ended."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ends: asyncio.Queue[str] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while data := await reader.read(65536):
                self.heard += data
                writer.write(data)
                await writer.drain()
            self.ends.put_nowait("closed")
        except OSError:
            self.ends.put_nowait("reset")
        finally:
            writer.close()


def with_echo(story: Story) -> None:
    """Tell a story of a proxy to an echo."""

    async def run() -> None:
        echo = Echo()
        server = await asyncio.start_server(echo.serve, HOST, 0)
        try:
            async with asyncio.timeout(PATIENCE * 3):
                async with proxy_to(server.sockets[0].getsockname()[1]) as proxy:
                    await story(proxy, echo)
        finally:
            server.close()

    asyncio.run(run())


@asynccontextmanager
async def client(proxy: Proxy) -> AsyncIterator[Streams]:
    """A connection to the echo through the proxy."""
    reader, writer = await asyncio.open_connection(HOST, proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def said(streams: Streams, text: bytes) -> bytes:
    """What comes back, as much as was said or until the end."""
    streams[1].write(text)
    got = b""
    while len(got) < len(text):
        data = await asyncio.wait_for(streams[0].read(65536), PATIENCE)
        if not data:
            break
        got += data
    return got


async def ended(streams: Streams) -> str:
    """How the client sees the end, and what came before it."""
    got = b""
    try:
        while data := await asyncio.wait_for(streams[0].read(65536), PATIENCE):
            got += data
    except ConnectionResetError:
        return "reset"
    return f"closed after {len(got)}"


async def silent(streams: Streams, seconds: float = 0.1) -> bool:
    """Does nothing come for so long?"""
    try:
        return not await asyncio.wait_for(streams[0].read(1), seconds)
    except TimeoutError:
        return True


def test_a_healthy_one_carries_everything_and_counts_it() -> None:
    async def story(proxy: Proxy, echo: Echo) -> None:
        text = bytes(range(256)) * 8000
        async with client(proxy) as one, client(proxy) as other:
            assert await said(one, text) == text
            assert await said(other, b"hello") == b"hello"
            assert (proxy.connections, proxy.open) == (2, 2)
        assert proxy.carried == {way: len(text) + 5 for way in Way}
        assert len(proxy.heard[Way.BACK]) == LONGEST_TRANSCRIPT
        assert proxy.heard[Way.THERE].endswith(b"hello")
        assert [await echo.ends.get(), await echo.ends.get()] == ["closed", "closed"]

    with_echo(story)


@pytest.mark.parametrize("n", [0, 1, 3, 9])
@pytest.mark.parametrize("way", list(Way))
def test_it_cuts_behind_a_byte_of_either_way(way: Way, n: int) -> None:
    async def story(proxy: Proxy, echo: Echo) -> None:
        proxy.cut_after(Cut(way, n, times=1, end=End.CLOSE))
        async with client(proxy) as first:
            first[1].write(b"0123456789")
            back = await ended(first)
        await echo.ends.get()
        if way is Way.BACK:
            assert back == f"closed after {n}"
        else:
            assert bytes(echo.heard) == b"0123456789"[:n]
        async with client(proxy) as second:
            assert await said(second, b"again, whole") == b"again, whole"

    with_echo(story)


@pytest.mark.parametrize(("end", "told"), [(End.RESET, "reset"), (End.CLOSE, "closed after 0")])
def test_it_breaks_off_what_is_open_as_told(end: End, told: str) -> None:
    async def story(proxy: Proxy, echo: Echo) -> None:
        async with client(proxy) as one:
            await said(one, b"hello")
            proxy.cut(end)
            assert await ended(one) == told
            assert await echo.ends.get() == told.split(maxsplit=1)[0]
        async with client(proxy) as other:
            assert await said(other, b"hello") == b"hello"

    with_echo(story)


def test_a_black_hole_keeps_what_it_swallowed_and_gives_it_back() -> None:
    async def story(proxy: Proxy, echo: Echo) -> None:
        async with client(proxy) as one:
            await said(one, b"hello")
            proxy.hold()
            one[1].write(b"swallowed")
            assert await silent(one)
            async with client(proxy) as late:
                late[1].write(b"too")
                assert await silent(late)
                assert bytes(echo.heard) == b"hello"
                proxy.flow()
                assert await said(late, b"") == b""
                assert await one[0].readexactly(9) == b"swallowed"
                assert await late[0].readexactly(3) == b"too"

    with_echo(story)


def test_a_closed_port_refuses_and_opens_again() -> None:
    async def story(proxy: Proxy, _echo: Echo) -> None:
        async with client(proxy) as one:
            await said(one, b"hello")
            proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(HOST, proxy.port)
            assert await said(one, b"still here") == b"still here"
        proxy.heal()
        async with client(proxy) as other:
            assert await said(other, b"hello") == b"hello"

    with_echo(story)


def test_slow_and_narrow_lines_take_their_time() -> None:
    async def story(proxy: Proxy, _echo: Echo) -> None:
        async with client(proxy) as one:
            proxy.delay = 0.1
            began = time.monotonic()
            await said(one, b"hello")
            assert time.monotonic() - began >= 0.2
            proxy.delay, proxy.rate = 0.0, 5000
            began = time.monotonic()
            await said(one, bytes(1000))
            assert time.monotonic() - began >= 0.18
            proxy.heal()
            assert await said(one, bytes(1_000_000)) == bytes(1_000_000)

    with_echo(story)


def test_nobody_is_offered_tls_where_it_is_stripped() -> None:
    async def story(proxy: Proxy, echo: Echo) -> None:
        proxy.strips_tls = True
        async with client(proxy) as one:
            offer = b"250-STARTTLS\r\n250 X LOGINDISABLED\r\n"
            assert await said(one, offer) == b"250-XSTARTXX\r\n250 X XLOGINALLOWED\r\n"
            one[1].write(b"250-START")
            assert await one[0].readexactly(4) == b"250-"  # the rest may be half a word
            one[1].write(b"TLS\r\nSTARTS\r\n")
            assert await one[0].readexactly(18) == b"XSTARTXX\r\nSTARTS\r\n"
            await said(one, b"\x801.3.6.1.4.1.1466.20037")
        assert b"20037" not in echo.heard

    with_echo(story)


def test_an_answer_can_get_lost() -> None:
    async def story(proxy: Proxy, echo: Echo) -> None:
        async with client(proxy) as one, client(proxy) as other:
            proxy.lose_answer_to(b"please")
            assert await said(one, b"hello") == b"hello"
            one[1].write(b"do it, please")
            assert await ended(one) == "reset"
            assert bytes(echo.heard) == b"hellodo it, please"
            assert await said(other, b"please") == b"please"
            assert proxy.answers_lost == 1

    with_echo(story)


def test_a_server_that_is_not_there_is_a_reset() -> None:
    async def story(proxy: Proxy, _echo: Echo) -> None:
        async with proxy_to(1) as nowhere, client(nowhere) as one:
            assert await ended(one) == "reset"

    with_echo(story)


def test_it_ends_quietly_while_somebody_comes_in() -> None:
    """Whenever that is; and nobody is left with a connection that leads nowhere."""
    complaints: list[dict[str, object]] = []

    async def comes_in_at_the_end(proxy: Proxy, moment: int) -> None:
        coming = asyncio.create_task(asyncio.open_connection(HOST, proxy.port))
        for _ in range(moment):
            await asyncio.sleep(0)
        await proxy.close()
        with contextlib.suppress(OSError):
            reader, writer = await coming
            async with asyncio.timeout(PATIENCE):
                assert not await reader.read()
            writer.close()

    async def story(_: Proxy, echo: Echo) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, about: complaints.append(about))
        server = await asyncio.start_server(echo.serve, HOST, 0)
        for moment in range(40):
            proxy = Proxy(server.sockets[0].getsockname()[1])
            await proxy.start()
            await comes_in_at_the_end(proxy, moment % 10)
        server.close()

    with_echo(story)
    assert complaints == []
