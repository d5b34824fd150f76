"""A connection that breaks during the login: no refusal, and no outage for everybody."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.adapters.imap_store import INDIVIDUAL, imap_store
from tests.adapters.mailbox_contract import ANNA
from tests.dovecot import Dovecot, dovecot
from tests.imap_proxy import ImapProxy, Moment, Plan, imap_proxy
from vm_ari.domain.messages import Counts
from vm_ari.ports import MailboxUnavailable


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna") as running:
        yield running


@pytest.fixture
def proxy(server: Dovecot) -> Iterator[ImapProxy]:
    with imap_proxy(server.port) as running:
        yield running


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER], ids=["before", "after"])
def test_a_login_that_is_cut_off_is_no_refused_password(
    server: Dovecot, proxy: ImapProxy, moment: Moment
) -> None:
    """Or a restart of the server would keep everybody out for minutes."""

    async def story() -> None:
        store = imap_store(server, INDIVIDUAL, url=proxy.url, connections=1)
        try:
            proxy.plan = Plan(cut_at=2, moment=moment, again=True)
            with pytest.raises(MailboxUnavailable, match="no connection"):
                async with store.mailboxes.open(ANNA):
                    pass
            assert proxy.plan.commands[1].startswith(b"AUTHENTICATE")
            [pool] = store.doorman._pools.values()
            pool.breaker.works()
            proxy.plan = Plan(cut_at=2, moment=moment)
            async with store.mailboxes.open(ANNA) as box:
                assert await box.counts() == Counts(), "one broken login is not even noticed"
            assert not pool.breaker.broken
        finally:
            await store.doorman.close()

    asyncio.run(story())


def test_a_caller_who_hangs_up_during_the_login_is_no_fault_of_the_server(
    server: Dovecot, proxy: ImapProxy
) -> None:
    async def story() -> None:
        store = imap_store(server, INDIVIDUAL, url=proxy.url, connections=1)
        proxy.flowing.clear()

        async def caller() -> None:
            async with store.mailboxes.open(ANNA):
                pass

        waiting = asyncio.create_task(caller())
        while not proxy.open:
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        [pool] = store.doorman._pools.values()
        await asyncio.to_thread(pool._threads.submit(int).result)  # behind the other, in one thread
        proxy.flowing.set()
        assert not pool.breaker.broken
        async with store.mailboxes.open(ANNA) as box:
            assert await box.counts() == Counts()
        await store.doorman.close()

    asyncio.run(story())
