"""Changes that mail servers push: the receiver by itself, and Dovecot with the snippet we ship."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.adapters.test_watching_idle import deliver, read_all, remove_all
from tests.dovecot import Dovecot, dovecot
from tests.patience import AT_MOST
from tests.services.test_watching import person
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.lamps.method import LampCounts
from vm_ari.adapters.watching.names import NameBook
from vm_ari.adapters.watching.push import MOST_BYTES, Bucket, PushReceiver, Told

TOKEN = "a-token-of-some-length"
SHIPPED = Path(__file__).parents[2] / "mail-conf" / "dovecot"


@dataclass
class House:
    """A receiver, and what it heard."""

    port: int = 0
    heard: list[str] = field(default_factory=list)
    recounts: int = 0
    receiver: PushReceiver = field(init=False)

    def __post_init__(self) -> None:
        told = Told(self.heard.append, self._recount, self._lamp)
        self.receiver = PushReceiver("127.0.0.1", self.port, TOKEN, told)

    def _recount(self) -> None:
        self.recounts += 1

    def _lamp(self, mailbox: str) -> LampCounts | None:
        return LampCounts(2, 1) if mailbox == "101" else None

    def tell(self, story: Callable[[aiohttp.ClientSession], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            running = asyncio.create_task(self.receiver.run())
            try:
                await self.until(lambda: self.receiver.port > 0)
                url = f"http://127.0.0.1:{self.receiver.port}"
                async with aiohttp.ClientSession(url) as session:
                    await story(session)
            finally:
                running.cancel()
                await asyncio.wait([running])

        asyncio.run(whole())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(AT_MOST):
            while not condition():
                await asyncio.sleep(0.02)


BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_whoever_knows_the_token_is_answered_at_once_and_heard() -> None:
    house = House()

    async def story(web: aiohttp.ClientSession) -> None:
        for path, headers in [("", BEARER), (f"/{TOKEN}", {})]:
            async with web.post(
                f"{path}/mailbox-changed", data={"user": "anna"}, headers=headers
            ) as answer:
                assert answer.status == 204
        async with web.post("/recount-all", headers=BEARER) as answer:
            assert answer.status == 204
        async with web.get("/lamps/101", headers=BEARER) as answer:
            assert await answer.json() == {"told": {"new": 2, "old": 1}}
        async with web.get("/lamps/999", headers=BEARER) as answer:
            assert await answer.json() == {"told": None}

    house.tell(story)
    assert (house.heard, house.recounts) == (["anna", "anna"], 1)


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        ("/mailbox-changed", {}, {"user": "anna"}, 403),
        ("/mailbox-changed", {"Authorization": f"Bearer {TOKEN}x"}, {"user": "anna"}, 403),
        ("/mailbox-changed", {"Authorization": "Bearer "}, {"user": "anna"}, 403),
        ("/wrong/mailbox-changed", {}, {"user": "anna"}, 403),
        ("/recount-all", {}, {}, 403),
        ("/mailbox-changed", BEARER, {}, 400),
        ("/mailbox-changed", BEARER, {"user": ""}, 400),
        ("/mailbox-changed", BEARER, {"user": "a\r\nb"}, 400),
        ("/mailbox-changed", BEARER, {"user": "x" * 300}, 400),
        ("/mailbox-changed", BEARER, {"user": "x" * MOST_BYTES}, 413),
        ("/else", BEARER, {}, 404),
    ],
)
def test_everything_else_is_refused_and_changes_nothing(
    path: str, headers: dict[str, str], body: dict[str, str], status: int
) -> None:
    house = House()

    async def story(web: aiohttp.ClientSession) -> None:
        async with web.post(path, data=body, headers=headers) as answer:
            assert answer.status == status
            assert TOKEN not in await answer.text()

    house.tell(story)
    assert (house.heard, house.recounts) == ([], 0)


def test_a_port_that_is_taken_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vm_ari.adapters.web_listening.AGAIN_SECONDS", 0.1)
    other = House()

    async def story(_: aiohttp.ClientSession) -> None:
        house = House(port=other.receiver.port)
        running = asyncio.create_task(house.receiver.run())
        await asyncio.sleep(0.25)
        assert house.receiver.port == 0
        running.cancel()
        await asyncio.wait([running])

    other.tell(story)


def test_who_says_too_much_is_asked_to_stop_and_then_everything_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vm_ari.adapters.watching.push.AGAIN_SECONDS", 0.2)
    house = House()
    house.receiver._bucket = Bucket(rate=1.0, burst=3.0)

    async def story(web: aiohttp.ClientSession) -> None:
        answers = []
        for number in range(6):
            data = {"user": f"u{number}"}
            async with web.post("/mailbox-changed", data=data, headers=BEARER) as answer:
                answers.append(answer.status)
        assert answers[:3] == [204] * 3
        assert answers[-1] == 429
        await house.until(lambda: house.recounts == 1)

    house.tell(story)


def test_the_bucket_fills_again() -> None:
    bucket = Bucket(rate=2.0, burst=3.0)
    assert [bucket.take(100.0) for _ in range(5)] == [True, True, True, False, False]
    assert [bucket.take(101.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]


# --- names


def test_a_mail_server_may_know_users_by_any_of_their_names() -> None:
    heard: list[str] = []
    anna, bert = person(101), replace(person(102), mail="U101@other.example")
    names = NameBook(heard.append, "example\\${LOGIN}")
    names.meet([anna, bert])
    for name in ("u101", "U101@x.de", "example\\u101"):
        names.heard(name)
    assert heard == ["u101", "u102", "u101", "u101"]
    names.heard("somebody-new")
    assert heard[-1] == "somebody-new"


# --- Dovecot


@pytest.fixture(scope="module")
def pushing() -> Iterator[tuple[Dovecot, int]]:
    """A Dovecot with the files that we ship, and the port that it tells."""
    port = free_port()
    conf = (SHIPPED / "vm_ari_push.conf").read_text()
    conf = conf.replace("http://127.0.0.1:8766/", f"http://127.0.0.1:{port}/")
    with dovecot("anna") as server:
        script = server.base / "vm_ari_push.lua"
        script.write_text((SHIPPED / "vm_ari_push.lua").read_text())
        script.chmod(0o644)
        conf = conf.replace("/etc/dovecot/vm_ari_push.lua", str(script))
        server.settings = conf.replace("write-the-token-here", TOKEN)
        server.stop()
        server.start()
        yield server, port


def test_dovecot_pushes_what_a_mail_program_does(pushing: tuple[Dovecot, int]) -> None:
    server, port = pushing
    house = House(port=port)

    async def story(_: aiohttp.ClientSession) -> None:
        for change in (deliver, read_all, remove_all):
            house.heard.clear()
            await asyncio.to_thread(change, server, "anna")
            await house.until(lambda: bool(house.heard))
            assert set(house.heard) == {"anna"}

    house.tell(story)


@pytest.mark.parametrize("hung", [False, True])
def test_dovecot_does_not_wait_long_for_a_receiver(
    pushing: tuple[Dovecot, int], hung: bool
) -> None:
    server, port = pushing
    with socket.socket() as silent:
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind(("127.0.0.1", port))
        if hung:
            silent.listen()
        began = time.monotonic()
        deliver(server, "anna")
        assert time.monotonic() - began < 40, "with Dovecot's own time limits it is a minute"
