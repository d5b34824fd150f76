"""The mistakes of docs/mistakes.md with directory and mail servers, on real ones (MAIL-07)."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest

from tests.adapters.ldap_people import person, unit
from tests.adapters.smtp_server import PASSWORD as MAIL_PASSWORD
from tests.adapters.smtp_server import USER, Postbox
from tests.cli.ldap_site import ldap_table
from tests.cli.site import CliSite
from tests.cli.test_check_parts import sending
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from tests.mistakes import compare, problems, said
from tests.patience import AT_MOST
from tests.private_ca import Identity, PrivateCa
from tests.slapd import PASSWORD, READER, SUFFIX, Slapd, slapd

pytestmark = pytest.mark.feature_part("MAIL-07", "each mistake has one line with its next step")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


# --- directory


@pytest.fixture(scope="module")
def directory(authority: PrivateCa) -> Iterator[Slapd]:
    people = {"anna": 101, "bert": 102, "carl": 102}
    entries = (person(one, telephoneNumber=f"+49 30 555-{ends}") for one, ends in people.items())
    with slapd(unit("people") + "".join(entries), identity=authority.identity()) as running:
        yield running


def on_ldap(site: CliSite, server: Slapd, authority: PrivateCa, more: str = "") -> CliSite:
    """As it should be, but for *more*: a line of the configuration for each key."""
    table = ldap_table(site.base, server.tls_url, more=f'ca_file = "{authority.file}"\n')
    table = table.replace("plaintext = true\n", "")
    for line in more.splitlines():
        key = line.partition(" = ")[0]
        kept = [one for one in table.splitlines() if not one.startswith(f"{key} = ")]
        table = "\n".join([*kept, *([line] if line.partition(" = ")[2] else [])]) + "\n"
    site.configure(table)
    return site


LDAP = {
    "A directory server that is away": 'servers = ["ldaps://localhost:9"]',
    "A base that does not exist": f'bases = ["ou=persons,{SUFFIX}"]',
    "A base with nobody in it": f'bases = ["cn=vm-ari,{SUFFIX}"]',
    "An account that the directory does not know": f'account = "cn=nobody,{SUFFIX}"',
    "An account that may not write": f'account = "{READER}"',
    "A search for an attribute without an equality rule": (
        'number_filter = "(jpegPhoto=${NUMBER})"'
    ),
    "An authority that is not named": "ca_file = ",
}


@pytest.mark.parametrize("title", LDAP)
def test_mistakes_with_a_directory(
    site: CliSite, directory: Slapd, authority: PrivateCa, title: str
) -> None:
    line = said(on_ldap(site, directory, authority, LDAP[title]), "directory")
    assert PASSWORD not in line.what
    compare("Directory", title, line)


def test_a_wrong_password_of_the_directory(
    site: CliSite, directory: Slapd, authority: PrivateCa
) -> None:
    on_ldap(site, directory, authority)
    (site.base / "ldap-password").write_text("veiled\n")
    line = said(site, "directory")
    assert "veiled" not in line.what
    compare("Directory", "A wrong password", line)


def test_no_protection(site: CliSite, directory: Slapd) -> None:
    site.configure(ldap_table(site.base, directory.url))
    line = said(site, "directory", code=1)
    compare("Directory", "A directory without TLS", line)


def test_a_number_of_two_users(site: CliSite, directory: Slapd, authority: PrivateCa) -> None:
    on_ldap(site, directory, authority)
    site.run("users", "set", "bert", "fax_numbers=+4930555102")
    away, line = problems(site, "asterisk,faxes", code=4)
    assert away.what.startswith("Asterisk does not answer")
    compare("Services", "A fax number that two users have", line)


# --- mailboxes


@pytest.fixture(scope="module")
def mailboxes(authority: PrivateCa) -> Iterator[Dovecot]:
    settings = "disable_plaintext_auth = yes\nauth_failure_delay = 0\n"
    with dovecot("anna", identity=authority.identity(), settings=settings) as running:
        yield running


def on_imap(site: CliSite, url: str, more: str) -> CliSite:
    site.configure(f'[store]\nkind = "imap"\n[imap]\nserver = "{url}"\n{more}')
    site.run("users", "add", "anna", "mail=anna@example.org", "--number", "101")
    return site


def account(name: str = ADMIN, password: str = ADMIN_PASSWORD) -> str:
    return f'account = "{name}"\npassword = "{password}"\n'


def test_mistakes_with_a_mail_server(
    site: CliSite, mailboxes: Dovecot, authority: PrivateCa
) -> None:
    trusted = f'ca_file = "{authority.file}"\n'
    line = said(on_imap(site, "imaps://localhost:9", trusted + account()), "imap", code=4)
    compare("Mail servers", "A mail server that is away", line)
    site.configure()
    url = mailboxes.tls_url

    def with_table(server: str, more: str) -> CliSite:
        site.configure(f'[store]\nkind = "imap"\n[imap]\nserver = "{server}"\n{more}')
        return site

    line = said(with_table(url, trusted + account(password="veiled")), "imap")
    assert "veiled" not in line.what
    compare("Mail servers", "A wrong password of the mail administrator", line)
    line = said(with_table(url, account()), "imap")
    compare("Mail servers", "An authority of mail servers that is not named", line)
    acl = mailboxes.base / "acl"
    before = acl.read_text()
    acl.write_text(f"* user={ADMIN} lrs\n* owner lrwstipekxa\n")
    try:
        line = said(with_table(url, f'{trusted}way = "other-users"\n{account()}'), "imap")
    finally:
        acl.write_text(before)
    compare("Mail servers", "A mail administrator without rights in mailboxes", line)
    line = said(with_table(url, f'{trusted}way = "acting-as"\n{account("anna", "x")}'), "imap")
    compare("Mail servers", "An account that is no administrator", line)


@contextmanager
def from_another_machine(port: int) -> Iterator[int]:
    """A way to that port of ours which the server takes for one of another machine."""
    entrance, started, stop = 0, threading.Event(), asyncio.Event()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        away = ("127.0.0.2", 0)
        there = await asyncio.open_connection("127.0.0.1", port, local_addr=away)
        await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))

    async def serve() -> None:
        nonlocal entrance
        async with await asyncio.start_server(forward, "127.0.0.1", 0) as server:
            entrance = server.sockets[0].getsockname()[1]
            started.set()
            await stop.wait()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert started.wait(AT_MOST)
    yield entrance
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(10_000):
            writer.write(data)
            await writer.drain()
    writer.close()


def test_a_login_that_needs_tls(site: CliSite, mailboxes: Dovecot) -> None:
    with from_another_machine(mailboxes.port) as port:
        plain = f"imap://localhost:{port}"
        line = said(on_imap(site, plain, f"plaintext = true\n{account()}"), "imap")
    compare("Mail servers", "A login that the server takes over TLS only", line)


# --- sending


def on_smtp(
    site: CliSite, authority: PrivateCa, port: int, more: str = "", host: str = "localhost"
) -> CliSite:
    site.configure(
        '[mail]\nsender = "voicemail@example.org"\n[mail.smtp]\n'
        f'host = "{host}"\nport = {port}\nca_file = "{authority.file}"\n'
        f'called = "pbx.example.org"\n{more}'
    )
    return site


SMTP = {
    "A relay that refuses our mails": ("554 5.7.1 relay access denied", "", ""),
    "A sender that the server does not take": ("", "553 5.7.1 sender not owned", ""),
    "A wrong password for sending": ("", "", f'user = "{USER}"\npassword = "veiled"\n'),
}


@pytest.mark.parametrize("title", SMTP)
def test_mistakes_with_sending(site: CliSite, authority: PrivateCa, title: str) -> None:
    to_recipient, to_sender, more = SMTP[title]
    box = Postbox(to_recipient=to_recipient, to_sender=to_sender)
    with sending(box, authority.identity(), account=bool(more)) as port:
        line = said(on_smtp(site, authority, port, more), "smtp")
    assert "veiled" not in line.what
    assert MAIL_PASSWORD not in line.what
    compare("Mail servers", title, line)


CERTIFICATES = {
    "A certificate that has expired": (timedelta(days=-3), "localhost"),
    "A certificate that ends soon": (timedelta(days=5, hours=1), "localhost"),
    "A certificate of another name": (timedelta(days=30), "mail.example.net"),
}


@pytest.mark.parametrize("title", CERTIFICATES)
def test_certificates(site: CliSite, authority: PrivateCa, title: str) -> None:
    valid, name = CERTIFICATES[title]
    identity: Identity = authority.identity(name, valid=valid)
    with sending(Postbox(), identity) as port:
        line = said(on_smtp(site, authority, port), "smtp")
    compare("Mail servers", title, line)


def test_no_sending_server_and_none_with_starttls(site: CliSite, authority: PrivateCa) -> None:
    line = said(on_smtp(site, authority, 9), "smtp")
    compare("Mail servers", "A server for sending that is away", line)
    with sending(Postbox(), None) as port:
        line = said(on_smtp(site, authority, port), "smtp")
    compare("Mail servers", "A server for sending without STARTTLS", line)
