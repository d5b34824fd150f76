"""A user's voice messages in the portal: listed, heard, moved, deleted, brought back (STORE-05).

Methods that take a *folder* mean one of those of the site; empty is where new messages come.

Deleted messages can be brought back for some minutes: so long their mailbox stays open, because
some mail servers give a message another name when it is moved, and only that session knows it.
"""

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import structlog

from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.users import User
from vm_ari.ports import Mailbox, Mailboxes, MailboxUnavailable, MessageGone
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.play_on_phone import message_named

log = structlog.get_logger("vm_ari.inbox")

PAGE = 25
MOST_MAIL = 400_000
"""Octets of a mail whose text is shown: the text comes before the audio."""
BACK_SECONDS = 600.0
"""So long what was deleted can be brought back."""
MOST_DELETED = 500
"""Deleted messages, of everybody, that can be brought back at the same time."""


ReadText = Callable[[Path], Awaitable[str]]
"""What a mail says, for people to read."""


async def _nothing(_mail: Path) -> str:
    """Where no mails are read."""
    return ""


class Shown(StrEnum):
    """Which messages a list shows."""

    ALL = "all"
    NEW = "new"
    HEARD = "heard"


@dataclass(frozen=True)
class MessagePage:
    """Some messages, the newest first."""

    messages: tuple[StoredMessage, ...]
    older: str = ""
    """The *after* of the next page; empty: this was the last one."""


@dataclass(frozen=True)
class _Deleted:
    """A deleted message, and the mailbox that knows where it is."""

    folder: str
    mailbox: Mailbox
    closing: AsyncExitStack
    forget: asyncio.TimerHandle


