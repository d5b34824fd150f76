"""The manager interface: one line stays one line, and nothing is waited for without end.

The other side is a server that answers, or fails to, as a test needs it; the real one takes part
in tests/system/test_lamps.py.
"""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vm_ari.adapters.ami import AmiClient, AmiError, AmiUnavailable, ManagerAccount, client

# pyst2 calls setDaemon() and isSet()
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk.manager")

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


class Manager:
    """Takes actions; answers each with the next of *answers*, then with Success."""

    def __init__(self, *answers: str, greeting: bytes = GREETING) -> None:
        self.actions: list[bytes] = []
        self._answers = list(answers)
        self._greeting = greeting

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        writer.write(self._greeting)
        try:
            while True:
                self.actions.append(await reader.readuntil(b"\r\n\r\n"))
                answer = self._answers.pop(0) if self._answers else "Success"
                if answer == "silence":
                    continue
                if answer == "cut":
                    return
                writer.write(f"Response: {answer}\r\nMessage: {answer}!\r\n\r\n".encode())
                if b"Action: Logoff" in self.actions[-1]:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AmiClient]:
        """A client of it."""
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        ami = AmiClient(ManagerAccount("anna", "secret", port=port))
        try:
            yield ami
        finally:
            await ami.close()
            server.close()


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> object:
    """Short limits; and every thread of pyst2 ends."""
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(client, "CONNECT_SECONDS", 0.3)
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(3)
        assert not thread.is_alive(), thread


def test_an_action_goes_there_and_its_answer_comes_back() -> None:
    manager = Manager()

    async def story() -> None:
        async with manager.open() as ami:
            assert await ami.act("PJSIPNotify", {"Endpoint": "101", "Variable": ["a=1", "a=2"]})

    asyncio.run(story())
    login, action, logoff = manager.actions
    assert login.startswith(b"Action: Login\r\nUsername: anna\r\nSecret: secret\r\nEvents: off\r\n")
    assert action.startswith(b"Action: PJSIPNotify\r\nEndpoint: 101\r\nVariable: a=1\r\nVariable: ")
    assert logoff.startswith(b"Action: Logoff\r\n")


@pytest.mark.parametrize("value", ["1\r\nAction: Originate", "1\n2", "1\r2", "1\0", ["a", "b\n"]])
def test_a_value_stays_one_line(value: str | list[str]) -> None:
    manager = Manager()

    async def story() -> None:
        async with manager.open() as ami:
            with pytest.raises(ValueError, match="one line"):
                await ami.act("PJSIPNotify", {"Endpoint": value})

    asyncio.run(story())
    assert manager.actions == []


def test_two_clients_share_nothing() -> None:
    first, second = Manager(), Manager()

    async def story() -> None:
        async with first.open() as one, second.open() as two:
            await one.act("Ping", {"Only": "first"})
            await two.act("Ping", {})

    asyncio.run(story())
    assert b"Only: first" in first.actions[1]
    assert b"Only" not in b"".join(second.actions)


def test_a_refused_action_says_why() -> None:
    async def story() -> None:
        async with Manager("Success", "Error").open() as ami:
            with pytest.raises(AmiError, match="Error!"):
                await ami.act("PJSIPNotify", {})
            await ami.act("PJSIPNotify", {})

    asyncio.run(story())


def test_a_refused_login_is_no_connection() -> None:
    async def story() -> None:
        async with Manager("Error").open() as ami:
            with pytest.raises(AmiUnavailable, match="Error!"):
                await ami.act("Ping", {})

    asyncio.run(story())


@pytest.mark.parametrize("answers", [("silence",), ("Success", "silence"), ("Success", "cut")])
def test_silence_and_loss_end_and_the_next_action_connects_anew(answers: tuple[str, ...]) -> None:
    manager = Manager(*answers)

    async def story() -> None:
        async with manager.open() as ami:
            with pytest.raises(AmiUnavailable):
                await ami.act("Ping", {})
            assert await ami.act("Ping", {}) == "Success!"

    asyncio.run(story())


def test_a_server_that_does_not_greet_is_given_up() -> None:
    async def story() -> None:
        async with Manager(greeting=b"").open() as ami:
            with pytest.raises(AmiUnavailable):
                await ami.act("Ping", {})

    asyncio.run(story())


def test_a_server_that_is_not_there() -> None:
    async def story() -> None:
        ami = AmiClient(ManagerAccount("anna", "secret", port=9))
        with pytest.raises(AmiUnavailable):
            await ami.act("Ping", {})
        await ami.close()

    asyncio.run(story())


def test_closing_beside_a_silent_server_ends() -> None:
    async def story() -> None:
        async with Manager("Success", "Success", "silence").open() as ami:
            await ami.act("Ping", {})

    asyncio.run(story())


def test_an_action_that_is_given_up_leaves_nothing_behind() -> None:
    manager = Manager("Success", "silence")

    async def story() -> None:
        async with manager.open() as ami:
            action = asyncio.create_task(ami.act("Ping", {"Number": "1"}))
            while len(manager.actions) < 2:
                await asyncio.sleep(0.01)
            action.cancel()
            await asyncio.wait([action])
            assert await ami.act("Ping", {"Number": "2"}) == "Success!"

    asyncio.run(story())
