"""The world in memory, for tests of dialogues and services.

Each fake passes the same contract tests as the real thing (`tests/adapters/*_contract.py`).
"""

import tempfile
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from vm_ari.adapters.database import NumberTaken, UnknownUser, UserExists
from vm_ari.domain.entries import effective_user, entry_of
from vm_ari.domain.greeting_ends import GreetingEnd
from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey, Source
from vm_ari.domain.login_state import Decide, LoginChange, LoginState, unlocked, with_pin
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage, VoiceMessage
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK, PinCheck, is_locked
from vm_ari.domain.quota import Quota
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    DirectoryReadOnly,
    DirectoryUnavailable,
    GreetingsUnavailable,
    MailboxUnavailable,
    MessageGone,
    UnusableAudio,
)


@dataclass
class FakeMailboxes:
    """Message stores of all users; *unavailable* makes every access fail."""

    unavailable: bool = False
    inboxes: dict[str, dict[str, StoredMessage]] = field(default_factory=dict)
    """By user id and uid."""
    deleted: dict[str, dict[str, StoredMessage]] = field(default_factory=dict)
    others: dict[tuple[str, str], dict[str, StoredMessage]] = field(default_factory=dict)
    """By user id and name of a further folder."""
    recordings: dict[str, str] = field(default_factory=dict)
    """Path of the audio by uid."""
    quotas: dict[str, Quota] = field(default_factory=dict)
    """By user."""
    mails: dict[str, bytes] = field(default_factory=dict)
    """By uid, lines ending in CRLF."""

    def put(
        self, user: User, message: StoredMessage, recording: str = "", mail: bytes = b""
    ) -> None:
        """A message is there."""
        self.inboxes.setdefault(user.id, {})[message.uid] = message
        self.recordings[message.uid] = recording
        self.mails[message.uid] = mail

    def lose(self, user: User, uid: str) -> None:
        """Somebody else removes it for good."""
        self.inboxes.get(user.id, {}).pop(uid, None)
        self.deleted.get(user.id, {}).pop(uid, None)

    def of(self, user: User) -> Sequence[StoredMessage]:
        """What lies in the user's inbox, in order of arrival."""
        return list(self.inboxes.get(user.id, {}).values())

    @asynccontextmanager
    async def open(self, user: User, folder: str = "") -> AsyncIterator["FakeMailbox"]:
        """One session."""
        with tempfile.TemporaryDirectory(prefix="vm-ari-") as work:
            mailbox = FakeMailbox(self, user.id, Path(work), folder)
            mailbox.check()
            yield mailbox

    async def counts(self, user: User) -> Counts:
        """One look."""
        async with self.open(user) as mailbox:
            return await mailbox.counts()


@dataclass
class FakeMailbox:
    """One user's messages."""

    store: FakeMailboxes
    user_id: str
    work: Path = Path()
    folder: str = ""

    def check(self) -> None:
        """Raises `MailboxUnavailable` when the test wants that."""
        if self.store.unavailable:
            raise MailboxUnavailable("the test says so")

    async def counts(self) -> Counts:
        self.check()
        messages = self._inbox().values()
        voice = [m for m in messages if m.kind is MessageKind.VOICE]
        return Counts(
            new_voice=sum(m.new for m in voice),
            heard_voice=sum(not m.new for m in voice),
            new_other=sum(m.new for m in messages if m.kind is not MessageKind.VOICE),
            urgent_voice=sum(m.new and m.urgent for m in voice),
            new_fax=sum(m.new and m.kind is MessageKind.FAX for m in messages),
            new_text=sum(m.new and m.kind is MessageKind.TEXT for m in messages),
        )

    async def messages(self, kind: MessageKind, *, new: bool) -> Sequence[StoredMessage]:
        self.check()
        return [m for m in self._inbox().values() if m.kind is kind and m.new is new]

    async def audio(self, uid: str) -> Path:
        self.check()
        self._present(self._inbox(), uid)
        return Path(self.store.recordings[uid])

    async def mail(self, uid: str, *, most: int | None = None) -> Path:
        self.check()
        self._present(self._inbox(), uid)
        path = self.work / f"mail-{len(list(self.work.iterdir()))}"
        path.touch(mode=0o600)
        path.write_bytes(self.store.mails.get(uid, b"")[:most])
        return path

    async def quota(self) -> Quota | None:
        self.check()
        return self.store.quotas.get(self.user_id)

    async def mark(self, uid: str, *, new: bool) -> None:
        self.check()
        self._inbox()[uid] = replace(self._present(self._inbox(), uid), new=new)

    async def delete(self, uid: str) -> None:
        self.check()
        self._move(uid, self._inbox(), self._deleted())

    async def find(self, message_id: str, since: datetime) -> str | None:
        self.check()
        own = message_id.removeprefix("<").partition("@")[0]
        return own if own in self._inbox() else None

    async def undelete(self, uid: str) -> None:
        self.check()
        self._move(uid, self._deleted(), self._inbox())

    async def purge(self, uid: str) -> None:
        self.check()
        self._present(self._deleted(), uid)
        del self._deleted()[uid]

    async def move(self, uid: str, folder: str) -> None:
        self.check()
        self._move(uid, self._inbox(), self._folder(folder))

    def _inbox(self) -> dict[str, StoredMessage]:
        return self._folder(self.folder)

    def _folder(self, name: str) -> dict[str, StoredMessage]:
        if name:
            return self.store.others.setdefault((self.user_id, name), {})
        return self.store.inboxes.setdefault(self.user_id, {})

    def _deleted(self) -> dict[str, StoredMessage]:
        return self.store.deleted.setdefault(self.user_id, {})

    def _present(self, folder: dict[str, StoredMessage], uid: str) -> StoredMessage:
        if uid not in folder:
            raise MessageGone(uid)
        return folder[uid]

    def _move(
        self, uid: str, source: dict[str, StoredMessage], target: dict[str, StoredMessage]
    ) -> None:
        target[uid] = self._present(source, uid)
        del source[uid]