class OwnMessages:
    """Methods raise `MailboxUnavailable`; those of one message also `MessageGone`."""

    def __init__(
        self,
        mailboxes: Mailboxes,
        lamps: LampKeeper | None = None,
        *,
        reader: ReadText = _nothing,
        folders: Sequence[str] = (),
        for_good: bool = False,
        back_seconds: float = BACK_SECONDS,
    ) -> None:
        self._mailboxes = mailboxes
        self._lamps = lamps
        self._reader = reader
        self.folders = tuple(folders)
        """Into which messages are put away."""
        self._for_good = for_good
        self._back_seconds = back_seconds
        self._deleted: dict[tuple[str, str], _Deleted] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def page(
        self,
        user: User,
        shown: Shown = Shown.ALL,
        text: str = "",
        after: str = "",
        *,
        folder: str = "",
    ) -> MessagePage:
        """Those whose caller's number or name has the *text* in it."""
        async with self._open(user, folder) as mailbox:
            wanted = {Shown.NEW: (True,), Shown.HEARD: (False,), Shown.ALL: (True, False)}[shown]
            found = [
                one
                for new in wanted
                for one in await mailbox.messages(MessageKind.VOICE, new=new)
                if has_text(one, text)
            ]
        return page_of(found, after)

    async def find(self, user: User, uid: str, folder: str = "") -> StoredMessage:
        """One of them."""
        async with self._open(user, folder) as mailbox:
            return await self._one(mailbox, uid)

    async def sound(self, user: User, uid: str, folder: str = "") -> BinaryIO:
        """Its audio as an open WAV file, which nobody else can open any more."""
        async with self._open(user, folder) as mailbox:
            await self._one(mailbox, uid)
            path = await mailbox.audio(uid)
            return await asyncio.to_thread(path.open, "rb")

    async def text(self, user: User, uid: str, folder: str = "") -> str:
        """What is written around it: who called and when, and the transcript where there is one."""
        async with self._open(user, folder) as mailbox:
            await self._one(mailbox, uid)
            mail = await mailbox.mail(uid, most=MOST_MAIL)
            return await self._reader(mail)

    async def mark(self, user: User, uid: str, folder: str = "", *, new: bool) -> None:
        """Heard, or new again; the lamp follows."""
        follows = self._lamp_follows
        async with self._open(user, folder) as mailbox, follows(user, mailbox, new, folder):
            await self._one(mailbox, uid)
            await mailbox.mark(uid, new=new)

    async def move(self, user: User, uid: str, folder: str = "", *, to: str) -> None:
        """Put it away, or take it back with an empty *to*; the lamp follows."""
        if to and to not in self.folders:
            raise MessageGone(uid[:60])
        lamp = self._lamp_follows
        async with self._open(user, folder) as mailbox, lamp(user, mailbox, False, folder):
            await self._one(mailbox, uid)
            await mailbox.move(uid, to)
        if folder and not to:
            async with self._open(user, "") as home, lamp(user, home, True, ""):
                return  # counted there, with what has come back

    async def delete(self, user: User, uid: str, folder: str = "") -> None:
        """Into the folder of deleted messages."""
        async with AsyncExitStack() as opened:
            mailbox = await opened.enter_async_context(self._open(user, folder))
            async with self._lamp_follows(user, mailbox, False, folder):
                await self._one(mailbox, uid)
                await mailbox.delete(uid)
            self._remember((user.id, uid), folder, mailbox, opened.pop_all())

    async def undelete(self, user: User, uid: str) -> None:
        """Back, as it was. Raises `MessageGone` also when too much time has passed."""
        deleted = self._deleted.pop((user.id, uid), None)
        if deleted is None:
            raise MessageGone(uid[:60])
        deleted.forget.cancel()
        lamp = self._lamp_follows(user, deleted.mailbox, True, deleted.folder)
        async with deleted.closing, lamp:
            await deleted.mailbox.undelete(uid)

    def can_come_back(self, user: User, uid: str) -> bool:
        """Is it a deleted message that can be brought back still?"""
        return (user.id, uid) in self._deleted

    async def close(self) -> None:
        """What is deleted stays in the folder of deleted messages."""
        for key in list(self._deleted):
            deleted = self._deleted.pop(key)
            deleted.forget.cancel()
            await deleted.closing.aclose()
        await asyncio.gather(*self._closing)

    async def _one(self, mailbox: Mailbox, uid: str) -> StoredMessage:
        """Only voice messages are shown here."""
        message = await message_named(mailbox, uid, [MessageKind.VOICE])
        if message is None:
            raise MessageGone(uid[:60])
        return message

    def _open(self, user: User, folder: str) -> AbstractAsyncContextManager[Mailbox]:
        """Raises `MailboxUnavailable` also for a folder that the site has not."""
        if folder and folder not in self.folders:
            raise MailboxUnavailable("there is no such folder")
        return self._mailboxes.open(user, folder) if folder else self._mailboxes.open(user)

    @asynccontextmanager
    async def _lamp_follows(
        self, user: User, mailbox: Mailbox, returned: bool, folder: str
    ) -> AsyncIterator[None]:
        """In a process without lamps, those who watch mailboxes see the change."""
        lamps = None if folder else self._lamps
        with lamps.by_owner(user.id) if lamps and returned else nullcontext():
            yield
            if lamps and user.mailbox:
                await lamps.show(user, await mailbox.counts())

    def _remember(
        self, key: tuple[str, str], folder: str, mailbox: Mailbox, closing: AsyncExitStack
    ) -> None:
        if len(self._deleted) >= MOST_DELETED:
            self._forget(next(iter(self._deleted)))
        loop = asyncio.get_running_loop()
        forget = loop.call_later(self._back_seconds, self._forget, key)
        self._deleted[key] = _Deleted(folder, mailbox, closing, forget)

    def _forget(self, key: tuple[str, str]) -> None:
        deleted = self._deleted.pop(key, None)
        if deleted is None:
            return
        deleted.forget.cancel()
        task = asyncio.get_running_loop().create_task(self._let_go(key, deleted))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _let_go(self, key: tuple[str, str], deleted: _Deleted) -> None:
        """For good, where the site wants that: what cannot be removed stays in the folder."""
        user_id, uid = key
        async with deleted.closing:
            try:
                if self._for_good:
                    await deleted.mailbox.purge(uid)
            except MessageGone:
                return
            except MailboxUnavailable as error:
                log.error("deleted message not removed", user=user_id, reason=str(error))


def has_text(message: StoredMessage, text: str) -> bool:
    """Has the caller's name, or the number in any spelling, that text in it?"""
    wanted = text.strip().casefold()
    digits = "".join(sign for sign in wanted if sign.isdigit()).lstrip("0")
    if wanted in message.caller.name.casefold():
        return True
    number = bool(digits) and not any(sign.isalpha() for sign in wanted)
    return number and digits in message.caller.number


def page_of(found: Sequence[StoredMessage], after: str, size: int = PAGE) -> MessagePage:
    """The newest ones that are older than *after*, the name of a place in the list."""
    place = _place(after)
    ordered = sorted(found, key=_key, reverse=True)
    rest = [one for one in ordered if place is None or _key(one) < place]
    shown = tuple(rest[:size])
    return MessagePage(shown, _token(shown[-1]) if len(rest) > size else "")


def _key(message: StoredMessage) -> tuple[datetime, str]:
    return message.received, message.uid


def _token(message: StoredMessage) -> str:
    text = f"{message.received.isoformat()} {message.uid}"
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")


def _place(token: str) -> tuple[datetime, str] | None:
    """None, the beginning, also for what is no such name."""
    short = token[:2000]
    try:
        raw = base64.urlsafe_b64decode(short + "=" * (-len(short) % 4))
        moment, _, uid = raw.decode().partition(" ")
        return datetime.fromisoformat(moment).astimezone(UTC), uid
    except (binascii.Error, ValueError, OverflowError):
        return None
