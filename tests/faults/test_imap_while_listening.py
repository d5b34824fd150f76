"""The mail server fails while users listen: what they hear, and what is in their mailboxes then.

The dialogue is the real one on a line in memory whose prompts take no time; the mailboxes, the
connections, the threads and the clock are real. Everybody calls at the same time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.adapters.imap_store import INDIVIDUAL, PATIENT, ImapStore, imap_store
from tests.dialogues.exchange import PIN
from tests.dovecot import Dovecot, dovecot
from tests.faults.calls_to_mailboxes import (
    HEARD_WITHIN,
    at_a_deleted_one,
    at_a_message,
    at_the_menu,
    at_the_pin,
    call,
)
from tests.faults.mail_programs import DELETED, Files, Stock, voice_mail
from tests.imap_proxy import ImapProxy, Moment, Plan, imap_proxy
from tests.phone import Phone
from vm_ari.adapters.imap.address import Patience
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P

IMPATIENT = Patience(connect=0.7, answer=0.7, caller=1.0, delivery=2.0)
MESSAGES = (1, 2, 3)
"""By number; the highest is the newest, and heard first."""
PLACES = (1, 3, 6)
"""At which of a step's commands a connection breaks; `test_imap_faults` tries all of them."""
UNAVAILABLE = (P.MAILBOX_UNAVAILABLE, P.GOODBYE)


@dataclass(frozen=True)
class Step:
    """What a user is about to do when the server fails."""

    place: Callable[[Phone], Any]
    keys: str
    hears: Sequence[P]
    """If all is well."""
    deleted: int | None
    """Where message 3 is afterwards: None is that nothing was asked."""


STEPS = {
    "logs in": Step(at_the_pin, f"{PIN}#", (P.YOU_HAVE, P.FOR_NEW_VOICE_MESSAGES), None),
    "asks for the list": Step(at_the_menu, "1", (P.MESSAGE_NUMBER, P.TO_REPEAT), None),
    "goes on": Step(at_a_message, "6", (P.MESSAGE_NUMBER, P.TO_REPEAT), None),
    "keeps as new": Step(at_a_message, "2", (P.MESSAGE_KEPT_NEW, P.TO_REPEAT), None),
    "deletes": Step(at_a_message, "7", (P.MESSAGE_DELETED, P.TO_UNDELETE), True),
    "brings back": Step(at_a_deleted_one, "7", (P.MESSAGE_RESTORED, P.TO_REPEAT), False),
}
USERS = {
    name: User(f"u{n}", f"User {n}", f"20{n}", (f"20{n}",), f"u{n}@site.example")
    for n, name in enumerate(STEPS)
}


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot(*(user.id for user in USERS.values())) as running:
        yield running


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Sequence[bytes]:
    return [voice_mail(number, tmp_path_factory.mktemp("mails")) for number in MESSAGES]


@pytest.fixture
def filled(server: Dovecot, mails: Sequence[bytes]) -> Dovecot:
    """Everybody has the same three messages."""
    fill(server, mails)
    return server


def fill(server: Dovecot, mails: Sequence[bytes]) -> None:
    for user in USERS.values():
        server.empty(user.id)
        with server.mail_program(user.id) as client:
            for mail in mails:
                client.append("INBOX", mail, ["$VoiceMessage"])


def lying(server: Dovecot, user: User) -> Stock:
    """Each once, or this raises."""
    return Files(server.mail_directory(user.id) / "Maildir").look()


@asynccontextmanager
async def stores(
    server: Dovecot, patience: Patience, proxies: Sequence[ImapProxy] = ()
) -> AsyncIterator[Sequence[ImapStore]]:
    """A controller's view of each user, behind a proxy of its own where there are proxies."""
    urls = [proxy.url for proxy in proxies] or [server.url] * len(USERS)
    made = [imap_store(server, INDIVIDUAL, url=url, patience=patience) for url in urls]
    try:
        yield made
    finally:
        for store in made:
            await store.doorman.close()


