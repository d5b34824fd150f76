"""Mails of the system into mailboxes on a mail server, where there is no SMTP (MAIL-05)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.adapters.imap_store import ADMINISTRATIVE, INDIVIDUAL, ImapStore, imap_store
from tests.dovecot import Dovecot, dovecot, password_of
from tests.imap_proxy import ImapProxy, Moment, Plan, imap_proxy
from tests.services.welcome_node import ANNA, Node, node, told
from vm_ari.adapters.imap.access import Way
from vm_ari.adapters.imap.address import IMAP
from vm_ari.adapters.imap.doorman import Doorman
from vm_ari.adapters.imap.mailer import ImapMailer
from vm_ari.adapters.imap.server_choice import OneServer
from vm_ari.domain.system_mails import recipient_of
from vm_ari.ports import DeliveryPostponed, DeliveryRefused

MAIL = b"Message-ID: <1@x>\r\nDate: Sun, 22 Nov 2026 03:00:00 +0000\r\nSubject: Hi\r\n\r\nHi.\r\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna") as running:
        yield running


@pytest.fixture
def empty(server: Dovecot) -> Dovecot:
    """Anna has been there: for others her mailbox exists only since then."""
    server.empty("anna")
    with server.mail_program("anna"):
        return server


@pytest.fixture
def proxy(empty: Dovecot) -> Iterator[ImapProxy]:
    with imap_proxy(empty.port) as running:
        yield running


def subjects(server: Dovecot) -> list[bytes]:
    """In Anna's INBOX."""
    with server.mail_program("anna") as client:
        found = client.fetch(client.search(), ["ENVELOPE", "FLAGS"])
        assert all(b"\\Seen" not in one[b"FLAGS"] for one in found.values()), "all are new"
        return [one[b"ENVELOPE"].subject for one in found.values()]


def with_mailer(
    base: Path, store: ImapStore, story: Callable[[Node, ImapMailer], Awaitable[None]]
) -> None:
    async def run() -> None:
        one = node(base, mailer=None)
        if await one.directory.user_by_id("anna") is None:
            await one.directory.add_user(ANNA, None)
        mailer = ImapMailer(store.doorman, one.directory)
        try:
            await story(node(base, name="imap", mailer=mailer), mailer)
        finally:
            await store.doorman.close()
            await one.directory.close()

    asyncio.run(run())


@pytest.mark.feature_part("MAIL-05", "mails of the system by IMAP APPEND")
@pytest.mark.parametrize("way", [*(way.value for way in Way), "individual"])
def test_a_notice_lies_once_in_the_inbox(tmp_path: Path, empty: Dovecot, way: str) -> None:
    access = ADMINISTRATIVE.get(way, INDIVIDUAL)

    async def story(one: Node, _mailer: ImapMailer) -> None:
        await told(one, "anna")
        await one.deliver()
        await told(one, "anna")
        await one.deliver()
        assert not await one.queue.waiting()

    with_mailer(tmp_path, imap_store(empty, access), story)
    assert subjects(empty) == [b"Login by telephone locked: mailbox 101"]


def test_it_goes_to_the_inbox_even_where_voice_messages_have_a_folder(
    tmp_path: Path, empty: Dovecot
) -> None:
    async def story(one: Node, mailer: ImapMailer) -> None:
        user = replace(ANNA, folder="INBOX/Voice")
        await one.directory.change_settings("anna", {"folder": "INBOX/Voice"})
        await mailer.send(MAIL, recipient_of(user), message_id="<1@x>")

    with_mailer(tmp_path, imap_store(empty), story)
    assert subjects(empty) == [b"Hi"]


@pytest.mark.parametrize("moment", [Moment.BEFORE, Moment.AFTER], ids=["before", "after"])
def test_a_mail_that_is_cut_off_anywhere_is_there_once_in_the_end(
    tmp_path: Path, empty: Dovecot, proxy: ImapProxy, moment: Moment
) -> None:
    async def story(_one: Node, mailer: ImapMailer) -> None:
        message_id = f"<{tries}@x>"
        mail = MAIL.replace(b"<1@x>", message_id.encode())
        await mailer.send(mail, recipient_of(ANNA), message_id=message_id)

    tries = 0
    for place in range(1, 30):
        proxy.plan = Plan(cut_at=place, moment=moment)
        with suppress(DeliveryPostponed):
            with_mailer(tmp_path, imap_store(empty, url=proxy.url), story)
        whole = len(proxy.plan.commands) < place
        proxy.plan = Plan()
        with_mailer(tmp_path, imap_store(empty, url=proxy.url), story)
        tries += 1
        if whole:
            break  # everything was said before it could be cut
    assert tries > 5
    assert subjects(empty) == [b"Hi"] * tries


@pytest.mark.feature_part("MAIL-05", "a mail of the system waits for the user's password")
def test_who_has_stored_no_password_gets_it_later(tmp_path: Path, empty: Dovecot) -> None:
    class Stored:
        password: str | None = None

        async def imap_password(self, user_id: str) -> str | None:
            return self.password

    stored, store = Stored(), imap_store(empty)
    one_server = OneServer(IMAP.server_at(empty.url, plaintext=True))
    doorman = Doorman(store.doorman.rules, one_server, stored, None)

    async def story(_one: Node, mailer: ImapMailer) -> None:
        with pytest.raises(DeliveryPostponed, match="anna has stored no password"):
            await mailer.send(MAIL, recipient_of(ANNA), message_id="<1@x>")
        stored.password = password_of("anna")
        await mailer.send(MAIL, recipient_of(ANNA), message_id="<1@x>")

    with_mailer(tmp_path, replace(store, doorman=doorman), story)
    assert subjects(empty) == [b"Hi"]


def test_somebody_who_is_no_user_needs_a_mail_server(tmp_path: Path, empty: Dovecot) -> None:
    async def story(_one: Node, mailer: ImapMailer) -> None:
        stranger = replace(recipient_of(ANNA), user_id="nobody")
        with pytest.raises(DeliveryRefused, match=r"no user nobody.*\[mail.smtp\]"):
            await mailer.send(MAIL, stranger, message_id="<1@x>")

    with_mailer(tmp_path, imap_store(empty), story)
