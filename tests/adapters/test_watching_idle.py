"""IDLE on a real Dovecot: every way in, plain and with TLS, restarts, crowds, and other servers."""

import asyncio
import itertools
import os
import re
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

import pytest

from tests.adapters.imap_store import ADMINISTRATIVE, WAYS, ImapStore, imap_store
from tests.dovecot import Dovecot, dovecot
from tests.fakes import FakeDirectory
from tests.imap_proxy import imap_proxy
from tests.patience import AT_MOST
from tests.private_ca import PrivateCa
from vm_ari.adapters.imap.errors import ConnectionLost
from vm_ari.adapters.trust import trust
from vm_ari.adapters.watching.idle import IdleWatcher
from vm_ari.adapters.watching.idle_line import LONGEST_LINE, IdleLine
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User

LIT, DARK = Counts(new_voice=1), Counts()
NAMES = ("anna", "bert", "cleo", "dora")


def user(name: str) -> User:
    return User(name, name, name, (), f"{name}@example.org")


USERS = [user(name) for name in NAMES]


@dataclass
class Ear:
    """A watcher, and what it heard."""

    store: ImapStore
    watcher: IdleWatcher
    heard: list[str]

    async def until(self, condition: Callable[[], bool], within: float = AT_MOST) -> None:
        async with asyncio.timeout(within):
            while not condition():
                await asyncio.sleep(0.02)

    async def listens_to(self, count: int) -> None:
        await self.until(lambda: self.watcher.listening == count)
        await self.quiet()

    async def quiet(self) -> None:
        """Until nothing has been heard for a moment."""
        before = -1
        while before != len(self.heard):
            before = len(self.heard)
            await asyncio.sleep(0.1)
        self.heard.clear()

    async def hears(self, *names: str) -> None:
        await self.until(lambda: set(names) <= set(self.heard))
        await asyncio.sleep(0.05)
        assert set(self.heard) == set(names)
        self.heard.clear()

    def counted(self, counts: Counts, *names: str) -> None:
        for name in names:
            self.watcher.counted(user(name), counts)


def listen(store: ImapStore, story: Callable[[Ear], Coroutine[Any, Any, None]], **how: Any) -> None:
    """Run a story beside a watcher."""

    async def whole() -> None:
        directory = FakeDirectory(*USERS)
        heard: list[str] = []
        ear = Ear(store, IdleWatcher(store.doorman, directory, heard.append, **how), heard)
        running = asyncio.create_task(ear.watcher.run())
        ear.watcher.meet(USERS)
        try:
            await story(ear)
        finally:
            running.cancel()
            await asyncio.wait([running])
            await store.doorman.close()

    asyncio.run(whole())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: PrivateCa) -> Iterator[Dovecot]:
    with dovecot(*NAMES, identity=authority.identity()) as running:
        yield running


def deliver(server: Dovecot, name: str) -> None:
    with server.mail_program(name) as client:
        client.append("INBOX", b"Subject: x\r\n\r\nx\r\n")


def read_all(server: Dovecot, name: str) -> None:
    with server.mail_program(name) as client:
        client.add_flags(client.search(["UNSEEN"]), ["\\Seen"], silent=True)


def remove_all(server: Dovecot, name: str) -> None:
    with server.mail_program(name) as client:
        client.delete_messages(client.search(), silent=True)
        client.expunge()


async def changes_are_heard(ear: Ear, server: Dovecot, name: str) -> None:
    for change in (deliver, read_all, remove_all):
        await asyncio.to_thread(change, server, name)
        await ear.hears(name)
        await ear.quiet()


@pytest.mark.parametrize("way", WAYS)
def test_what_a_mail_program_does_is_heard_whatever_way_leads_into_the_mailbox(
    server: Dovecot, way: str
) -> None:
    async def story(ear: Ear) -> None:
        ear.counted(LIT, "anna")
        await ear.listens_to(1)
        await changes_are_heard(ear, server, "anna")

    listen(imap_store(server, WAYS[way]), story)


@pytest.mark.parametrize("kind", ["imaps", "starttls"])
def test_with_tls_too(server: Dovecot, authority: PrivateCa, kind: str) -> None:
    url = server.tls_url if kind == "imaps" else server.url
    store = imap_store(server, ADMINISTRATIVE["acting-as"], url=url, context=trust(authority.file))

    async def story(ear: Ear) -> None:
        ear.counted(LIT, "anna", "bert")
        await ear.listens_to(2)
        await changes_are_heard(ear, server, "bert")

    listen(store, story)


def test_idle_is_said_anew_in_time_and_nothing_is_missed_then(server: Dovecot) -> None:
    async def story(ear: Ear) -> None:
        ear.counted(LIT, "anna")
        await ear.until(lambda: ear.heard.count("anna") >= 4)
        assert ear.watcher.listening == 1
        for _ in range(5):
            ear.heard.clear()
            await asyncio.to_thread(deliver, server, "anna")
            await ear.hears("anna")

    listen(imap_store(server), story, anew=0.2)


def test_whose_lamp_is_on_comes_first_and_never_more_are_watched_than_allowed(
    server: Dovecot,
) -> None:
    async def story(ear: Ear) -> None:
        ear.counted(DARK, *NAMES)
        await ear.listens_to(2)
        ear.counted(LIT, "cleo", "dora")
        await asyncio.sleep(1.2)
        await ear.listens_to(2)
        for name in ("cleo", "dora"):
            await asyncio.to_thread(deliver, server, name)
            await ear.hears(name)
            await ear.quiet()
        await asyncio.to_thread(deliver, server, "anna")
        await asyncio.sleep(0.3)
        assert ear.heard == []

    listen(imap_store(server), story, most=2)


