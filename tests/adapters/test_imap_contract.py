"""The promises of every message store, kept by a real mail server in each way of access."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.imap_store import WAYS, ImapStore, imap_store
from tests.adapters.mailbox_contract import MailboxContract
from tests.adapters.test_imap_access import token_for
from tests.dovecot import Dovecot, dovecot
from tests.imap_proxy import imap_proxy
from vm_ari.adapters.imap.access import Access, OwnLogin
from vm_ari.adapters.imap.logins import TokenFile

TOKEN = "token"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as running:
        yield running


def by_token(base: Path) -> Access:
    """Everybody has a valid one."""
    for user in ("anna", "bert"):
        (base / f"{user}.token").write_text(token_for(user) + "\n")
    return Access(own=OwnLogin(tokens=TokenFile(str(base / "{login}.token"))))


@pytest.mark.feature_part("STORE-01", "the same promises over Maildir and mail server")
@pytest.mark.feature_part("MAIL-01", "administrative, individual and both")
@pytest.mark.feature_part("MAIL-02", "every way, as far as mailboxes are concerned")
class TestImap(MailboxContract):
    """The contract on Dovecot."""

    @pytest.fixture(params=[*WAYS, TOKEN])
    def store(
        self, request: pytest.FixtureRequest, server: Dovecot, tmp_path: Path
    ) -> Iterator[ImapStore]:
        for user in ("anna", "bert"):
            server.empty(user)
            with server.mail_program(user):
                pass  # others see a mailbox only after its owner had it made
        access = by_token(tmp_path) if request.param == TOKEN else WAYS[request.param]
        made = imap_store(server, access)
        yield made
        asyncio.run(made.doorman.close())


class TestPoorServer(MailboxContract):
    """The contract on a server that can do what RFC 3501 demands, and nothing else."""

    @pytest.fixture
    def store(self, server: Dovecot) -> Iterator[ImapStore]:
        for user in ("anna", "bert"):
            server.empty(user)
        with imap_proxy(server.port) as proxy:
            proxy.plan.poor = True
            made = imap_store(server, WAYS["individual"], url=proxy.url)
            yield made
            said = b" ".join(proxy.plan.commands)
            for extra in (b"MOVE", b"ESEARCH", b"EXPUNGE", b"NAMESPACE", b"ENABLE", b"$Voice"):
                assert extra not in said
            asyncio.run(made.doorman.close())
