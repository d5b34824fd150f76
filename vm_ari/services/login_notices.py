"""Mails about logins: that one is locked, that a PIN ends (LOGIN-03, LOGIN-04)."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from vm_ari.domain.access import AfterExpiry, LoginRules, expires, needs_reminder
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry
from vm_ari.domain.login_state import LoginState, stamp, state_of
from vm_ari.domain.pin import is_locked
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryUnavailable,
    MailNotQueued,
    Notices,
    UnknownUser,
    UserRegister,
)

log = structlog.get_logger("vm_ari.login")

EVERY = timedelta(days=1)
TRY_AGAIN = timedelta(minutes=10)
"""After the directory was away."""
_FRESH = timedelta(days=1)
"""So long a mail that was promised is promised again: the process may have died before it."""


@dataclass(frozen=True)
class Sums:
    """What one round has done."""

    reminded: int = 0
    locks_told: int = 0
    dated: int = 0
    """PINs of unknown age, which count from now on."""
    failed: int = 0


@dataclass(frozen=True)
class LoginNotices:
    """Tells users what they should know of their logins, each thing once."""

    register: UserRegister
    directory: Directory
    notices: Notices
    clock: Clock
    rules: LoginRules = field(default_factory=LoginRules)
    _running: set["asyncio.Task[None]"] = field(default_factory=set)

    def failed(self, user: User) -> None:
        """A wrong PIN: look, beside the call, whether it has locked the login."""
        if self.rules.lock_notice and self.rules.failures_before_lock:
            task = asyncio.create_task(self._tell_lock_of(user), name=f"lock {user.id}")
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def settle(self) -> None:
        """Wait for what failures have set off."""
        await asyncio.gather(*self._running)

    async def run(self) -> None:
        """One round at the start, and then every day, until cancelled."""
        while True:
            try:
                sums = await self.round()
            except DirectoryUnavailable as error:
                log.warning("nobody is reminded yet", reason=str(error))
                await asyncio.sleep(TRY_AGAIN.total_seconds())
            except Exception:  # calls go on, whatever this is
                log.exception("nobody is reminded today")
                await asyncio.sleep(EVERY.total_seconds())
            else:
                log.info(
                    "reminders", reminded=sums.reminded, locked=sums.locks_told, failed=sums.failed
                )
                await asyncio.sleep(EVERY.total_seconds())

    async def round(self) -> Sums:
        """Tell everybody what is due. Raises `DirectoryUnavailable`."""
        entries = await self.register.all_entries()
        due = await asyncio.to_thread(self._due, entries)
        reminded = [await self._careful(entry, self._remind(entry.id)) for entry in due.ending]
        locked = [await self._careful(entry, self._tell_lock(entry.id)) for entry in due.locked]
        dated = [await self._careful(entry, self._date(entry.id)) for entry in due.undated]
        return Sums(
            reminded=reminded.count(True),
            locks_told=locked.count(True),
            dated=dated.count(True),
            failed=(*reminded, *locked, *dated).count(None),
        )

    def _due(self, entries: Sequence[Entry]) -> "_Due":
        now = self.clock.now()
        states = [(entry, state_of(entry)) for entry in entries]
        return _Due(
            ending=[entry for entry, state in states if needs_reminder(state, self.rules, now)],
            locked=[entry for entry, state in states if self._lock_is_news(state, now)],
            undated=[
                entry
                for entry, state in states
                if self.rules.pin_days and state.has_pin and state.pin_set is None
            ],
        )

    def _lock_is_news(self, state: LoginState, now: datetime) -> bool:
        if not (self.rules.lock_notice and self._is_locked(state)):
            return False
        return state.lock_told is None or now - state.lock_told < _FRESH

    def _is_locked(self, state: LoginState) -> bool:
        return is_locked(state.failures, self.rules.failures_before_lock)

    async def _careful(self, entry: Entry, work: Awaitable[bool]) -> bool | None:
        """None: it failed, and the next round tries again."""
        try:
            return await work
        except (DirectoryUnavailable, MailNotQueued, UnknownUser, Unstorable) as error:
            log.warning("user not told", user=entry.id, reason=str(error))
            return None

    async def _remind(self, user_id: str) -> bool:
        """The mail first: who dies in between finds it queued already, and writes no other one."""
        now = self.clock.now()
        state = await self.register.login_state(user_id)
        user = await self.directory.user_by_id(user_id)
        end = expires(state, self.rules)
        if user is None or end is None or not needs_reminder(state, self.rules, now):
            return False
        values = {"ends": end, "days": (end - now).days, "prevented": self._prevented}
        await self.notices.tell(user, SystemMail.PIN_REMINDER, values, occasion=stamp(end))
        await self.register.change_login(
            user_id,
            lambda now_: replace(now_, pin_told=now) if now_.pin_set == state.pin_set else now_,
        )
        return True

    @property
    def _prevented(self) -> bool:
        return self.rules.after_expiry is AfterExpiry.PREVENT

    async def _date(self, user_id: str) -> bool:
        """Nobody knows how old that PIN is: it counts from today."""
        now = self.clock.now()
        change = await self.register.change_login(
            user_id,
            lambda state: replace(state, pin_set=now) if _is_undated(state) else state,
        )
        return change.before != change.after

    async def _tell_lock_of(self, user: User) -> None:
        try:
            await self._tell_lock(user.id)
        except (DirectoryUnavailable, MailNotQueued, UnknownUser, Unstorable) as error:
            log.warning("user not told of the lock yet", user=user.id, reason=str(error))
        except Exception:
            log.exception("user not told of the lock yet", user=user.id)

    async def _tell_lock(self, user_id: str) -> bool:
        """One mail for one lock, whoever sees it first."""
        if not self._is_locked(await self.register.login_state(user_id)):
            return False
        now = self.clock.now().replace(microsecond=0)

        def claim(state: LoginState) -> LoginState:
            news = self._is_locked(state) and state.lock_told is None
            return replace(state, lock_told=now) if news else state

        state = (await self.register.change_login(user_id, claim)).after
        user = await self.directory.user_by_id(user_id)
        if user is None or state.lock_told is None or now - state.lock_told >= _FRESH:
            return False
        values = {"when": state.lock_told, "failures": state.failures}
        occasion = stamp(state.lock_told)
        await self.notices.tell(user, SystemMail.LOGIN_LOCKED, values, occasion=occasion)
        return True


@dataclass(frozen=True)
class _Due:
    """Whom a round looks at."""

    ending: Sequence[Entry]
    locked: Sequence[Entry]
    undated: Sequence[Entry]


def _is_undated(state: LoginState) -> bool:
    return state.has_pin and state.pin_set is None