def test_after_a_restart_of_the_server_everybody_is_watched_again_and_counted(
    server: Dovecot,
) -> None:
    async def story(ear: Ear) -> None:
        ear.counted(LIT, *NAMES)
        await ear.listens_to(4)
        await asyncio.to_thread(server.stop)
        await ear.until(lambda: set(ear.heard) == set(NAMES))
        assert ear.watcher.listening == 0
        ear.heard.clear()
        await asyncio.to_thread(server.start)
        await ear.until(lambda: ear.watcher.listening == 4, within=AT_MOST)
        assert set(ear.heard) == set(NAMES), "what happened meanwhile was not told"
        await ear.quiet()
        await asyncio.to_thread(deliver, server, "dora")
        await ear.hears("dora")

    listen(imap_store(server), story)


def test_a_connection_that_is_cut_is_opened_again(server: Dovecot) -> None:
    with imap_proxy(server.port) as proxy:

        async def story(ear: Ear) -> None:
            ear.counted(LIT, "anna")
            await ear.listens_to(1)
            proxy.cut()
            await ear.until(lambda: "anna" in ear.heard)
            await ear.listens_to(1)
            await asyncio.to_thread(deliver, server, "anna")
            await ear.hears("anna")

        listen(imap_store(server, url=proxy.url), story)


def test_a_server_without_idle_is_left_to_rounds(server: Dovecot) -> None:
    with imap_proxy(server.port) as proxy:
        proxy.plan.poor = True

        async def story(ear: Ear) -> None:
            ear.counted(LIT, *NAMES)
            await ear.until(lambda: bool(proxy.plan.commands))
            await asyncio.sleep(1.2)
            asked = len(proxy.plan.commands)
            await asyncio.sleep(1.2)
            assert len(proxy.plan.commands) == asked
            assert ear.watcher.listening == 0

        listen(imap_store(server, url=proxy.url), story)


def test_a_server_that_takes_few_connections_leaves_one_to_calls(server: Dovecot) -> None:
    logins = itertools.count(1)

    def refused(answer: bytes) -> bytes:
        """As Dovecot says it; but its own count is late where logins come quickly."""
        if b" Logged in" not in answer or next(logins) <= 3:
            return answer
        return re.sub(rb"(?m)^(\w+) OK .*Logged in", rb"\1 NO [LIMIT] Too many", answer)

    with imap_proxy(server.port) as proxy:
        proxy.plan.rewrite = refused

        async def story(ear: Ear) -> None:
            ear.counted(LIT, *NAMES)
            await ear.until(lambda: next(copy(logins)) > 4)
            await ear.until(lambda: ear.watcher.listening in {1, 2})
            tried = next(copy(logins))
            await asyncio.sleep(1.2)
            assert next(copy(logins)) == tried

        listen(imap_store(server, url=proxy.url), story)


def test_who_cannot_be_watched_holds_up_nobody(server: Dovecot) -> None:
    async def story(ear: Ear) -> None:
        ear.watcher.counted(user("stranger"), LIT)
        ear.counted(LIT, "anna")
        await ear.listens_to(1)

    listen(imap_store(server), story)


def test_nothing_stays_open(server: Dovecot) -> None:
    async def story(ear: Ear) -> None:
        ear.counted(LIT, *NAMES)
        await ear.listens_to(4)
        ear.watcher.meet([])
        await ear.listens_to(0)

    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only
    listen(imap_store(server), story)
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


# --- servers that say odd things


def against(answers: Sequence[bytes]) -> tuple[list[str], str]:
    """A line with a server that says this, one after the other, to whatever it hears."""

    async def whole() -> tuple[list[str], str]:
        near, far = socket.socketpair()
        heard: list[str] = []
        line = IdleLine(near, lambda: heard.append("change"), anew=0.2)
        running = asyncio.create_task(line.run())
        far.setblocking(False)
        loop = asyncio.get_running_loop()
        for answer in answers:
            await loop.sock_recv(far, 100)
            await loop.sock_sendall(far, answer)
        far.close()
        with pytest.raises(ConnectionLost) as lost:
            async with asyncio.timeout(AT_MOST):
                await running
        return heard, str(lost.value)

    return asyncio.run(whole())


@pytest.mark.parametrize(
    ("answers", "changes", "reason"),
    [
        ([b"+ idling\r\n* 3 EXISTS\r\n* 1 EXPUNGE\r\n* 2 FETCH (FLAGS ())\r\n"], 4, "hung up"),
        ([b"+ idling\r\n* VANISHED 3:5\r\n* OK Still here\r\n* BAD x\r\n"], 2, "hung up"),
        ([b"+ idling\r\n* BYE I am tired\r\n"], 1, "hangs up"),
        ([b"idle1 BAD what is that\r\n"], 0, "refuses"),
        ([b"+ idling\r\nidle1 OK I have had enough\r\n"], 1, "ended it"),
        ([b"+ idling\r\n", b"idle1 OK\r\n", b"+\r\n", b"idle2 NO\r\n"], 2, "refuses"),
        ([b"+ idling\r\n" + b"x" * (LONGEST_LINE + 5000)], 1, "cannot be understood"),
        ([b"* 1 EXISTS"], 0, "hung up"),
    ],
)
def test_whatever_a_server_says_is_a_change_or_the_end(
    answers: Sequence[bytes], changes: int, reason: str
) -> None:
    heard, told = against(answers)
    assert len(heard) == changes
    assert reason in told