@dataclass
class FakeCourier:
    """Delivers into `FakeMailboxes`; each of *troubles* is raised once, by the next attempts."""

    mailboxes: FakeMailboxes
    troubles: list[Exception] = field(default_factory=list)
    delivered: list[VoiceMessage] = field(default_factory=list)

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """The uid of a delivered message is the id of its facts."""
        if self.troubles:
            raise self.troubles.pop(0)
        if await self.has(message, user):
            return
        facts = message.facts
        stored = StoredMessage(
            uid=facts.id,
            kind=MessageKind.VOICE,
            received=facts.started,
            caller=facts.caller if not plain else replace(facts.caller, name=""),
            seconds=message.seconds,
            urgent=facts.urgent,
            genuine=True,
        )
        self.mailboxes.put(user, stored, message.audio)
        self.delivered.append(message)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """In the inbox or among the deleted ones."""
        stores = (self.mailboxes.inboxes, self.mailboxes.deleted)
        return any(message.facts.id in store.get(user.id, {}) for store in stores)


class FakeDirectory:
    """Users and PINs; *unavailable* makes every access fail."""

    def __init__(
        self,
        *users: User,
        pin: str | None = None,
        allowed_failures: int = FAILURES_BEFORE_LOCK,
        default_pin: str = "",
    ) -> None:
        self.unavailable = False
        self.read_only = False
        self.users = {user.id: user for user in users}
        self.pins: dict[str, str] = dict.fromkeys(self.users, pin) if pin else {}
        self.failures: dict[str, int] = {}
        self.logins: dict[str, LoginState] = {}
        """What else is remembered; PIN and failures lie above."""
        self._allowed = allowed_failures
        self._default_pin = default_pin

    async def user_by_number(self, number: str) -> User | None:
        self._check()
        found = (u for u in self.users.values() if number in {*u.numbers, u.mailbox})
        return next(found, None)

    async def user_by_id(self, user_id: str) -> User | None:
        self._check()
        return self.users.get(user_id)

    async def all_users(self) -> Sequence[User]:
        self._check()
        return sorted(self.users.values(), key=lambda user: user.id)

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        self._check()
        known = self.pins.get(user_id) or (self._default_pin if user_id in self.users else "")
        if not known:
            return PinCheck.WRONG
        failures = self.failures.get(user_id, 0)
        if is_locked(failures, self._allowed):
            return PinCheck.LOCKED
        right = known == pin
        self.failures[user_id] = 0 if right else failures + 1
        return PinCheck.RIGHT if right else PinCheck.WRONG

    async def login_state(self, user_id: str) -> LoginState:
        self._known(user_id)
        return replace(
            self.logins.get(user_id, LoginState()),
            pin=self.pins.get(user_id, ""),
            failures=self.failures.get(user_id, 0),
        )

    async def change_login(self, user_id: str, decide: Decide) -> LoginChange:
        before = await self.login_state(user_id)
        after = decide(before)
        if after != before:
            self._check_writable()
            self.logins[user_id] = after
            self.failures[user_id] = after.failures
            self.pins.pop(user_id, None)
            if after.pin:
                self.pins[user_id] = after.pin
        return LoginChange(before, after)

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        self._known(user_id)
        self._check_writable()
        entry = entry_of(self.users[user_id])
        texts = {**entry.settings, **new}
        kept = {key: text for key, text in texts.items() if text is not None}
        self.users[user_id] = effective_user(replace(entry, settings=kept), None, {})

    async def add_user(self, user: User, pin: str | None = None) -> None:
        self._check()
        if user.id in self.users:
            raise UserExists(user.id)
        for number in (user.mailbox, *user.numbers):
            if await self.user_by_number(number):
                raise NumberTaken(number)
        self.users[user.id] = user
        await self.set_pin(user.id, pin)

    async def remove_user(self, user_id: str) -> None:
        self._known(user_id)
        del self.users[user_id]
        for kept in (self.pins, self.failures, self.logins):
            kept.pop(user_id, None)

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        await self.change_login(user_id, lambda state: with_pin(state, pin or "", None))

    async def unlock(self, user_id: str) -> None:
        await self.change_login(user_id, unlocked)

    def _known(self, user_id: str) -> None:
        self._check()
        if user_id not in self.users:
            raise UnknownUser(user_id)

    def _check_writable(self) -> None:
        if self.read_only:
            raise DirectoryReadOnly("the test says so")

    def _check(self) -> None:
        if self.unavailable:
            raise DirectoryUnavailable("the test says so")


