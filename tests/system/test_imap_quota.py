"""A site with mail servers and nothing to send by: its mails, and a mailbox that fills up."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from tests.patience import AT_MOST
from tests.system.callers import babble
from tests.system.test_imap_calls import in_folder
from tests.system.test_remote_inquiry import leave, logged_in
from tests.system.worlds import NewWorld
from vm_ari.demo.world import World

CONFIGURATION = """
[store]
kind = "imap"
[imap]
server = "{url}"
plaintext = true
account = "{account}"
password = "{password}"
[welcome]
enabled = true
"""
SMALL = "plugin {\n  quota_rule = *:storage=400K\n  quota_grace = 0\n}\n"


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with dovecot("anna", "ben", settings=SMALL) as running:
        yield running


@pytest.fixture
def world(new_world: NewWorld, server: Dovecot) -> Iterator[World]:
    settings = CONFIGURATION.format(url=server.url, account=ADMIN, password=ADMIN_PASSWORD)
    shared = new_world(settings=settings)
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


async def subjects(server: Dovecot, *wanted: str) -> None:
    """Wait until all of them lie in Anna's INBOX, and nothing else."""
    async with asyncio.timeout(AT_MOST):
        while True:
            found = await asyncio.to_thread(in_folder, server, "anna")
            there = sorted(str(one.mail["Subject"]) for one in found)
            if len(there) == len(wanted) and all(
                subject.startswith(begin)
                for subject, begin in zip(there, sorted(wanted), strict=True)
            ):
                return
            await asyncio.sleep(0.2)


@pytest.mark.feature_part("MAIL-05", "welcome and other mails by APPEND, where there is no SMTP")
@pytest.mark.feature_part("MAIL-08", "heard after the login, and one mail, on a real server")
def test_a_first_call_brings_the_welcome_mail_and_a_full_mailbox_warns(
    world: World, server: Dovecot
) -> None:
    anna = world.anna

    async def story() -> None:
        await leave(world, anna, babble(2.5, 1), "+4989555")
        voice, welcome = "Sprachnachricht von", "Ihre Mailbox"
        await subjects(server, voice, welcome)
        with server.mail_program("anna") as client:
            [room] = client.get_quota("INBOX")
            much = (room.limit * 95 // 100 - room.usage) * 1024
            client.append("INBOX", b"Subject: Much\r\n\r\n" + b"x" * much)
        async with logged_in(world, anna) as caller:
            await caller.hears("mailbox-nearly-full", "you-have")
        await subjects(server, voice, welcome, "Much", "Ihr Postfach ist fast voll")

    asyncio.run(story())
