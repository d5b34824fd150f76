"""Mail servers that refer us to another one: followed where the site allows it (MAIL-04)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from tests.adapters.imap_store import INDIVIDUAL, PATIENT, OwnPasswords
from tests.adapters.mailbox_contract import ANNA, ORDINARY_MAIL
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot, password_of
from tests.imap_proxy import ImapProxy, imap_proxy
from vm_ari.adapters.imap import doorman as doorman_module
from vm_ari.adapters.imap.access import Access, Administrator, NoAccess, Way
from vm_ari.adapters.imap.address import IMAP, Chosen
from vm_ari.adapters.imap.doorman import Doorman, Rules
from vm_ari.adapters.imap.errors import Referred, refusal
from vm_ari.adapters.imap.mailbox import ImapMailboxes
from vm_ari.adapters.imap.referrals import Signposts
from vm_ari.adapters.imap.server_choice import OneServer
from vm_ari.adapters.imap.server_rule import BySetting
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import Security
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable

T = TypeVar("T")

BERT = replace(ANNA, id="bert", mail="bert@example.org")
CARLA = replace(ANNA, id="carla", mail="carla@example.org")
ONE_MAIL, NOTHING = Counts(new_other=1), Counts()
ACTING = Access(Administrator(ADMIN, ADMIN_PASSWORD, Way.ACTING_AS))


@pytest.fixture(scope="module")
def home() -> Iterator[Dovecot]:
    """The server that has the mailboxes of Anna and Carla."""
    with dovecot("anna", "carla") as running:
        for name in ("anna", "carla"):
            with running.mail_program(name) as client:
                client.append("INBOX", ORDINARY_MAIL)
        yield running


@pytest.fixture(scope="module")
def usual(home: Dovecot) -> Iterator[Dovecot]:
    """Bert's; it knows where Anna's mailbox is. Carla had hers here."""
    elsewhere = f"nologin=y host=localhost port={home.port}"
    referred = f"anna:{{PLAIN}}{password_of('anna')}::::::{elsewhere}\n"
    with dovecot("bert", "carla", nologin=referred) as running:
        yield running


@pytest.fixture
def proxy(usual: Dovecot) -> Iterator[ImapProxy]:
    with imap_proxy(usual.port) as running:
        yield running


def on(
    port: int,
    story: Callable[[ImapMailboxes], Awaitable[T]],
    access: Access = INDIVIDUAL,
    hosts: Sequence[str] = ("localhost",),
) -> T:
    """Run a story on mailboxes that are looked for on the server of that port."""

    async def run() -> T:
        there = OneServer(Server("localhost", port, Security.NONE))
        rules = Rules(access, patience=PATIENT, hosts=hosts)
        doorman = Doorman(rules, there, OwnPasswords(), None)
        try:
            return await story(ImapMailboxes(doorman))
        finally:
            await doorman.close()

    return asyncio.run(run())


async def look(boxes: ImapMailboxes, user: User = ANNA) -> Counts:
    async with boxes.open(user) as box:
        return await box.counts()


@pytest.mark.feature_part("MAIL-04", "referral at the login, with the login name kept")
@pytest.mark.parametrize("access", [INDIVIDUAL, ACTING], ids=["individual", "acting-as"])
def test_a_referral_is_followed_and_remembered(
    home: Dovecot, proxy: ImapProxy, access: Access
) -> None:
    async def story(boxes: ImapMailboxes) -> None:
        for _ in range(3):
            assert await look(boxes) == ONE_MAIL
        assert await look(boxes, BERT) == NOTHING, "others are where they were"
        logins = [said for said in proxy.plan.commands if said.startswith(b"AUTHENTICATE")]
        assert len(logins) == 2, "Anna's first one and Bert's"

    on(proxy.port, story, access)


@pytest.mark.feature_part("MAIL-04", "referrals only to servers that the site allows")
@pytest.mark.parametrize("hosts", [(), ("*.example.org", "127.0.0.1")])
def test_a_referral_to_somebody_elses_server_gets_no_password(
    usual: Dovecot, home: Dovecot, hosts: Sequence[str]
) -> None:
    with pytest.raises(MailboxUnavailable, match="localhost is not among the allowed ones"):
        on(usual.port, look, hosts=hosts)


def test_servers_that_refer_us_in_a_circle_are_left(proxy: ImapProxy) -> None:
    again = b"[REFERRAL imap://anna@localhost:%d/] go" % proxy.port

    def refer(said: bytes) -> bytes:
        return said.partition(b"NO [")[0] + b"NO " + again + b"\r\n" if b"NO [" in said else said

    proxy.plan.rewrite = refer
    with pytest.raises(MailboxUnavailable, match="refer us to each other without an end"):
        on(proxy.port, look)


def test_referrals_to_ever_other_servers_come_to_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each server that we know has threads of its own."""
    monkeypatch.setattr(doorman_module, "MOST_SERVERS", 3)
    rules = Rules(INDIVIDUAL, patience=PATIENT)

    async def story() -> None:
        for number in range(3):
            there = OneServer(Server(f"s{number}.example.org", 993))
            doorman._servers = there
            assert (await doorman.open(ANNA)).pool.server == there.server
        doorman._servers = OneServer(Server("s3.example.org", 993))
        door = await doorman.open(ANNA)
        with pytest.raises(MailboxUnavailable, match="one mail server too many"):
            await door.run(lambda session: session.namespace)
        await doorman.close()

    doorman = Doorman(rules, OneServer(HERE), OwnPasswords(), None)
    asyncio.run(story())


