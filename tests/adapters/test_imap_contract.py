"""The promises of every message store, kept by a real mail server in each way of access."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.adapters.imap_store import WAYS, ImapStore, imap_store
from tests.adapters.mailbox_contract import MailboxContract
from tests.dovecot import Dovecot, dovecot
from tests.imap_proxy import imap_proxy


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "bert") as running:
        yield running


@pytest.mark.feature_part("MAIL-01", "administrative, individual and both")
@pytest.mark.feature_part("MAIL-02", "every way, as far as mailboxes are concerned")
class TestImap(MailboxContract):
    """The contract on Dovecot."""

    @pytest.fixture(params=WAYS)
    def store(self, request: pytest.FixtureRequest, server: Dovecot) -> Iterator[ImapStore]:
        for user in ("anna", "bert"):
            server.empty(user)
            with server.mail_program(user):
                pass  # others see a mailbox only after its owner had it made
        made = imap_store(server, WAYS[request.param])
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
