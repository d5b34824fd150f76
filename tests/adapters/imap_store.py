"""Mailboxes on a Dovecot under test, and somebody else's hands on them."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.adapters.mailbox_contract import ANNA
from tests.adapters.maildir_store import KEY, write_mail
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, password_of
from vm_ari.adapters.imap.access import Access, Administrator, OwnLogin, Way
from vm_ari.adapters.imap.address import IMAP, Patience
from vm_ari.adapters.imap.courier import ImapCourier
from vm_ari.adapters.imap.doorman import Doorman, Rules
from vm_ari.adapters.imap.mailbox import ImapMailbox, ImapMailboxes
from vm_ari.adapters.imap.server_choice import OneServer
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.users import User

T = TypeVar("T")

PATIENT = Patience(connect=10, answer=20, caller=40, delivery=60)
"""For a busy machine: tests of what works shall not fail because they have to wait."""


class OwnPasswords:
    """Everybody has stored the right one."""

    async def imap_password(self, user_id: str) -> str | None:
        return password_of(user_id)


ADMINISTRATIVE = {
    way.value: Access(Administrator(ADMIN, ADMIN_PASSWORD, way, path="user/${MAILBOX}/INBOX"))
    for way in Way
}
INDIVIDUAL = Access(own=OwnLogin("$(LOGIN)"))
BOTH = Access(Administrator(ADMIN, ADMIN_PASSWORD), OwnLogin("${LOGIN}"))
WAYS = {**ADMINISTRATIVE, "individual": INDIVIDUAL, "both": BOTH}


@dataclass
class ImapStore:
    """See `mailbox_contract.Store`."""

    server: Dovecot
    doorman: Doorman
    mailboxes: ImapMailboxes
    courier: ImapCourier

    def post(self, user: User, mail: bytes) -> None:
        with self.server.mail_program(user.id) as client:
            client.append("INBOX", mail)

    def lose(self, user: User, uid: str) -> None:
        with self.server.mail_program(user.id) as client:
            number = int(uid.partition("-")[2])
            client.add_flags([number], ["\\Deleted"])
            client.uid_expunge([number])


def imap_store(
    server: Dovecot,
    access: Access = INDIVIDUAL,
    *,
    url: str = "",
    deleted_folder: str = "Deleted voice messages",
    patience: Patience = PATIENT,
    context: ssl.SSLContext | None = None,
    work: Path | None = None,
    connections: int = 8,
    heard_among: int = 2000,
) -> ImapStore:
    """A store with the site's settings; plain unless *url* says otherwise."""
    address = IMAP.server_at(url or server.url, plaintext=context is None)
    rules = Rules(access, deleted_folder, patience, connections)
    doorman = Doorman(rules, OneServer(address), OwnPasswords(), context)
    return ImapStore(
        server,
        doorman,
        ImapMailboxes(doorman, signing_keys=[KEY], work_directory=work, heard_among=heard_among),
        ImapCourier(doorman, write_mail),
    )


def in_box(store: ImapStore, story: Callable[[ImapMailbox], Awaitable[T]], user: User = ANNA) -> T:
    """Run a story in one session, and close the store."""

    async def run() -> T:
        try:
            async with store.mailboxes.open(user) as box:
                return await story(box)
        finally:
            await store.doorman.close()

    return asyncio.run(run())


def deliver(store: ImapStore, voice: VoiceMessage, user: User = ANNA) -> None:
    """Bring a message, and close the store."""

    async def run() -> None:
        try:
            await store.courier.deliver(voice, user)
        finally:
            await store.doorman.close()

    asyncio.run(run())
