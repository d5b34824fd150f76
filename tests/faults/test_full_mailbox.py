"""A full mailbox is heard by telephone as any other, and emptied where the server can do that."""

import asyncio
from pathlib import Path

import pytest
from imapclient.exceptions import IMAPClientError

from tests.adapters.imap_store import INDIVIDUAL, imap_store
from tests.dialogues.exchange import ANNA
from tests.dovecot import Dovecot, dovecot
from tests.faults.calls_to_mailboxes import at_a_deleted_one, at_a_message, call
from tests.faults.mail_programs import DELETED, voice_mail
from tests.imap_proxy import ImapProxy, Plan, imap_proxy
from tests.phone import Phone
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Number

FULL = "plugin {\n quota_rule = *:storage=20K\n}"


async def delete_and_go_on(phone: Phone) -> None:
    """On a server that moves messages, however full the mailbox is."""
    await at_a_deleted_one(phone)
    phone.presses("7")
    await phone.hears(P.MESSAGE_RESTORED, P.TO_REPEAT)
    phone.presses("7")
    await phone.hears(P.MESSAGE_DELETED, P.TO_UNDELETE)
    phone.presses("6")
    await phone.hears(P.MESSAGE_NUMBER, Number(2), P.TO_REPEAT)
    phone.hangs_up()


async def try_and_go_on(phone: Phone) -> None:
    """On one that can only copy them, for which there is no room."""
    await at_a_message(phone)
    phone.presses("7")
    await phone.hears(P.NOT_POSSIBLE_NOW, P.TO_REPEAT, P.TO_DELETE)
    phone.presses("6")
    await phone.hears(P.MESSAGE_NUMBER, Number(2), P.TO_REPEAT)
    phone.hangs_up()


@pytest.mark.slow
@pytest.mark.flaky(reruns=0)
@pytest.mark.feature_part("MAIL-08", "a full mailbox is heard by telephone, and emptied")
@pytest.mark.parametrize("poor", [False, True], ids=["rich", "poor"])
def test_a_full_mailbox_is_heard_and_emptied(tmp_path: Path, poor: bool) -> None:
    user, deleted = ANNA, 0 if poor else 1

    async def calls(server: Dovecot, proxy: ImapProxy) -> None:
        proxy.plan = Plan(poor=poor)
        store = imap_store(server, INDIVIDUAL, url=proxy.url)
        await call(store, user, try_and_go_on if poor else delete_and_go_on)
        await store.doorman.close()

    with dovecot(user.id, settings=FULL) as server, imap_proxy(server.port) as proxy:
        fits = fill_up(server, user, voice_mail(1, tmp_path))
        asyncio.run(calls(server, proxy))
        with server.mail_program(user.id) as client:
            assert len(client.search(["UNDELETED"])) == fits - deleted
            assert poor or client.select_folder(DELETED)[b"EXISTS"] == 1


def fill_up(server: Dovecot, user: User, mail: bytes) -> int:
    """Deliver until there is no room; so many mails there are then."""
    with server.mail_program(user.id) as client:
        for number in range(100):
            try:
                client.append("INBOX", mail.replace(b"@pbx", b"@pbx%d" % number))
            except IMAPClientError as error:
                if "Quota" not in str(error):
                    raise
                return number
    raise AssertionError("there is no limit")
