"""Mail servers as a site configures them: every way in, and every way of delivery."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.adapters.mailbox_contract import ANNA, ORDINARY_MAIL, message
from tests.adapters.smtp_server import PASSWORD, USER, Postbox, mail_server
from tests.cli.site import CliSite
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot, password_of
from tests.private_ca import PrivateCa
from vm_ari.adapters.imap.access import filled
from vm_ari.adapters.imap.mailer import ImapMailer
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.smtp import SmtpMailer
from vm_ari.adapters.store_mailer import StoreMailer
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import load
from vm_ari.domain.entries import IMAP_PASSWORD, Entry
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable, Mailer
from vm_ari.wiring.directories import open_register
from vm_ari.wiring.mail import open_post
from vm_ari.wiring.store import MessageStore, open_store

ONE_MAIL = Counts(new_other=1)
ACCOUNT = f'account = "{ADMIN}"\npassword = "{ADMIN_PASSWORD}"\n'
BERT = replace(ANNA, id="bert", name="Bert", mailbox="102", mail="bert@example.org")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: PrivateCa) -> Iterator[Dovecot]:
    """Anna and Bert have one mail each."""
    with dovecot("anna", "bert", identity=authority.identity()) as running:
        for user in running.users:
            with running.mail_program(user) as client:
                client.append("INBOX", ORDINARY_MAIL)
        yield running


@asynccontextmanager
async def site(base: Path, imap: str, more: str = "") -> AsyncIterator[MessageStore]:
    """As a controller has it; Anna has stored her password, Bert has not."""
    configured = CliSite(base)
    configured.configure(f'[store]\nkind = "imap"\n[imap]\n{imap}\n{more}')
    config = load(configured.config)
    keys = KeyRing(config.directory.keys)
    register = open_register(config, keys)
    if not await register.all_entries():
        sealed = keys.seal(password_of("anna"), owner="anna", attribute=IMAP_PASSWORD)
        anna = Entry("anna", "Anna", "101", mail=ANNA.mail, sealed={IMAP_PASSWORD: sealed})
        await register.add_entries([anna, Entry("bert", "Bert", "102", mail=BERT.mail)])
    store = open_store(config, keys, register, base)
    try:
        yield store
    finally:
        await store.close()
        await register.close()


async def counted(store: MessageStore, user: User) -> Counts:
    async with store.mailboxes.open(user) as box:
        return await box.counts()


@pytest.mark.feature("MAIL-01")
def test_every_protection_goes_with_every_access(
    tmp_path: Path, server: Dovecot, authority: PrivateCa
) -> None:
    protections = [
        f'server = "{server.tls_url}"\nca_file = "{authority.file}"\n',
        f'server = "{server.url}"\nca_file = "{authority.file}"\n',
        f'server = "{server.url}"\nplaintext = true\n',
    ]
    accesses = {
        "administrative": ACCOUNT,
        "individual": 'access = "individual"\n',
        "both": f'access = "both"\n{ACCOUNT}',
    }

    async def story(protection: str, access: str) -> None:
        async with site(tmp_path, protection + accesses[access]) as store:
            assert store.doorman
            assert await counted(store, ANNA) == ONE_MAIL
            as_anna = (await store.doorman.open(ANNA)).entrance.login.name
            assert as_anna == (ADMIN if access == "administrative" else "anna")
            if access == "individual":
                with pytest.raises(MailboxUnavailable, match="bert has stored no password"):
                    await counted(store, BERT)
            else:
                assert await counted(store, BERT) == ONE_MAIL

    for protection, access in itertools.product(protections, accesses):
        asyncio.run(story(protection, access))


@pytest.mark.feature("MAIL-02")
def test_an_administrator_gets_in_by_every_way(tmp_path: Path, server: Dovecot) -> None:
    ways = [
        'way = "acting-as"',
        'way = "alias"\nalias = "${LOGIN}*${ADMIN}"',
        'way = "other-users"',
        'way = "path"\npath = "user/${MAILBOX}/INBOX"',
    ]

    async def story(way: str) -> None:
        async with site(
            tmp_path, f'server = "{server.url}"\nplaintext = true\n{ACCOUNT}{way}'
        ) as s:
            assert [await counted(s, user) for user in (ANNA, BERT)] == [ONE_MAIL, ONE_MAIL]

    for way in ways:
        asyncio.run(story(way))
    names = {"LOGIN": "anna", "ADMIN": "admin"}
    assert filled("$(ADMIN)/$(LOGIN)", names) == "admin/anna"
    assert filled("$(ADMIN)*$(LOGIN)", names) == "admin*anna"


@pytest.mark.feature("MAIL-05")
@pytest.mark.parametrize("protection", ["starttls", "tls"])
def test_messages_are_delivered_by_append_and_by_smtp(
    tmp_path: Path, server: Dovecot, authority: PrivateCa, protection: str
) -> None:
    box, recording = Postbox(), tmp_path / "recording.wav"
    imap = f'server = "{server.url}"\nplaintext = true\n{ACCOUNT}'

    async def story() -> None:
        at_once, identity = protection == "tls", authority.identity()
        async with mail_server(box, identity, at_once=at_once, account=True) as port:
            smtp = (
                f'[mail.smtp]\nhost = "localhost"\nport = {port}\nsecurity = "{protection}"\n'
                f'user = "{USER}"\npassword = "{PASSWORD}"\nca_file = "{authority.file}"\n'
            )
            async with site(tmp_path, f'{imap}delivery = "smtp"\n', smtp) as store:
                await store.courier.deliver(message(recording, 1), ANNA)
                assert not await store.courier.has(message(recording, 1), ANNA), "not there yet"
        async with site(tmp_path, imap) as store:
            for _ in range(2):
                await store.courier.deliver(message(recording, 2), ANNA)
            assert await store.courier.has(message(recording, 2), ANNA)

    server.empty("anna")
    asyncio.run(story())
    [(_sender, [recipient], mail)] = box.mails
    assert recipient == ANNA.mail
    assert b"Message-ID: <0000000000000001@pbx.example>" in mail
    assert box.tls == [True]
    with server.mail_program("anna") as client:
        [found] = client.fetch(client.search(), ["ENVELOPE"]).values()
    assert found[b"ENVELOPE"].message_id == b"<0000000000000002@pbx.example>"


SMTP = '[mail.smtp]\nhost = "mail.example.org"\n'


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", StoreMailer),
        (SMTP, SmtpMailer),
        (f'[store]\nkind = "imap"\n[imap]\nserver = "imaps://h"\n{ACCOUNT}', ImapMailer),
        (f'[store]\nkind = "imap"\n[imap]\nserver = "imaps://h"\n{ACCOUNT}{SMTP}', SmtpMailer),
        (f'[store]\nmoving = true\n[imap]\nserver = "imaps://h"\n{ACCOUNT}', StoreMailer),
    ],
)
def test_mails_of_the_system_go_where_users_get_them(
    tmp_path: Path, text: str, kind: type[Mailer]
) -> None:
    configured = CliSite(tmp_path)
    configured.configure(f'[spool]\ndirectory = "{tmp_path}/vm-ari"\n{text}')
    config = load(configured.config)
    keys = KeyRing(config.directory.keys)

    async def story() -> None:
        register = open_register(config, keys)
        post = open_post(config, keys, SystemClock(), register, register)
        assert isinstance(post.mails._mailer, kind)
        await post.close()
        await register.close()

    asyncio.run(story())
