"""Calls for messages on a real mail server, on a line in memory whose prompts take no time."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.adapters.imap_store import ImapStore
from tests.adapters.maildir_store import MaildirStore
from tests.dialogues.exchange import PIN, Exchange
from tests.patience import AT_MOST
from tests.phone import Phone, Told
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.services.inbox import Inboxes
from vm_ari.services.lamps import LampKeeper
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Number

HEARD_WITHIN = AT_MOST
"""Seconds on a busy machine; a hung server that nobody gives up would keep them for ever."""
CLIP, RECORDING = 0.005, 0.3


class Quick(dict[str, float]):
    """Prompts take no time, recordings a little."""

    def get(self, name: str, otherwise: Any = None) -> Any:
        return RECORDING if name.endswith("/message") else CLIP


async def at_the_pin(phone: Phone) -> None:
    await phone.hears(P.ENTER_PIN)


async def at_the_menu(phone: Phone) -> None:
    await phone.hears(P.ENTER_PIN)
    phone.presses(f"{PIN}#")
    await phone.hears(P.FOR_NEW_VOICE_MESSAGES)


async def at_a_message(phone: Phone) -> None:
    await at_the_menu(phone)
    phone.presses("1")
    await phone.hears(P.MESSAGE_NUMBER, Number(1), P.TO_REPEAT)


async def at_a_deleted_one(phone: Phone) -> None:
    await at_a_message(phone)
    phone.presses("7")
    await phone.hears(P.MESSAGE_DELETED, P.TO_UNDELETE)


def _site_with(store: ImapStore | MaildirStore, user: User) -> Exchange:
    site = Exchange(users=(user,), rules=Rules())
    lamps = LampKeeper(site.lamps, store.mailboxes, site.directory)
    site.desk = replace(site.desk, inboxes=Inboxes(store.mailboxes, lamps))
    return site


async def call(store: ImapStore | MaildirStore, user: User, story: Callable[[Phone], Any]) -> Told:
    """One call to the user's own mailbox number."""
    site = _site_with(store, user)
    line = site.line()
    line.lengths = Quick()
    async with asyncio.timeout(HEARD_WITHIN * 2):
        return await site.call(story, purpose="login", dialled=user.mailbox, line=line)