async def everybody(
    made: Sequence[ImapStore], trouble: Callable[[], None], after: Callable[[], None]
) -> None:
    """All come to their places; then there is trouble; then they press their keys."""
    there, ready = asyncio.Barrier(len(STEPS) + 1), asyncio.Event()

    async def one(store: ImapStore, name: str) -> None:
        async def story(phone: Phone) -> None:
            step = STEPS[name]
            await step.place(phone)
            await there.wait()
            await ready.wait()
            phone.presses(step.keys)
            async with asyncio.timeout(HEARD_WITHIN):
                await phone.hears(*UNAVAILABLE)
                await phone.hears_the_end()

        told = await call(store, USERS[name], story)
        assert told.channel.left == ("SUCCESS", ""), name
        assert str(P.MESSAGE_GONE) not in "".join(told.phone.heard_names()), name

    async def breaking() -> None:
        await there.wait()
        await asyncio.to_thread(trouble)
        ready.set()

    async with asyncio.TaskGroup() as calls:
        calls.create_task(breaking())
        for store, name in zip(made, STEPS, strict=True):
            calls.create_task(one(store, name))
    await asyncio.to_thread(after)


async def afterwards(store: ImapStore, server: Dovecot, name: str) -> None:
    """The mailbox is as it should be, and the telephone says so."""
    user, step = USERS[name], STEPS[name]
    async with asyncio.timeout(HEARD_WITHIN * 2):
        while True:
            told = await call(store, user, say_what_is_there)
            if not told.phone.heard_names()[-1].endswith(str(P.GOODBYE)):
                break
            await asyncio.sleep(0.3)  # the server has been given up for some time
    stock = lying(server, user)
    assert sorted(stock) == list(MESSAGES), name
    deleted = {number for number, one in stock.items() if one.folder == DELETED}
    assert deleted <= ({3} if step.deleted is not None else set()), name
    new = sum(not one.seen and one.folder != DELETED for one in stock.values())
    words = told.phone.heard_names()
    assert ("en/digits/2" in words) == (new == 2), (name, words, stock)


async def say_what_is_there(phone: Phone) -> None:
    """Log in, and hang up after the counts; or be told that the mailbox cannot be opened."""
    await phone.hears(P.ENTER_PIN)
    phone.presses(f"{PIN}#")
    while not phone.is_over():
        if f"en/{P.FOR_NEW_VOICE_MESSAGES}" in phone.heard_names():
            phone.hangs_up()
        await phone.waits(0.01)


TROUBLES: dict[str, tuple[Callable[[Dovecot], None], Callable[[Dovecot], None]]] = {
    "stopped": (Dovecot.stop, Dovecot.start),
    "hung": (Dovecot.freeze, Dovecot.thaw),
}


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
@pytest.mark.feature_part("INBOX-02", "a mail server that fails during a call loses nothing")
@pytest.mark.parametrize("name", TROUBLES)
def test_whatever_a_user_does_when_the_server_fails_he_is_told_and_nothing_is_lost(
    filled: Dovecot, name: str
) -> None:
    begin, end = TROUBLES[name]

    async def story() -> None:
        async with stores(filled, IMPATIENT) as made:
            await everybody(made, lambda: begin(filled), lambda: end(filled))
            await asyncio.gather(
                *(afterwards(s, filled, name) for s, name in zip(made, STEPS, strict=True))
            )

    try:
        asyncio.run(story())
    finally:
        if filled.process is None:
            filled.start()


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
def test_a_network_that_swallows_everything_is_given_up_and_works_again(filled: Dovecot) -> None:
    async def story(proxies: Sequence[ImapProxy]) -> None:
        def swallow() -> None:
            for proxy in proxies:
                proxy.flowing.clear()

        def flow() -> None:
            for proxy in proxies:
                proxy.flowing.set()

        async with stores(filled, IMPATIENT, proxies) as made:
            await everybody(made, swallow, flow)
            await asyncio.gather(
                *(afterwards(s, filled, name) for s, name in zip(made, STEPS, strict=True))
            )

    with proxies_to(filled) as proxies:
        asyncio.run(story(proxies))


