"""Both message stores, as messages move from one to the other (STORE-04)."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from vm_ari.adapters.imap.moving import ImapSide
from vm_ari.adapters.imap.recognition import Recognition
from vm_ari.adapters.maildir import DELETED_FOLDER
from vm_ari.adapters.maildir_moving import MaildirSide
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import BadConfig, Config
from vm_ari.domain.entries import Entry, effective_user
from vm_ari.domain.store_moving import StoreAway, StoreKind
from vm_ari.domain.users import User
from vm_ari.ports import UserRegister
from vm_ari.services.store_migration import StoreSide
from vm_ari.services.users import Users
from vm_ari.wiring.store import open_doorman

log = structlog.get_logger("vm_ari.store")


@dataclass(frozen=True)
class Leftovers:
    """What lies in the store that is not used any more."""

    messages: int
    mailboxes: int


def local_side(config: Config, recognition: Recognition | None = None) -> MaildirSide:
    """The Maildirs. Raises `BadConfig`."""
    judge = (recognition or Recognition()).summary
    name = config.store.deleted_folder
    try:  # a special use is for mail servers: Maildirs have the usual name then
        return MaildirSide(
            config.store.maildir, DELETED_FOLDER if name.startswith("\\") else name, judge
        )
    except ValueError as error:
        raise BadConfig(
            f"store.deleted_folder: {error} of a Maildir; write a plain name while messages move"
        ) from None


def leftovers(config: Config) -> Leftovers | None:
    """What lies in Maildirs where the telephone looks on mail servers; None for nothing.

    Blocks as long as listing the Maildirs takes. Raises `StoreAway`.
    """
    if config.store.kind != "imap":
        return None
    try:
        found = local_side(config).leftovers()
    except BadConfig:  # a name that no Maildir can have: there are none with it
        return None
    return Leftovers(sum(found.values()), len(found)) if found else None


def tell_leftovers(config: Config) -> None:
    """Say it in the log, so that nobody looks for messages in vain; blocks."""
    try:
        if left := leftovers(config):
            log.warning(
                "messages lie in the local store, where the telephone does not look",
                messages=left.messages,
                mailboxes=left.mailboxes,
                advice="vm-ari store status, vm-ari store migrate",
            )
    except StoreAway as error:
        log.warning("it is not known what lies in the local store", reason=str(error))


@asynccontextmanager
async def open_sides(
    config: Config, keys: KeyRing, register: UserRegister
) -> AsyncIterator[dict[StoreKind, StoreSide]]:
    """Those that are configured; connections end with it. Raises `BadConfig`."""
    recognition = Recognition(keys.signing_keys("mail headers"), config.inbox.kind_rules())
    sides: dict[StoreKind, StoreSide] = {StoreKind.LOCAL: local_side(config, recognition)}
    if config.imap is None:
        yield sides
        return
    doorman = open_doorman(config, keys, register)
    try:
        yield {**sides, StoreKind.IMAP: ImapSide(doorman, recognition)}
    finally:
        await doorman.close()


async def users_of(desk: Users, entries: Iterable[Entry]) -> list[User]:
    """As calls see them. Raises `DirectoryUnavailable`."""
    there = {one.id: one for one in await desk.register.organisations()}
    defaults = desk.house.defaults
    return [effective_user(entry, there.get(entry.organisation), defaults) for entry in entries]
