"""A mailbox that fills up on a real mail server: warned of in time, and nothing is ever lost."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.imap_store import ADMINISTRATIVE, INDIVIDUAL, ImapStore, imap_store
from tests.adapters.mailbox_contract import ORDINARY_MAIL
from tests.adapters.maildir_store import write_mail
from tests.clock import run_virtually
from tests.dovecot import Dovecot, dovecot
from tests.services.post import ANNA, LoopClock, Post, on
from tests.services.welcome_node import Node, node
from vm_ari.adapters.imap.access import Access
from vm_ari.adapters.imap.courier import ImapCourier
from vm_ari.domain.quota import Measure, Quota
from vm_ari.ports import MailboxUnavailable
from vm_ari.services.quota import QuotaWarnings, WarningCourier

SMALL = """
plugin {
  quota_rule = *:storage=300K
  quota_grace = 0
}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", settings=SMALL) as running:
        yield running


@pytest.fixture
def empty(server: Dovecot) -> Dovecot:
    server.empty("anna")
    with server.mail_program("anna"):
        return server


def fill(server: Dovecot, kilobytes: int) -> None:
    with server.mail_program("anna") as client:
        client.append("INBOX", ORDINARY_MAIL + b"x" * (kilobytes * 1000))


def make_room(server: Dovecot) -> None:
    """Her mail program removes what is no voice message."""
    with server.mail_program("anna") as client:
        client.delete_messages(client.search(["NOT", "HEADER", "Message-Context", "voice"]))
        client.expunge()


def message_ids(server: Dovecot) -> list[bytes]:
    with server.mail_program("anna") as client:
        found = client.fetch(client.search(), ["ENVELOPE"]).values()
        return sorted(one[b"ENVELOPE"].message_id or b"" for one in found)


@pytest.mark.feature("MAIL-08")
def test_a_user_is_warned_and_what_comes_to_a_full_mailbox_comes_once_there_is_room(
    tmp_path: Path, empty: Dovecot
) -> None:
    store = imap_store(empty)
    fill(empty, 280)

    async def story(post: Post) -> None:
        one, warnings = warned(tmp_path, store, clock=post.clock)
        assert await log_in(warnings, store)
        await one.post.send_what_is_due()
        assert [mail["Subject"] for mail in one.mails()] == ["Your mailbox is nearly full"]
        await post.leave("a")
        await asyncio.sleep(7200)
        assert post.lies("new") == ["a"]
        make_room(empty)
        await asyncio.sleep(7200)
        assert post.lies("done") == ["a"]
        assert not await log_in(warnings, store)
        await one.directory.close()

    courier: Any = ImapCourier(store.doorman, write_mail)
    on(Post(tmp_path / "spool", courier=courier), story)
    asyncio.run(store.doorman.close())
    assert message_ids(empty) == [b"<a@pbx.example>"]


@pytest.mark.feature_part("MAIL-08", "full, freed, delivered exactly once")
@pytest.mark.parametrize("access", [INDIVIDUAL, ADMINISTRATIVE["other-users"]], ids=["own", "acl"])
def test_messages_for_a_full_mailbox_wait_and_come_once_when_there_is_room(
    tmp_path: Path, empty: Dovecot, access: Access
) -> None:
    """Also where the server does not tell how full it is, the user hears and reads of it."""
    store = imap_store(empty, access)
    fill(empty, 290)
    one, warnings = warned(tmp_path, store)

    async def story(post: Post) -> None:
        for name in "abc":
            await post.leave(name)
        await asyncio.sleep(7200)
        assert await log_in(warnings, store)
        await one.post.send_what_is_due()
        assert [mail["Subject"] for mail in one.mails()] == ["Your mailbox is full"]
        assert post.lies("new") == ["a", "b", "c"]
        waiting = post.outbox.waiting()
        assert {facts.id for facts, _ in waiting} == {"a", "b", "c"}
        assert all(tries.failed > 3 for _, tries in waiting)
        assert all("mailbox of user anna is full" in tries.last_error for _, tries in waiting)
        make_room(empty)
        await asyncio.sleep(3700)
        assert post.lies("new") == []
        await asyncio.sleep(7200)
        assert not await log_in(warnings, store)
        await one.directory.close()

    courier: Any = WarningCourier(ImapCourier(store.doorman, write_mail), warnings)
    post = on(Post(tmp_path / "spool", courier=courier), story)
    asyncio.run(store.doorman.close())
    assert (post.lies("done"), post.lies("hold")) == (["a", "b", "c"], [])
    assert message_ids(empty) == [b"<%s@pbx.example>" % name for name in (b"a", b"b", b"c")]
    assert post.told == ["anna"] * 3