async def undisturbed(store: ImapStore, proxy: ImapProxy, name: str, plan: Plan) -> bool:
    """A step in which one connection breaks: nobody hears of it. Did it break?"""
    step, begun = STEPS[name], 0

    async def story(phone: Phone) -> None:
        nonlocal begun
        proxy.plan = Plan()
        await step.place(phone)
        begun = len(proxy.plan.commands)
        plan.commands, plan.cut_at = proxy.plan.commands, begun + plan.cut_at
        proxy.plan = plan
        phone.presses(step.keys)
        async with asyncio.timeout(HEARD_WITHIN):
            await phone.hears(*step.hears)
        phone.hangs_up()

    told = await call(store, USERS[name], story)
    heard = told.phone.heard_names()
    assert not {f"en/{P.MAILBOX_UNAVAILABLE}", f"en/{P.MESSAGE_GONE}"}.intersection(heard), name
    return len(plan.commands) >= plan.cut_at


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER], ids=["before", "after"])
def test_a_connection_that_breaks_is_not_even_heard(
    filled: Dovecot, moment: Moment, place: int
) -> None:
    names = [name for name in STEPS if name != "logs in"]

    async def one(store: ImapStore, proxy: ImapProxy, name: str) -> bool:
        was_cut = await undisturbed(store, proxy, name, Plan(cut_at=place, moment=moment))
        proxy.plan = Plan()
        stock = lying(filled, USERS[name])
        assert sorted(stock) == list(MESSAGES), name
        deleted = [number for number, lies in stock.items() if lies.folder == DELETED]
        assert deleted == ([3] if STEPS[name].deleted else []), name
        return was_cut

    async def story(proxies: Sequence[ImapProxy]) -> Sequence[bool]:
        async with stores(filled, PATIENT, proxies) as made:
            some = zip(made, proxies, names, strict=False)
            return await asyncio.gather(*(one(s, p, name) for s, p, name in some))

    with proxies_to(filled) as proxies:
        assert all(asyncio.run(story(proxies)))


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
def test_a_restart_in_the_middle_of_a_command_loses_nothing_and_does_nothing_twice(
    filled: Dovecot,
) -> None:
    """Who is lucky does not even hear of it: his new connection is made after the restart."""

    async def one(store: ImapStore, name: str, frozen: asyncio.Barrier) -> None:
        step = STEPS[name]

        async def story(phone: Phone) -> None:
            await step.place(phone)
            await frozen.wait()
            await frozen.wait()
            until_now = len(phone.heard_names())
            phone.presses(step.keys)
            async with asyncio.timeout(HEARD_WITHIN):
                while not any(
                    heard(phone, *one, since=until_now) for one in (UNAVAILABLE, step.hears)
                ):
                    await phone.waits(0.01)
            phone.hangs_up()

        await call(store, USERS[name], story)

    async def restarting(proxies: Sequence[ImapProxy], frozen: asyncio.Barrier) -> None:
        await frozen.wait()
        filled.freeze()
        before = [len(proxy.plan.commands) for proxy in proxies]
        await frozen.wait()
        for proxy, commands in zip(proxies, before, strict=True):
            while len(proxy.plan.commands) == commands and proxy is not proxies[0]:
                await asyncio.sleep(0.01)
        await asyncio.to_thread(filled.stop)
        await asyncio.to_thread(filled.start)

    async def story(proxies: Sequence[ImapProxy]) -> None:
        async with stores(filled, PATIENT, proxies) as made:
            frozen = asyncio.Barrier(len(STEPS) + 1)
            async with asyncio.TaskGroup() as calls:
                calls.create_task(restarting(proxies, frozen))
                for store, name in zip(made, STEPS, strict=True):
                    calls.create_task(one(store, name, frozen))
            await asyncio.gather(
                *(afterwards(s, filled, name) for s, name in zip(made, STEPS, strict=True))
            )

    with proxies_to(filled) as proxies:
        asyncio.run(story(proxies))


def heard(phone: Phone, *prompts: P, since: int) -> bool:
    """In this order, after so many others?"""
    names = iter(phone.heard_names()[since:])
    return all(f"en/{one}" in names for one in prompts)


@contextmanager
def proxies_to(server: Dovecot) -> Iterator[Sequence[ImapProxy]]:
    """One for each user."""
    with ExitStack() as stack:
        yield [stack.enter_context(imap_proxy(server.port)) for _ in USERS]