@dataclass
class FakeGreetings:
    """Recorded greetings by owner; *unusable* are paths of audio that cannot become one."""

    clock: Clock
    unavailable: bool = False
    unusable: set[Path] = field(default_factory=set)
    owners: dict[str, dict[GreetingKey, Greeting]] = field(default_factory=dict)
    mode: GlobalMode = GlobalMode.OFF
    _kept: int = 0

    async def of(self, owner: str) -> Mapping[GreetingKey, Greeting]:
        self._check()
        return dict(self.owners.get(owner, {}))

    async def keep(
        self, key: GreetingKey, audio: Path, source: Source, *, expires: datetime | None = None
    ) -> Greeting:
        self._check()
        if audio in self.unusable:
            raise UnusableAudio("the test says so")
        self._kept += 1
        path = Path(f"/greetings/{key.owner}/{key.slot}-{key.language}-{self._kept}")
        kept = Greeting(key, path, 3.0, self.clock.now(), source, expires)
        self.owners.setdefault(key.owner, {})[key] = kept
        return kept

    async def set_expiry(self, key: GreetingKey, expires: datetime | None) -> Greeting | None:
        self._check()
        owned = self.owners.get(key.owner, {})
        if key in owned:
            owned[key] = replace(owned[key], expires=expires)
        return owned.get(key)

    async def delete(self, key: GreetingKey) -> bool:
        self._check()
        return self.owners.get(key.owner, {}).pop(key, None) is not None

    async def delete_all(self, owner: str) -> int:
        self._check()
        return len(self.owners.pop(owner, {}))

    async def for_callers(self, owner: str) -> tuple[Mapping[GreetingKey, Greeting], GlobalMode]:
        self._check()
        return {**self.owners.get(owner, {}), **self.owners.get(SITE, {})}, self.mode

    async def global_mode(self) -> GlobalMode:
        self._check()
        return self.mode

    async def set_global_mode(self, mode: GlobalMode) -> None:
        self._check()
        self.mode = mode

    async def ending(
        self, owners: Collection[str], after: datetime, until: datetime
    ) -> Sequence[GreetingEnd]:
        self._check()
        return [
            GreetingEnd(key, one.expires)
            for owner in owners
            for key, one in self.owners.get(owner, {}).items()
            if one.expires and after < one.expires <= until
        ]

    def _check(self) -> None:
        if self.unavailable:
            raise GreetingsUnavailable("the test says so")


@dataclass
class FakeLamps:
    """Remembers what the phones were told."""

    shown: dict[str, tuple[int, int]] = field(default_factory=dict)
    """New and old by mailbox: what every phone shows now."""
    history: list[tuple[str, int, int]] = field(default_factory=list)

    async def show(self, mailbox: str, new: int, old: int) -> None:
        self.shown[mailbox] = (new, old)
        self.history.append((mailbox, new, old))
