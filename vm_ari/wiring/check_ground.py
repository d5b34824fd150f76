"""What ``vm-ari check`` says of the ground all stands on: files, keys, clock, texts, directories.

An examination must leave nothing behind: a key or a database that root has made while it looked
could not be opened by the controller.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy.engine import make_url

from vm_ari.adapters.examination.accounts import Account, controllers_account
from vm_ari.adapters.examination.clock import examine_clock
from vm_ari.adapters.examination.disk import (
    examine_directory,
    examine_maildirs,
    examine_spool,
)
from vm_ari.adapters.examination.mail_texts import examine_mail_texts
from vm_ari.adapters.examination.secrets_at_rest import examine_configuration, examine_keys
from vm_ari.adapters.findings import Finding
from vm_ari.adapters.sealing import KeyRing, KeysUnusable
from vm_ari.config import Config, shared_files
from vm_ari.domain.entries import effective_user
from vm_ari.domain.users import User
from vm_ari.wiring.asterisk import asterisk_address
from vm_ari.wiring.directories import ConfiguredDirectory, open_register
from vm_ari.wiring.organisations import organisations_now


@contextmanager
def untouched(config: Config) -> Iterator[Config]:
    """The same, but with keys and databases elsewhere that would be made now by a look."""
    directory, changes = config.directory, dict[str, object]()
    with TemporaryDirectory(prefix="vm-ari-check-") as temporary:
        with suppress(PermissionError):  # then they are there, and nobody may look
            if not any(directory.keys.glob("*.key")):
                changes["keys"] = Path(temporary) / "keys"
        with suppress(PermissionError):
            if (file := sqlite_file(directory.url)) and not file.exists():
                changes["url"] = f"sqlite:///{temporary}/directory.db"
        if not changes:
            yield config
            return
        yield config.model_copy(update={"directory": directory.model_copy(update=changes)})


def sqlite_file(url: str) -> Path | None:
    """The file of such a database; None for another kind."""
    parsed = make_url(url)
    if not parsed.drivername.startswith("sqlite") or not parsed.database:
        return None
    return Path(parsed.database)


BUSY_SECONDS = 3.0
"""So long a transaction of ours waits for another one."""


async def examine_lock(config: Config) -> Sequence[Finding]:
    """Our own database, where somebody keeps it locked: else nothing."""
    file = sqlite_file(config.directory.url)
    if file is None or config.directory.ldap:
        return []
    return await asyncio.to_thread(_lock_on, file)


def _lock_on(file: Path) -> list[Finding]:
    """Whatever else is wrong with it is said by those who use it."""
    try:
        if not file.is_file():
            return []
    except PermissionError:
        return []
    try:
        with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.rollback()
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            return []
        text = f"The database {file} is locked by another program for over {BUSY_SECONDS:.0f} s."
        advice = f"fuser -v {file} says by which; nothing but vm-ari should open it for writing."
        return [Finding(False, text, advice, unreachable=True, follows="directory")]
    except sqlite3.Error:
        return []
    return []


async def examine_files(config: Config, file: Path | None) -> Sequence[Finding]:
    """The configuration itself, where it is known which *file* that is."""
    if file is None:
        return []
    account = await _controller(config)
    return await asyncio.to_thread(examine_configuration, file, account)


async def examine_key_ring(config: Config) -> Sequence[Finding]:
    """The keys, as they lie there."""
    account, keys = await _controller(config), config.directory.keys
    sealed = sqlite_file(config.directory.url)
    return await asyncio.to_thread(examine_keys, keys, sealed, account)


async def examine_time(config: Config) -> Sequence[Finding]:
    """The clock, and Asterisk's."""
    return await examine_clock(asterisk_address(config))


async def examine_mails(config: Config) -> Sequence[Finding]:
    """The texts that mails are made of."""
    shipped = shared_files() / "templates"
    return await asyncio.to_thread(examine_mail_texts, Path(config.templates), shipped)


async def examine_spool_of(config: Config) -> Sequence[Finding]:
    """Where messages wait."""
    mails = config.mail.queue or config.spool.directory / "system-mails"
    account = await _controller(config)
    return await asyncio.to_thread(examine_spool, config.spool.directory, mails, account)


async def examine_store_of(config: Config) -> Sequence[Finding]:
    """Where our Maildirs lie, and the greetings."""
    account, found = await _controller(config), list[Finding]()
    if config.store.kind == "local":
        found += await asyncio.to_thread(examine_maildirs, config.store.maildir, account)
    for directory, name in _beside(config):
        looked = await asyncio.to_thread(examine_directory, directory, name, account)
        found += [one for one in looked if not one.good]
    return found


def _beside(config: Config) -> Iterator[tuple[Path, str]]:
    yield config.greetings.directory, "The directory of greetings"
    if (file := sqlite_file(config.directory.url)) and config.directory.kind != "ldap":
        yield file.absolute().parent, "The directory of the database"
    if config.logs.file:
        yield config.logs.file.absolute().parent, "The directory of the log"


async def _controller(config: Config) -> Account:
    return await asyncio.to_thread(controllers_account, config.directory.keys)


def advice_on_directory(error: Exception) -> str:
    """What to do about our own database or the keys, by what was said."""
    said = str(error)
    if isinstance(error, KeysUnusable):
        return "vm-ari check --only keys"
    if "this vm_ari knows" in said:
        return "Install the newer vm-ari again, or restore the backup made before it."
    if "readonly" in said or "read-only" in said or "ermission" in said:
        return "Give file and directory (directory.url) to the controller's account."
    if "not a database" in said or "malformed" in said:
        return "Move it away, and bring it back from a backup: vm-ari restore."
    return "Is directory.url right, and is the database running?"


@asynccontextmanager
async def register_of(config: Config) -> AsyncIterator[ConfiguredDirectory]:
    """The directory, for one look."""
    register = open_register(config, KeyRing(config.directory.keys))
    try:
        yield register
    finally:
        await register.close()


async def people_of(config: Config, register: ConfiguredDirectory) -> Sequence[User]:
    """All users, as their settings count. Raises `DirectoryUnavailable`."""
    organisations, defaults = await organisations_now(config, register), config.user_defaults()
    return [
        effective_user(entry, organisations.get(entry.organisation), defaults)
        for entry in await register.all_entries()
    ]


async def examine_default_recipient(config: Config, register: ConfiguredDirectory) -> list[Finding]:
    """Who gets what is left at a number without an active user (STORE-02)."""
    address = config.site.default_recipient
    if not address:
        return []
    known, whose = await register.entry_by_mail(address), "Messages to numbers of nobody"
    if known:
        return [Finding(True, f"{whose} go to user {known.id}, who alone sees them.")]
    if config.store.kind == "local":
        text = f"{whose} go to {address}, which is no user's: nobody can read them."
        return [Finding(False, text, "Give a user that address, or name another one.")]
    return [Finding(True, f"{whose} go to {address}, which is no user's here.")]