def test_a_referral_that_is_wrong_by_now_is_forgotten(home: Dovecot, proxy: ImapProxy) -> None:
    """The mailbox was moved again while connections to its last place were idle."""
    with imap_proxy(home.port) as moved:

        def refer(said: bytes) -> bytes:
            return said.replace(b":%d/" % home.port, b":%d/" % moved.port)

        proxy.plan.rewrite = refer

        async def story(boxes: ImapMailboxes) -> None:
            assert await look(boxes) == ONE_MAIL
            moved.shutdown()
            moved.server_close()
            moved.cut()
            proxy.plan.rewrite = None
            with pytest.raises(MailboxUnavailable):
                await look(boxes)
            assert await look(boxes) == ONE_MAIL

        on(proxy.port, story)


@pytest.mark.feature_part("MAIL-04", "referral of a mailbox (RFC 2193)")
def test_a_folder_that_is_elsewhere_is_opened_there(home: Dovecot, proxy: ImapProxy) -> None:
    """The login succeeds, and SELECT is refused with the address."""
    elsewhere = b"NO [REFERRAL imap://localhost:%d/INBOX] moved" % home.port

    def refer(said: bytes) -> bytes:
        if b"[READ-WRITE]" not in said:
            return said
        return said.split(b"\r\n")[-2].split(b" ")[0] + b" " + elsewhere + b"\r\n"

    proxy.plan.rewrite = refer

    async def story(boxes: ImapMailboxes) -> None:
        for _ in range(2):
            assert await look(boxes, CARLA) == ONE_MAIL

    on(proxy.port, story)


# --- without a server

HERE = Server("mail.example.org", 993, Security.TLS)


@pytest.mark.parametrize(
    ("answer", "there"),
    [
        ("imap://anna;AUTH=PLAIN@b.example.org/", Server("b.example.org", 993)),
        ("imap://b.example.org/INBOX", Server("b.example.org", 993)),
        ("imap://;AUTH=*@b.example.org:1993/", Server("b.example.org", 1993)),
        ("imap://b.example.org:143", Server("b.example.org", 143, Security.START_TLS)),
    ],
)
def test_the_next_server_is_protected_as_the_first(answer: str, there: Server) -> None:
    referral = refusal(HERE, Exception(f"[REFERRAL {answer}] Try elsewhere."))
    assert isinstance(referral, Referred)
    assert Signposts(["*.example.org"]).follow("anna", HERE, referral) == there


@pytest.mark.parametrize(
    "answer",
    ["imap://evil.net/", "imap://x@evil.net:143/", "imap://b.example.org@evil.net/"],
)
def test_where_a_referral_leads_is_what_is_checked(answer: str) -> None:
    referral = refusal(HERE, Exception(f"[REFERRAL {answer}] Try elsewhere."))
    assert isinstance(referral, Referred)
    with pytest.raises(NoAccess, match="not among the allowed ones"):
        Signposts(["*.example.org"]).follow("anna", HERE, referral)


@pytest.mark.parametrize("answer", ["imap:///x", "http://b/", "imap://b c/", "imap://[::1]/"])
def test_an_address_that_cannot_be_read_is_an_ordinary_refusal(answer: str) -> None:
    assert not isinstance(refusal(HERE, Exception(f"[REFERRAL {answer}] no")), Referred)


@pytest.mark.feature_part("MAIL-04", "per user, only to servers that the site allows")
def test_a_users_setting_names_the_server() -> None:
    choice = BySetting(
        IMAP.server_at("imaps://mail.example.org"), ["*.example.org"], OneServer(HERE)
    )

    def of(setting: str) -> Chosen:
        return asyncio.run(choice.server_of(replace(ANNA, imap_server=setting)))

    assert of("") == Chosen(HERE)
    own = "the setting imap_server"
    assert of("b.example.org") == Chosen(Server("b.example.org", 993), own)
    assert of("b.example.org:1993") == Chosen(Server("b.example.org", 1993), own)
    with pytest.raises(NoAccess, match=r"evil\.net is not among the allowed ones"):
        of("evil.net")
