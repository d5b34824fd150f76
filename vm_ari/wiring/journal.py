"""The journal, as configured: who writes it, who reads it, and what is forgotten."""

import asyncio
import socket
from dataclasses import dataclass

from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from vm_ari.adapters.journal_archive import JournalArchive
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.config import BadConfig, Config
from vm_ari.ports import Clock, Directory, Journal, Mailboxes
from vm_ari.services.call_records import CallRecords
from vm_ari.services.cost_centres import CostCentres
from vm_ari.services.journal import Journals
from vm_ari.services.journal_keeping import JournalKeeping, Retention
from vm_ari.services.journal_writing import JournalWriter, NoJournal
from vm_ari.services.message_records import MessageRecords


@dataclass(frozen=True)
class OpenJournal:
    """What a controller needs of it."""

    store: DatabaseJournal
    notes: Journal
    """Where everybody notes what has happened."""
    calls: CallRecords
    messages: MessageRecords
    keeping: JournalKeeping
    node: str

    async def run(self) -> None:
        """Write and sweep, until cancelled."""
        async with asyncio.TaskGroup() as parts:
            if isinstance(self.notes, JournalWriter):
                parts.create_task(self.notes.run(), name="writing the journal")
            parts.create_task(self.keeping.run(), name="sweeping the journal")

    async def close(self) -> None:
        """Write what was noted till now."""
        if isinstance(self.notes, JournalWriter):
            await self.notes.close()
        await self.store.close()


def open_journal(config: Config, clock: Clock, directory: Directory) -> OpenJournal:
    """For a controller; nothing is connected yet. Raises `BadConfig`."""
    store = open_journal_store(config)
    writer = JournalWriter(CostCentres(store, directory))
    notes: Journal = writer if config.journal.enabled else NoJournal()
    node = config.journal.node or socket.gethostname()
    return OpenJournal(
        store=store,
        notes=notes,
        calls=CallRecords(notes, clock, node),
        messages=MessageRecords(notes, node, config.rules().site),
        keeping=open_journal_keeping(config, store, clock),
        node=node,
    )


def open_journal_store(config: Config) -> DatabaseJournal:
    """For a command, or the portal in a process of its own; to be closed. Raises `BadConfig`."""
    try:
        return DatabaseJournal(config.journal.url or config.directory.url)
    except (ArgumentError, NoSuchModuleError) as error:
        text = f"{error}; write sqlite:////path/to/file, or postgresql+psycopg://host/database"
        raise BadConfig(f"journal.url: {text}") from None
    except ModuleNotFoundError as error:
        text = f"the driver {error.name} is not installed: pip install “vm-ari[postgres]”"
        raise BadConfig(f"journal.url: {text}") from None


def open_journal_keeping(config: Config, store: DatabaseJournal, clock: Clock) -> JournalKeeping:
    """What is forgotten, and when."""
    table = config.journal
    archive = JournalArchive(table.archive).keep if table.archive else None
    retention = Retention(table.days, table.shorten_numbers_after_days)
    return JournalKeeping(store, clock, retention, archive)


def open_journals(
    config: Config, store: DatabaseJournal, directory: Directory, mailboxes: Mailboxes
) -> Journals:
    """The journal for those who read it."""
    sites = config.rules().sites
    return Journals(
        store, sites, directory=directory, mailboxes=mailboxes, folders=config.store.folders
    )
