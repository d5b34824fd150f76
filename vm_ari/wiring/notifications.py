"""Notices of new messages, as configured: the rules, what they remember, and every channel."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from vm_ari.adapters.examination.notices import examine_notices
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.lamps.accounts import MessageAccounts
from vm_ari.adapters.notification_state import DatabaseNoticeBook
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import Config
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Directory, Mailboxes, NoticeOutlet, Notices, UserRegister
from vm_ari.services.locations import Locations
from vm_ari.services.notice_mails import NoticeMails
from vm_ari.services.notice_records import NotedOutlet
from vm_ari.services.notifications import Notifications
from vm_ari.services.presence import Presence
from vm_ari.services.rights import Rights
from vm_ari.wiring.channels import Outlets, open_outlets
from vm_ari.wiring.directories import ConfiguredDirectory, blamed
from vm_ari.wiring.journal import OpenJournal
from vm_ari.wiring.locations import open_attribute, open_locations
from vm_ari.wiring.mail import open_post
from vm_ari.wiring.store import open_store


@dataclass(frozen=True)
class People:
    """What notices have to know of users, and of the time."""

    directory: Directory
    register: UserRegister
    mailboxes: Mailboxes
    clock: Clock


@dataclass(frozen=True)
class Told:
    """Everything about notices."""

    rules: Notifications
    outlets: tuple[NoticeOutlet, ...]
    """Every channel but the lamp."""
    presence: Presence
    """To be told of who hears messages."""
    book: DatabaseNoticeBook
    _sending: Outlets

    async def run(self) -> None:
        """Tell what is due, until cancelled."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self.rules.run(), name="notices")
            parts.create_task(self._sending.run(), name="channels")

    async def close(self) -> None:
        """Leave what is under way to the next start."""
        await self.rules.close()
        await self._sending.close()
        await self.book.close()


def open_notifications(
    config: Config,
    keys: KeyRing,
    people: People,
    notices: Notices,
    refresh: Callable[[User], Awaitable[None]],
    journal: OpenJournal | None = None,
    *,
    accounts: MessageAccounts | None = None,
    rights: Rights | None = None,
) -> Told:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`.

    *refresh* counts one mailbox anew and tells its lamp; *accounts* are told which numbers belong
    to lamps.
    """
    locations = open_locations(config, people.register, people.clock)
    book, presence = open_notice_book(config), Presence()
    sending = open_outlets(
        config,
        keys,
        people.directory,
        people.mailboxes,
        people.clock,
        presence=presence,
        locations=locations,
        location_header=config.notifications.header,
        rights=rights,
    )
    outlets = (_mails(config, notices, locations), *sending)
    lamps = open_attribute(config, "lamp_attribute", people.register, people.clock)

    async def lamp_name(user: User) -> str:
        name = user.lamp_mailbox or await lamps.of(user.id) or user.mailbox
        if accounts:
            accounts.note(name, user.called_back_at(config.welcome.login_number))
        return name

    noted = [NotedOutlet(one, journal.notes, journal.node) for one in outlets] if journal else []
    rules = Notifications(
        book,
        noted or outlets,
        people.directory,
        people.clock,
        node=f"{socket.gethostname()}:{config.spool.directory}",
        refresh=refresh,
        lamp_name=lamp_name,
        hears_deliveries=config.imap is None or config.imap.delivery == "append",
    )
    return Told(rules, outlets, presence, book, sending)


def open_notice_book(config: Config) -> DatabaseNoticeBook:
    """What is remembered; to be closed by the caller. Raises `BadConfig`."""
    with blamed("notifications.url"):
        return DatabaseNoticeBook(config.notifications.url or config.directory.url)


async def examine(
    config: Config, register: ConfiguredDirectory, users: Sequence[User]
) -> Sequence[Finding]:
    """What `vm-ari check` says; nothing is created. Raises `BadConfig`."""
    keys, clock = KeyRing(config.directory.keys), SystemClock()
    store = open_store(config, keys, register, config.spool.directory / "listening")
    post = open_post(config, keys, clock, register, register)
    people = People(register, register, store.mailboxes, clock)

    async def no_lamp(_user: User) -> None:
        """Nothing is counted here."""

    told = open_notifications(config, keys, people, post.mails, no_lamp)
    book = told.book if await asyncio.to_thread(_is_there, config) else None
    try:
        return await examine_notices(book, users, told.rules.obstacle)
    finally:
        await told.close()
        await post.close()
        await store.close()


def _is_there(config: Config) -> bool:
    """A look shall not make a file that the controller may not write."""
    url = make_url(config.notifications.url or config.directory.url)
    return not url.drivername.startswith("sqlite") or Path(url.database or "").exists()


def _mails(config: Config, notices: Notices, locations: Locations) -> NoticeMails:
    return NoticeMails(
        notices,
        locations,
        own_address_helps=config.store.kind == "local",
        sends_elsewhere=config.mail.smtp is not None,
        header=config.notifications.header,
        login_number=config.welcome.login_number,
    )
