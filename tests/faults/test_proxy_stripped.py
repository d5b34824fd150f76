"""Somebody on the way to the servers takes STARTTLS out of what they say: nothing is told him."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adapters.imap_store import imap_store
from tests.adapters.ldap_people import PEOPLE, UserDirectory, person, unit
from tests.adapters.mailbox_contract import ANNA, message
from tests.adapters.smtp_server import PASSWORD as SMTP_PASSWORD
from tests.adapters.smtp_server import USER, Postbox, mail_server
from tests.dovecot import Dovecot, dovecot, password_of
from tests.private_ca import PrivateCa
from tests.proxy import Proxy, Way, proxy_to
from tests.slapd import PASSWORD, SERVICE, Slapd, slapd
from vm_ari.adapters.ldap.address import LDAP, Account
from vm_ari.adapters.ldap.directory import LdapSettings
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.smtp import SmtpMailer, SmtpSecurity, SmtpServer
from vm_ari.adapters.trust import trust
from vm_ari.domain.system_mails import Recipient
from vm_ari.ports import DeliveryPostponed, DirectoryUnavailable

NUMBER = "+498142479101"
MAIL = b"Subject: Secret\r\n\r\nThe word is open-sesame-77.\r\n"


@dataclass
class Servers:
    """All of them offer STARTTLS, with certificates that are good."""

    authority: PrivateCa
    directory: Slapd
    mail: Dovecot
    base: Path

    async def over_smtp(self, proxy: Proxy) -> None:
        """Send a mail with a secret."""
        server = SmtpServer(
            "localhost", proxy.port, SmtpSecurity.STARTTLS, USER, SMTP_PASSWORD, self.authority.file
        )
        await SmtpMailer(server, "v@example.org").send(
            MAIL, Recipient("anna", "101", "anna@example.org"), message_id="<1@x>"
        )

    async def over_imap(self, proxy: Proxy) -> None:
        """Deliver a message."""
        url = f"imap://localhost:{proxy.port}"
        store = imap_store(self.mail, url=url, context=trust(self.authority.file))
        try:
            await store.courier.deliver(message(self.base / "voice.wav"), ANNA)
        finally:
            await store.doorman.close()

    async def over_ldap(self, proxy: Proxy) -> None:
        """Look somebody up."""
        settings = LdapSettings(
            (LDAP.server_at(f"ldap://localhost:{proxy.port}"),),
            (PEOPLE,),
            Account(SERVICE, PASSWORD),
            ca_file=self.authority.file,
        )
        directory = UserDirectory(settings, KeyRing(self.base / "keys"))
        try:
            assert await directory.user_by_number(NUMBER)
        finally:
            await directory.close()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    base = tmp_path_factory.mktemp("stripped")
    authority = PrivateCa(base)
    entries = unit("people") + person("anna", vmAriNumber=NUMBER, vmAriMailbox="101")
    with ExitStack() as stack:
        directory = stack.enter_context(slapd(entries, identity=authority.identity()))
        mail = stack.enter_context(dovecot("anna", identity=authority.identity()))
        yield Servers(authority, directory, mail, base)


@pytest.mark.feature_part("MAIL-01", "a STARTTLS that somebody takes away")
@pytest.mark.parametrize("kind", ["smtp", "imap", "ldap"])
def test_nobody_on_the_way_hears_a_secret(servers: Servers, kind: str) -> None:
    async def story() -> None:
        box = Postbox()
        async with mail_server(box, servers.authority.identity(), account=True) as smtp_port:
            port, talk = {
                "smtp": (smtp_port, servers.over_smtp),
                "imap": (servers.mail.port, servers.over_imap),
                "ldap": (servers.directory.port, servers.over_ldap),
            }[kind]
            async with proxy_to(port) as proxy:
                await talk(proxy)  # he only listens, and TLS is there
                assert secrets_in(proxy) == []
                proxy.strips_tls = True
                with pytest.raises((DeliveryPostponed, DirectoryUnavailable)):
                    await talk(proxy)
                assert proxy.connections > 1
                assert secrets_in(proxy) == []
                proxy.heal()
                await talk(proxy)

    asyncio.run(story())


def secrets_in(proxy: Proxy) -> list[bytes]:
    """What somebody on the way can read in what we say."""
    heard = bytes(proxy.heard[Way.THERE])
    secrets = [
        PASSWORD,
        SERVICE,
        SMTP_PASSWORD,
        password_of("anna"),
        "open-sesame-77",
        "RIFF",
        "AUTH ",
    ]
    return [word.encode() for word in secrets if word.encode() in heard]
