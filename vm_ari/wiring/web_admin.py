"""The portal's pages of administrators, as configured."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.reset_journal import ResetJournal
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.shipped import software
from vm_ari.adapters.spool import FileSpool
from vm_ari.adapters.user_files import decoded, read_csv, read_ldif, write_csv, write_ldif
from vm_ari.adapters.user_list import DatabaseUserList, RememberedUserList
from vm_ari.config import Config
from vm_ari.domain.entries import Entry
from vm_ari.domain.mass_reset import Order
from vm_ari.ports import Clock, Notices, UserRecord
from vm_ari.services.mass_work import MassWork
from vm_ari.services.system_mails import SystemMails
from vm_ari.services.waiting_list import WaitingList
from vm_ari.services.welcome import WelcomeMails
from vm_ari.telephony.menu import Action
from vm_ari.web.admin_parts import AdminParts
from vm_ari.wiring.channels import open_notice_queue
from vm_ari.wiring.directories import Directories
from vm_ari.wiring.mail import open_attributes
from vm_ari.wiring.menus import open_keys
from vm_ari.wiring.names import directory_name

LDIF_BASE = "ou=people,dc=example,dc=com"


@dataclass(frozen=True)
class AdminPages:
    """What these pages have opened."""

    parts: AdminParts
    users: DatabaseUserList | RememberedUserList
    spool: FileSpool
    mails: MailQueue
    notices: NoticeQueue

    async def close(self) -> None:
        """End work on many users, and let go of the queues."""
        await self.parts.work.close()
        self.spool.close()
        self.mails.close()
        self.notices.close()
        await self.users.close()


def open_admin_pages(
    config: Config, keys: KeyRing, clock: Clock, directories: Directories, notices: Notices | None
) -> AdminPages:
    """Nothing is connected yet. *notices*: by which welcome mails leave."""
    spool = FileSpool(config.spool.directory)
    mails = MailQueue(config.mail.queue or config.spool.directory / "system-mails", keys)
    jobs = open_notice_queue(config, keys)
    register = directories.register
    users = (
        DatabaseUserList(config.directory.url)
        if isinstance(register, EmbeddedDirectory)
        else RememberedUserList(register)
    )
    parts = AdminParts(
        users=users,
        readers={"csv": _read_csv, "ldif": _read_ldif},
        writers={"csv": _write_csv, "ldif": _write_ldif},
        work=MassWork(),
        waiting=WaitingList(spool, mails, jobs, clock),
        software=functools.partial(software, config.templates, config.sounds),
        examine=functools.partial(_examine, config),
        new_journal=functools.partial(_new_journal, config),
        started=clock.now(),
        welcome=_welcome(config, directories, notices, clock),
    )
    return AdminPages(parts, users, spool, mails, jobs)


def _welcome(
    config: Config, directories: Directories, notices: Notices | None, clock: Clock
) -> WelcomeMails | None:
    if not isinstance(notices, SystemMails):
        return None
    key_map = open_keys(config)
    return WelcomeMails(
        records=directories.register,
        directory=directories.for_calls,
        attributes=open_attributes(directories.register),
        post=notices,
        clock=clock,
        rules=config.welcome_rules(key_map[Action.LOG_IN]),
        site=config.rules().site,
        login_rules=config.login_rules(),
        needs_address=config.mail.smtp is not None,
    )


async def _examine(config: Config) -> Sequence[Finding]:
    from vm_ari.wiring.check import examine, parts_of  # it looks at the portal, too

    return await examine(config, parts_of(config))


def _new_journal(config: Config, order: Order, users: Sequence[str]) -> "NamedJournal":
    name = f"welcome-reset-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.jsonl"
    file = config.directory.keys.parent / "journals" / name
    return NamedJournal.create(file, directory_name(config), order, users)


class NamedJournal(ResetJournal):
    """With the name of its file, for the page."""

    @property
    def name(self) -> str:
        """Where ``vm-ari welcome reset --resume`` finds it."""
        return str(self.path)


def _read_csv(raw: bytes) -> Iterable[UserRecord]:
    return read_csv(decoded(raw))


def _read_ldif(raw: bytes) -> Iterable[UserRecord]:
    return read_ldif(decoded(raw))


def _write_csv(entries: Sequence[Entry]) -> Iterable[str]:
    return write_csv(entries, sealed=False)


def _write_ldif(entries: Sequence[Entry]) -> Iterable[str]:
    return write_ldif(entries, LDIF_BASE, sealed=False)
