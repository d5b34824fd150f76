"""Counts that nobody waits for find out first that a server is away: callers do not pay for it."""

import asyncio

import pytest

from tests.adapters.imap_store import imap_store
from tests.adapters.mailbox_contract import ANNA
from tests.dovecot import dovecot
from vm_ari.domain.messages import Counts
from vm_ari.ports import Mailboxes, MailboxUnavailable


async def counted(mailboxes: Mailboxes) -> Counts:
    async with mailboxes.open(ANNA) as mailbox:
        return await mailbox.counts()


def test_a_caller_gets_in_as_soon_as_the_server_is_back_whoever_tried_before() -> None:
    with dovecot(ANNA.id) as server:
        store = imap_store(server)
        behind = store.mailboxes.in_background()

        async def story() -> None:
            pool = (await store.doorman.open(ANNA)).pool

            def broken() -> bool:
                return pool.breaker.broken

            await asyncio.to_thread(server.stop)
            for _ in range(5):
                with pytest.raises(MailboxUnavailable):
                    await counted(behind)
            assert not broken()
            await asyncio.to_thread(server.start)
            assert await counted(store.mailboxes) == Counts()
            await asyncio.to_thread(server.stop)
            with pytest.raises(MailboxUnavailable):
                await counted(store.mailboxes)
            assert broken()
            before = pool.breaker.next_try
            with pytest.raises(MailboxUnavailable, match="left alone"):
                await counted(behind)
            assert pool.breaker.next_try == before
            await asyncio.to_thread(server.start)
            pool.breaker.next_try = 0.0
            assert await counted(behind) == Counts()
            assert not broken(), "what works for us works for callers"
            await store.doorman.close()

        asyncio.run(story())
