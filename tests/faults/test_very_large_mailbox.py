"""A mailbox with 100,000 mails beside one with three: a caller is told as much, as soon (INBOX-12).

How soon is measured in bench/inbox_login.py. Here the mail server is asked for the same few things,
and answers about as little, whatever lies in the mailbox.
"""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adapters.imap_store import INDIVIDUAL, imap_store
from tests.dialogues.exchange import ANNA, PIN
from tests.dovecot import Dovecot, dovecot
from tests.faults.calls_to_mailboxes import call
from tests.faults.mail_programs import voice_mail
from tests.imap_proxy import ImapProxy, imap_proxy
from tests.phone import Phone
from vm_ari.speech.catalogue import P

pytestmark = pytest.mark.slow

MAILS, NEW, UNREAD = 100_000, 3, 1_000
NOBODY = 65534
DIRTY = "maildir_very_dirty_syncs = yes\n"
"""Dovecot's own advice for Maildirs that nobody else touches."""
ORDINARY = b"From: bert@example.org\nSubject: Lunch\nMessage-ID: <1@example.org>\n\nNoon?\n"


@dataclass
class Talk:
    """What a call has cost the mail server."""

    commands: list[bytes]
    octets: int = 0


def fill(inbox: Path, mails: int, work: Path) -> None:
    """That many mails, all of them one file with many names, and three new voice messages."""
    for name in ("cur", "new", "tmp"):
        (inbox / name).mkdir(parents=True, exist_ok=True)
    one, now = work / "mail", int(time.time())
    one.write_bytes(ORDINARY)
    links = 30_000  # of one file, as some file systems take no more
    for number in range(mails):
        if number % links == 0:
            first = inbox / "cur" / f"{now - mails}.M{number}first.host:2,S"
            first.write_bytes(ORDINARY)
        flags = "" if number >= mails - UNREAD else "S"
        os.link(first, inbox / "cur" / f"{now - mails + number}.M{number}.host:2,{flags}")
    for number in range(1, NEW + 1):
        message = voice_mail(number, work).replace(b"\r\n", b"\n")
        (inbox / "new" / f"{now}.M{number}P1.host").write_bytes(message)
    for path in (inbox.parent, inbox, *inbox.rglob("*")):
        os.chown(path, NOBODY, NOBODY)


async def login_and_hear(phone: Phone) -> None:
    await phone.hears(P.ENTER_PIN)
    phone.presses(f"{PIN}#")
    await phone.hears(P.YOU_HAVE)
    await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
    assert f"en/digits/{NEW}" in phone.heard_names()
    phone.presses("1")
    await phone.hears(P.MESSAGE_NUMBER)
    while not phone.heard_names()[-1].endswith("/message"):
        await phone.waits(0)
    phone.hangs_up()


def cost_of_a_call(server: Dovecot, proxy: ImapProxy) -> Talk:
    """Of the second one, on a new connection; a mail was marked since the first."""
    talk = Talk([])

    def weigh(data: bytes) -> bytes:
        talk.octets += len(data)
        return data

    async def calls() -> None:
        store = imap_store(server, INDIVIDUAL, url=proxy.url)
        await call(store, ANNA, login_and_hear)
        await (await store.doorman.open(ANNA)).pool.hang_up()
        with server.mail_program(ANNA.id) as client:
            client.add_flags([1], ["$Looked"], silent=True)
        proxy.plan.commands, talk.octets = talk.commands, 0
        proxy.plan.rewrite = weigh
        await call(store, ANNA, login_and_hear)
        await store.doorman.close()

    asyncio.run(calls())
    return talk


def cost_with(mails: int, work: Path) -> Talk:
    with dovecot(ANNA.id, settings=DIRTY) as server, imap_proxy(server.port) as proxy:
        fill(server.mail_directory(ANNA.id) / "Maildir", mails, work)
        return cost_of_a_call(server, proxy)


@pytest.mark.feature("INBOX-12")
def test_a_hundred_thousand_mails_cost_a_caller_no_more_than_none(tmp_path: Path) -> None:
    small, large = cost_with(0, tmp_path), cost_with(MAILS, tmp_path)
    verbs = [[command.split()[0] for command in talk.commands] for talk in (small, large)]
    assert verbs[0] == verbs[1], "the same is asked"
    assert large.octets < small.octets + 1_000, "and no list of messages comes back"
