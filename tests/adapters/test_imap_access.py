"""As whom and over which connection a mailbox is opened; and who is never told a password."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.adapters.imap_store import BOTH, INDIVIDUAL, PATIENT, ImapStore, imap_store
from tests.adapters.mailbox_contract import ANNA, ORDINARY_MAIL
from tests.dovecot import ADMIN, ADMIN_PASSWORD, TOKEN_KEY, Dovecot, dovecot, password_of
from tests.imap_proxy import ImapProxy, imap_proxy
from tests.private_ca import PrivateCa
from vm_ari.adapters.imap.access import Access, Administrator, OwnLogin, Way
from vm_ari.adapters.imap.address import IMAP
from vm_ari.adapters.imap.doorman import Doorman, Rules
from vm_ari.adapters.imap.logins import TokenCommand, TokenFile, TokenSource
from vm_ari.adapters.imap.mailbox import ImapMailboxes
from vm_ari.adapters.imap.server_choice import OneServer
from vm_ari.adapters.trust import trust
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, MailboxUnavailable

ONE_MAIL = Counts(new_other=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> PrivateCa:
    return PrivateCa(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def server(authority: PrivateCa) -> Iterator[Dovecot]:
    """Anna has one mail, and nobody else has any."""
    with dovecot("anna", "bert", identity=authority.identity()) as running:
        with running.mail_program("anna") as client:
            client.append("INBOX", ORDINARY_MAIL)
        yield running


@pytest.fixture
def proxy(server: Dovecot) -> Iterator[ImapProxy]:
    with imap_proxy(server.port) as running:
        yield running


def counted(store: ImapStore, user: User = ANNA) -> Counts:
    async def story() -> Counts:
        try:
            async with store.mailboxes.open(user) as box:
                return await box.counts()
        finally:
            await store.doorman.close()

    return asyncio.run(story())


@pytest.mark.feature_part("MAIL-01", "IMAPS and STARTTLS, verified")
@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_a_protected_connection_is_used_with_the_right_authority(
    server: Dovecot, authority: PrivateCa, scheme: str
) -> None:
    url = server.tls_url if scheme == "imaps" else server.url
    assert counted(imap_store(server, url=url, context=trust(authority.file))) == ONE_MAIL


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_a_server_of_another_authority_is_not_told_anything(
    server: Dovecot, tmp_path: Path, scheme: str
) -> None:
    url = server.tls_url if scheme == "imaps" else server.url
    store = imap_store(server, url=url, context=trust(PrivateCa(tmp_path, "Other CA").file))
    with pytest.raises(MailboxUnavailable, match="certificate is not accepted"):
        counted(store)


def test_a_server_of_another_name_is_not_told_anything(authority: PrivateCa) -> None:
    with dovecot("anna", identity=authority.identity("mail.example.org")) as other:
        store = imap_store(other, url=other.tls_url, context=trust(authority.file))
        with pytest.raises(MailboxUnavailable, match="certificate is not accepted"):
            counted(store)


def test_an_expired_certificate_is_not_accepted(authority: PrivateCa) -> None:
    old = authority.identity(valid=timedelta(days=-1))
    with dovecot("anna", identity=old) as expired:
        store = imap_store(expired, url=expired.tls_url, context=trust(authority.file))
        with pytest.raises(MailboxUnavailable, match="expired"):
            counted(store)


def test_a_server_without_starttls_is_not_told_anything(authority: PrivateCa) -> None:
    with dovecot("anna") as plain, imap_proxy(plain.port) as proxy:
        store = imap_store(plain, url=proxy.url, context=trust(authority.file))
        with pytest.raises(MailboxUnavailable, match="does not offer STARTTLS: use imaps://"):
            counted(store)
        said = b" ".join(proxy.plan.commands)
    assert said.strip() == b"CAPABILITY"


def test_plain_imap_is_used_only_when_it_is_asked_for(server: Dovecot) -> None:
    assert IMAP.server_at("imap://h").security.name == "START_TLS"
    assert counted(imap_store(server)) == ONE_MAIL


@pytest.mark.parametrize(
    "alias", ["${LOGIN}*${ADMIN}", "$(LOGIN)*$(ADMIN)"], ids=["braces", "brackets"]
)
def test_an_alias_login_is_made_by_a_template(server: Dovecot, alias: str) -> None:
    access = Access(Administrator(ADMIN, ADMIN_PASSWORD, Way.ALIAS, alias=alias))
    assert counted(imap_store(server, access)) == ONE_MAIL


def test_the_slash_form_of_an_alias_login() -> None:
    """``admin/user``: a server that wants the administrator first, with a slash."""
    settings = "auth_master_user_separator = /\n"
    with dovecot("anna", settings=settings) as slashed:
        with slashed.mail_program("anna") as client:
            client.append("INBOX", ORDINARY_MAIL)
        access = Access(Administrator(ADMIN, ADMIN_PASSWORD, Way.ALIAS, alias="${LOGIN}/${ADMIN}"))
        assert counted(imap_store(slashed, access)) == ONE_MAIL


class Stored:
    """What users have stored, or a directory that is away."""

    def __init__(self, passwords: dict[str, str], *, away: bool = False) -> None:
        self.passwords = passwords
        self.away = away

    async def imap_password(self, user_id: str) -> str | None:
        if self.away:
            raise DirectoryUnavailable("away")
        return self.passwords.get(user_id)


_DOORMEN: list[Doorman] = []


@pytest.fixture(autouse=True)
def _closed_afterwards() -> Iterator[None]:
    yield
    while _DOORMEN:
        asyncio.run(_DOORMEN.pop().close())


def mailboxes_with(url: str, access: Access, stored: Stored) -> tuple[Doorman, ImapMailboxes]:
    """Closed at the end of the test."""
    server = OneServer(IMAP.server_at(url, plaintext=True))
    doorman = Doorman(Rules(access, patience=PATIENT), server, stored, None)
    _DOORMEN.append(doorman)
    return doorman, ImapMailboxes(doorman)


async def look(boxes: ImapMailboxes, user: User = ANNA) -> Counts:
    async with boxes.open(user) as box:
        return await box.counts()


@pytest.mark.feature_part("MAIL-01", "with both, individual wins where a password is stored")
def test_with_both_ways_the_own_password_wins_where_there_is_one(proxy: ImapProxy) -> None:
    async def story(stored: Stored) -> str:
        proxy.plan.commands.clear()
        doorman, boxes = mailboxes_with(proxy.url, BOTH, stored)
        assert await look(boxes) == ONE_MAIL
        return _as_whom((await doorman.open(ANNA)).entrance.login.key)

    def _as_whom(key: str) -> str:
        return key.replace("\0", " for ").removesuffix(" for ")

    assert asyncio.run(story(Stored({"anna": password_of("anna")}))) == "anna"
    assert asyncio.run(story(Stored({}))) == f"{ADMIN} for anna"
    away = Stored({}, away=True)
    assert asyncio.run(story(away)) == f"{ADMIN} for anna", "the administrator needs no directory"


def test_without_a_password_individual_access_says_what_is_missing(server: Dovecot) -> None:
    _, boxes = mailboxes_with(server.url, INDIVIDUAL, Stored({}))
    with pytest.raises(MailboxUnavailable, match="anna has stored no password"):
        asyncio.run(look(boxes))


def test_a_refused_password_is_not_tried_again_until_it_changes(proxy: ImapProxy) -> None:
    stored = Stored({"anna": "wrong"})

    async def story() -> None:
        _, boxes = mailboxes_with(proxy.url, INDIVIDUAL, stored)
        for _ in range(3):
            with pytest.raises(MailboxUnavailable, match="Authentication failed"):
                await look(boxes)
        assert tries(proxy) == 1
        stored.passwords["anna"] = password_of("anna")
        assert await look(boxes) == ONE_MAIL
        assert tries(proxy) == 2

    asyncio.run(story())


def tries(proxy: ImapProxy) -> int:
    return sum(command.startswith(b"AUTHENTICATE") for command in proxy.plan.commands)


def test_one_users_wrong_password_does_not_keep_others_out(server: Dovecot) -> None:
    bert = replace(ANNA, id="bert")
    stored = Stored({"anna": "wrong", "bert": password_of("bert")})

    async def story() -> None:
        _, boxes = mailboxes_with(server.url, INDIVIDUAL, stored)
        with pytest.raises(MailboxUnavailable):
            await look(boxes)
        assert await look(boxes, bert) == Counts()

    asyncio.run(story())


@pytest.mark.parametrize("login", ["anna\r\nA1 LOGOUT", "anna\n", "an\0na", "\x7f"])
@pytest.mark.parametrize("poor", [False, True])
def test_a_name_that_would_be_a_command_is_never_sent(
    proxy: ImapProxy, login: str, poor: bool
) -> None:
    proxy.plan.poor = poor
    user = replace(ANNA, id=login)
    _, boxes = mailboxes_with(proxy.url, INDIVIDUAL, Stored({login: "x"}))
    with pytest.raises(MailboxUnavailable, match="control characters; nothing was sent"):
        asyncio.run(look(boxes, user))
    assert tries(proxy) == 0


@pytest.mark.parametrize("mailbox", ["../bert", "*", "%", "a/b", 'a"b', "..", "a\r\nb"])
@pytest.mark.parametrize("way", [Way.OTHER_USERS, Way.PATH])
def test_a_mailbox_name_from_the_directory_leads_nowhere_else(
    server: Dovecot, way: Way, mailbox: str
) -> None:
    access = Access(Administrator(ADMIN, ADMIN_PASSWORD, way))
    user = replace(ANNA, mail=f"{mailbox}@example.org")
    with pytest.raises(MailboxUnavailable, match="cannot be the name of a mailbox"):
        counted(imap_store(server, access), user)


def test_a_mailbox_that_the_administrator_may_not_open_is_unavailable(server: Dovecot) -> None:
    without_rights = Administrator("bert", password_of("bert"), Way.OTHER_USERS)
    with pytest.raises(MailboxUnavailable, match="exist"):
        counted(imap_store(server, Access(without_rights)))


# --- tokens


def token_for(user: str, *, key: bytes = TOKEN_KEY, valid: float = 3600.0) -> str:
    """A JSON web token as an identity provider makes it."""

    def coded(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    head = coded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    claims = {"sub": user, "exp": int(time.time() + valid), "iat": int(time.time()) - 10}
    body = f"{head}.{coded(json.dumps(claims).encode())}"
    return f"{body}.{coded(hmac.digest(key, body.encode(), hashlib.sha256))}"


def by_token(server: Dovecot, source: TokenSource) -> Counts:
    _, boxes = mailboxes_with(server.url, Access(own=OwnLogin(tokens=source)), Stored({}))
    return asyncio.run(look(boxes))


@pytest.mark.feature("MAIL-03")
@pytest.mark.parametrize("kind", ["file", "command"])
def test_a_token_opens_the_mailbox(server: Dovecot, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "anna.token"
    file.write_text(token_for("anna") + "\n")
    source: TokenSource = TokenFile(str(tmp_path / "{login}.token"))
    if kind == "command":
        source = TokenCommand(("cat", str(tmp_path / "{login}.token")))
    assert by_token(server, source) == ONE_MAIL


@pytest.mark.parametrize(
    "token", [token_for("anna", key=b"x" * 32), token_for("anna", valid=-60), token_for("bert")]
)
def test_a_token_that_is_false_or_old_or_somebody_elses_opens_nothing(
    server: Dovecot, tmp_path: Path, token: str
) -> None:
    file = tmp_path / "token"
    file.write_text(token)
    with pytest.raises(MailboxUnavailable) as caught:
        by_token(server, TokenFile(str(file)))
    assert token not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (TokenFile("/nowhere/{login}"), "token file /nowhere/anna"),
        (TokenCommand(("false",)), "the command false gave no token"),
        (TokenCommand(("nowhere-to-be-found",)), "gave no token: FileNotFoundError"),
        (TokenCommand(("echo",)), "what was given as a token is none"),
        (TokenCommand(("printf", "a b")), "what was given as a token is none"),
    ],
)
def test_where_no_token_comes_from_it_is_said(
    server: Dovecot, source: TokenSource, complaint: str
) -> None:
    with pytest.raises(MailboxUnavailable, match=complaint):
        by_token(server, source)
