"""What everything in a controller stands on: who has which number, where messages and mails lie."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from vm_ari.adapters.greeting_database import DatabaseGreetings
from vm_ari.adapters.greeting_files import FileGreetings
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.session_files import sweep_up
from vm_ari.adapters.spool import FileSpool
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import Config
from vm_ari.domain.settings import Rules
from vm_ari.ports import CallDirectory, Clock
from vm_ari.services.system_mails import SystemMails
from vm_ari.wiring.directories import Directories, open_directories, open_greetings
from vm_ari.wiring.journal import OpenJournal, open_journal
from vm_ari.wiring.mail import Post, open_post
from vm_ari.wiring.rights import OpenRights, open_rights
from vm_ari.wiring.store import MessageStore, open_store


@dataclass(frozen=True)
class Ground:
    """Nothing here knows of calls, or of each other's callers."""

    config: Config
    rules: Rules
    clock: Clock
    keys: KeyRing
    directories: Directories
    spool: FileSpool
    listening: Path
    """Where audio lies that is being heard."""
    store: MessageStore
    post: Post
    journal: OpenJournal
    rights: OpenRights
    greetings: FileGreetings | DatabaseGreetings

    @property
    def directory(self) -> CallDirectory:
        """The one for calls."""
        return self.directories.for_calls

    @property
    def notices(self) -> SystemMails:
        """Mails that tell users what they should know."""
        return self.post.mails

    @property
    def host(self) -> str:
        """For the Message-IDs."""
        return self.config.mail.sender.rpartition("@")[2]

    async def claim(self) -> None:
        """From now on the spool is ours. Raises `SpoolInUse` when another controller has it."""
        await self.spool.claim()
        self.listening.mkdir(exist_ok=True)
        await asyncio.to_thread(sweep_up, self.listening)

    async def close(self) -> None:
        """When nobody stands on it any more."""
        await self.post.close()
        await self.store.close()
        self.spool.close()
        await self.greetings.close()
        await self.directories.close()
        await self.rights.close()
        await self.journal.close()


def open_ground(config: Config) -> Ground:
    """Nothing is connected yet; to be closed by the caller. Raises `BadConfig`."""
    clock, keys = SystemClock(), KeyRing(config.directory.keys)
    directories = open_directories(config, keys, clock)
    directory, register = directories.for_calls, directories.register
    listening = config.spool.directory / "listening"
    store = open_store(config, keys, register, listening)
    return Ground(
        config=config,
        rules=config.rules(),
        clock=clock,
        keys=keys,
        directories=directories,
        spool=FileSpool(config.spool.directory),
        listening=listening,
        store=store,
        post=open_post(config, keys, clock, directory, register, doorman=store.doorman),
        journal=open_journal(config, clock, directory),
        rights=open_rights(config, clock),
        greetings=open_greetings(config),
    )
