"""What users send to colleagues whose mailboxes lie on a mail server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.imap_store import ADMINISTRATIVE, ImapStore, imap_store
from tests.adapters.mailbox_contract import ANNA
from tests.adapters.maildir_store import KEY, TEMPLATES
from tests.adapters.test_sent_mail import BERT, LETTER, message
from tests.dovecot import dovecot
from vm_ari.adapters.imap.access import Way
from vm_ari.adapters.imap.courier import ImapCourier
from vm_ari.adapters.sent_mail import SentMailWriter
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.numbers import Site
from vm_ari.domain.sending import Errand


@pytest.fixture
def store() -> Iterator[ImapStore]:
    with dovecot("anna") as server:
        yield imap_store(server, ADMINISTRATIVE[Way.ACTING_AS.value])


@pytest.mark.parametrize("words", [True, False])
def test_a_forwarded_mail_arrives_once_and_as_what_it_is(
    store: ImapStore, tmp_path: Path, words: bool
) -> None:
    writer = SentMailWriter("voicemail@example.org", TEMPLATES, Site(), key=KEY)
    courier = ImapCourier(store.doorman, writer)
    sent = message(tmp_path, Errand.FORWARD, kind=MessageKind.MAIL, original=LETTER, words=words)

    async def story() -> None:
        assert not await courier.has(sent, ANNA)
        for _ in range(2):
            await courier.deliver(sent, ANNA)
        assert await courier.has(sent, ANNA)
        async with store.mailboxes.open(ANNA) as box:
            voice = await box.messages(MessageKind.VOICE, new=True)
            mails = await box.messages(MessageKind.MAIL, new=True)
            assert (len(voice), len(mails)) == (words, not words)
            for one in voice:
                assert (one.caller, one.genuine) == (BERT, True)
        await store.doorman.close()

    asyncio.run(story())
