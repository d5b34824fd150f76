"""Lamps as a command sees them, beside the running controller."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import aiohttp

from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.examination.asterisk import client_of
from vm_ari.adapters.lamps import MethodName, probe
from vm_ari.adapters.maildir_tree import Folder, store_name
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import Config
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import Mailboxes, MailboxUnavailable, UserRegister
from vm_ari.wiring.asterisk import asterisk_address, lamp_settings
from vm_ari.wiring.notifications import open_notice_book
from vm_ari.wiring.store import open_store

AT_ONCE = 4
ANSWER_SECONDS = 2.0


class NoController(Exception):
    """None is running. The text says what to do."""


@dataclass(frozen=True)
class Look:
    """One mailbox and its lamp."""

    user: User
    counts: Counts | None
    """None: they cannot be counted, and *problem* says why."""
    told: tuple[int, int] | None
    """New and old, as phones were told; None: that is not known."""
    problem: str = ""

    @property
    def lamp_mailbox(self) -> str:
        """The name of the lamp, as far as the setting says it."""
        return self.user.lamp_mailbox or self.user.mailbox


@dataclass(frozen=True)
class Offered:
    """One way to light lamps."""

    name: str
    offered: bool
    chosen: bool
    reason: str


async def look_at(config: Config, register: UserRegister, users: Sequence[User]) -> Sequence[Look]:
    """Count these mailboxes, and ask the controller what it has told. Raises `PermissionError`."""
    keys, work = KeyRing(config.directory.keys), config.spool.directory / "listening"
    store = open_store(config, keys, register, work)
    places = asyncio.Semaphore(AT_ONCE)
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as web:

        async def one(user: User) -> Look:
            async with places:
                return await _counted(config, store.mailboxes, user, web)

        try:
            return await asyncio.gather(*(one(user) for user in users))
        finally:
            await store.close()


async def _counted(
    config: Config, mailboxes: Mailboxes, user: User, web: aiohttp.ClientSession
) -> Look:
    """Of a Maildir that nobody has made yet: nothing; it must not become the administrator's."""
    look = Look(user, Counts(), None)
    look = replace(look, told=await _told(config, look.lamp_mailbox, web))
    root = config.store.maildir
    if config.store.kind == "local" and not Folder(root / store_name(user)).is_complete():
        return look
    try:
        return replace(look, counts=await mailboxes.counts(user))
    except (MailboxUnavailable, PermissionError) as error:
        return replace(look, counts=None, problem=str(error))


async def _told(config: Config, mailbox: str, web: aiohttp.ClientSession) -> tuple[int, int] | None:
    table = config.watching
    if not table.push_port:
        return None
    host = f"[{table.push_address}]" if ":" in table.push_address else table.push_address
    url = f"http://{host}:{table.push_port}/lamps/{mailbox}"
    try:
        async with web.get(url, headers={"Authorization": f"Bearer {table.token()}"}) as answer:
            told = (await answer.json())["told"]
            return (int(told["new"]), int(told["old"])) if told else None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError, TypeError):
        return None


async def have_recounted(config: Config, user_ids: Collection[str] | None) -> None:
    """Every running controller counts these mailboxes, or all. Raises `NoController`.

    Controllers look every few seconds for whom something was changed in the book of notices. Raises
    `NoticeBookUnavailable`, too.
    """
    await _check_controller(config)
    book = open_notice_book(config)
    try:
        await book.change(lambda tally: tally, user_ids)
    finally:
        await book.close()


async def _check_controller(config: Config) -> None:
    try:
        async with client_of(asterisk_address(config)) as client:
            await client.applications.get(config.asterisk.app)
    except NotFound:
        text = f"No controller serves calls of {config.asterisk.app}; start it: vm-ari run"
        raise NoController(text) from None
    except (AriError, AriUnavailable) as error:
        raise NoController(f"Asterisk cannot be used: {error}") from None


async def methods(config: Config) -> Sequence[Offered]:
    """All ways there are; the chosen one is the first, or the one that is configured.

    Raises `AriError`, `AriUnavailable`.
    """
    settings = lamp_settings(config)
    found: list[Offered] = []
    async with client_of(asterisk_address(config)) as client:
        for name in MethodName:
            choice = await probe(client, replace(settings, method=name))
            offered = choice.method is name
            wanted = settings.method in {None, name}
            chosen = offered and wanted and not any(one.chosen for one in found)
            found.append(Offered(name.value, offered, chosen, choice.why[name]))
    return found
