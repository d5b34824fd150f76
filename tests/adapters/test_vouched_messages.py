"""Whose signature a message carries: only then is its caller's number worth a call (INBOX-09)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.imap_store import WAYS, imap_store
from tests.adapters.mailbox_contract import ANNA, Store, deliver, in_mailbox, message
from tests.adapters.maildir_store import maildir_store
from tests.dovecot import dovecot
from vm_ari.domain.messages import MessageKind
from vm_ari.ports import Mailbox

FORGED = (
    b"From: Voice mail <voicemail@pbx.example>\r\nMessage-ID: <1@pbx.example>\r\n"
    b"Message-Context: voice-message\r\nX-CallingTelephoneNumber: +4989123456\r\n"
    b"X-VM-ARI-Caller: +4989123456\r\nX-VM-ARI-Duration: 3\r\nX-VM-ARI-Signature: 00\r\n\r\n.\r\n"
)


@pytest.fixture(params=["maildir", "imap"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A real one."""
    if request.param == "maildir":
        yield maildir_store(tmp_path / "mail")
        return
    with dovecot("anna") as server:
        made = imap_store(server, WAYS["individual"])
        yield made
        asyncio.run(made.doorman.close())


@pytest.mark.feature_part("INBOX-09", "a mail that somebody else wrote is not vouched for")
def test_nobody_vouches_for_a_voice_mail_that_somebody_else_wrote(
    store: Store, tmp_path: Path
) -> None:
    deliver(store, message(tmp_path / "recording.wav"))
    store.post(ANNA, FORGED)

    async def story(box: Mailbox) -> dict[str, bool]:
        listed = await box.messages(MessageKind.VOICE, new=True)
        return {one.caller.name: one.genuine for one in listed}

    [(_, own), (_, forged)] = sorted(in_mailbox(store, story).items())
    assert (own, forged) == (True, False)