def warned(base: Path, store: ImapStore, **how: Any) -> tuple[Node, QuotaWarnings]:
    """Who warns Anna, by mails into a Maildir."""
    one = node(base)
    return one, QuotaWarnings(store.mailboxes, one.post, how.pop("clock", one.post._clock), **how)


async def log_in(warnings: QuotaWarnings, store: ImapStore) -> bool:
    async with store.mailboxes.open(ANNA) as box:
        heard = await warnings.at_login(ANNA, box)
    await warnings.settle()
    return heard


@pytest.mark.feature_part("MAIL-08", "nearly full: heard at each login, one mail a day")
@pytest.mark.parametrize("way", ["acting-as", "alias", "individual"])
def test_a_user_is_warned_before_the_mailbox_is_full(
    tmp_path: Path, empty: Dovecot, way: str
) -> None:
    store = imap_store(empty, ADMINISTRATIVE.get(way, INDIVIDUAL))

    async def story() -> None:
        clock = LoopClock()
        one, warnings = warned(tmp_path, store, clock=clock)
        try:
            assert not await log_in(warnings, store)
            await warnings.after_delivery(ANNA)
            fill(empty, 285)
            for _ in range(2):
                assert await log_in(warnings, store)
                await warnings.after_delivery(ANNA)
            await one.post.send_what_is_due()
            [mail] = one.mails()
            assert mail["Subject"] == "Your mailbox is nearly full"
            assert "filled to 93 percent" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
            clock.offset += timedelta(days=1)
            assert await log_in(warnings, store)
            assert len(await one.queue.waiting()) == 1, "the next day it is told again"
        finally:
            await store.doorman.close()
            await one.directory.close()

    asyncio.run(story())


@pytest.mark.parametrize("way", ["other-users", "path"])
def test_a_server_that_keeps_it_from_the_administrator_gives_no_warning(
    tmp_path: Path, empty: Dovecot, way: str
) -> None:
    """Dovecot shows nobody the limits of others; ours, as the administrator's, are not meant."""
    store = imap_store(empty, ADMINISTRATIVE[way])
    fill(empty, 285)

    async def story() -> None:
        one, warnings = warned(tmp_path, store)
        assert not await log_in(warnings, store)
        await warnings.after_delivery(ANNA)
        assert not await one.queue.waiting()
        await store.doorman.close()
        await one.directory.close()

    asyncio.run(story())


def test_the_limit_is_a_setting_and_can_be_switched_off(tmp_path: Path, empty: Dovecot) -> None:
    store = imap_store(empty)
    fill(empty, 100)

    async def story() -> None:
        heard = []
        for percent in (30, 40, 0):
            one, warnings = warned(tmp_path, store, percent=percent)
            heard.append(await log_in(warnings, store))
            await one.directory.close()
        assert heard == [True, False, False]
        await store.doorman.close()

    asyncio.run(story())


class Unwilling:
    """A mailbox that does not tell."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    async def quota(self) -> Quota | None:
        if self.error:
            raise self.error
        await asyncio.sleep(3600)
        return None


@pytest.mark.parametrize("error", [MailboxUnavailable("away"), None], ids=["away", "slow"])
def test_whoever_cannot_be_asked_holds_nobody_up(error: Exception | None) -> None:
    box: Any = Unwilling(error)
    nobody: Any = None
    warnings = QuotaWarnings(nobody, nobody, LoopClock())

    async def story() -> float:
        assert not await warnings.at_login(ANNA, box)
        return asyncio.get_running_loop().time()

    assert run_virtually(story()) < 5


def test_the_limit_that_is_nearest_counts() -> None:
    assert str(Quota(999, 1000, Measure.MESSAGES)) == "999 of 1000 messages"
    assert Quota(0, 0).percent == 100
    assert replace(Quota(5, 1000), used=1200).percent == 120
