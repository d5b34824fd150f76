"""Logging in by telephone: who may, whether the PIN is right, and setting a new one (LOGIN)."""

import asyncio
import math
import secrets
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

import structlog

from vm_ari.domain.access import (
    Decision,
    LoginRules,
    Origin,
    Standing,
    Verdict,
    decide,
    decide_called,
    known_number,
    standing,
)
from vm_ari.domain.login_budget import UNKNOWN, Attempt, Budget, Pace, pace
from vm_ari.domain.login_state import LoginState, with_pin
from vm_ari.domain.pin import PinCheck, is_locked
from vm_ari.domain.pin_rules import PinFault, pin_fault
from vm_ari.domain.users import User
from vm_ari.measures import LOGINS
from vm_ari.ports import CallDirectory, Clock, LoginRecords

log = structlog.get_logger("vm_ari.accounts")
failed_logins = structlog.get_logger("vm_ari.login")

ANSWER_STEP = 0.25
"""Seconds: a failure is told at a multiple of them, so that its time does not tell its reason."""
SLOW_SECONDS = 3.0
"""What an attempt waits while far too many fail."""
MOST_REMEMBERED = 10_000
Locked = Callable[[User], None]
"""Hears of every failure that may have locked a login; must neither wait nor raise."""
SignedIn = Callable[[User], None]
"""Hears of every login; must neither wait nor raise."""


class Denial(Enum):
    """Why somebody did not get in: for the log, callers all hear the same."""

    WRONG = "wrong"
    LOCKED = "locked"
    NOT_ALLOWED = "not allowed"
    TOO_MANY = "too many failures"


@dataclass(frozen=True)
class Attempts:
    """Failures that are remembered, in this process only; the latest ones.

    What other nodes remember counts, too, as far as somebody tells it (`services.shared_attempts`).
    """

    budget: Budget = field(default_factory=Budget)
    _recent: deque[Attempt] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))
    _elsewhere: deque[Attempt] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))

    def pace(self, caller: str, clock: Clock) -> Pace:
        """How that caller is to be treated now."""
        now = clock.now()
        while self._recent and now - self._recent[0].at >= self.budget.window:
            self._recent.popleft()
        return pace((*self._recent, *self._elsewhere), caller, now, self.budget)

    def own(self) -> Sequence[Attempt]:
        """What this process remembers, the oldest first."""
        return tuple(self._recent)

    def heard(self, others: Iterable[Attempt]) -> None:
        """What all other nodes remember now, instead of what they did before."""
        self._elsewhere.clear()
        self._elsewhere.extend(others)

    def begin(self, caller: str, clock: Clock) -> Attempt:
        """Counted before it is judged: many at once get no more than one after the other."""
        attempt = Attempt(clock.now(), caller)
        self._recent.append(attempt)
        return attempt

    def succeeded(self, attempt: Attempt) -> None:
        """It was no failure."""
        if attempt in self._recent:
            self._recent.remove(attempt)


@dataclass(frozen=True)
class Logins:
    """Logins of one node. Every method that waits raises `DirectoryUnavailable`."""

    directory: CallDirectory
    clock: Clock
    rules: LoginRules = field(default_factory=LoginRules)
    attempts: Attempts = field(default_factory=Attempts)
    on_failure: Locked = lambda _user: None
    on_success: SignedIn = lambda _user: None

    def decide(self, user: User, origin: Origin) -> Decision:
        """May that telephone log in, and with the PIN?"""
        return decide(user, origin, self.rules)

    def known_number(self, origin: Origin) -> str:
        """The caller's number where it can be relied on; else empty."""
        return known_number(origin, self.rules)

    async def admits(self, user: User, origin: Origin) -> bool:
        """Does he get in without a PIN? Never into a mailbox whose login is locked."""
        decision = self.decide(user, origin)
        if decision.verdict is not Verdict.ADMIT or await self._is_locked(user):
            return False
        log.info("login without PIN", user=user.id, reason=decision.reason)
        LOGINS.add("telephone", "without-pin")
        self.on_success(user)
        return True

    async def admits_called(self, user: User, phone: str) -> bool:
        """The same on a telephone that we have called."""
        verdict = decide_called(user, phone, self.rules)
        if verdict is not Verdict.ADMIT or await self._is_locked(user):
            return False
        LOGINS.add("telephone", "without-pin")
        self.on_success(user)
        return True

    async def check_pin(
        self, user: User | None, pin: str, origin: Origin, *, mailbox: str
    ) -> PinCheck:
        """Judge a login; a mailbox that does not exist answers like a wrong PIN, and as late.

        That the directory is away is never counted as a wrong PIN.
        """
        begun = _loop_time()
        caller = _key(origin)
        pace_ = self.attempts.pace(caller, self.clock)
        attempt = self.attempts.begin(caller, self.clock)
        denial = Denial.TOO_MANY
        if pace_ is not Pace.REFUSED:
            if pace_ is Pace.SLOW and not origin.phone:
                await asyncio.sleep(SLOW_SECONDS)
            why = await self._judge(user, pin, origin, attempt)
            if why is None:
                self.attempts.succeeded(attempt)
                LOGINS.add("telephone", "right")
                if user:
                    self.on_success(user)
                return PinCheck.RIGHT
            denial = why
        LOGINS.add("telephone", denial.value.replace(" ", "-"))
        failed_logins.warning(
            "login failed",
            caller=origin.phone or origin.caller or "unknown",
            mailbox=mailbox,
            reason=denial.value,
        )
        await _until_the_next_step(begun)
        return PinCheck.LOCKED if denial is Denial.LOCKED else PinCheck.WRONG

    async def standing(self, user: User) -> Standing:
        """What the user may do now that the PIN was right."""
        state = await self.directory.login_state(user.id)
        return standing(state, self.rules, self.clock.now())

    async def fault(self, user: User, pin: str) -> PinFault | None:
        """What keeps that from being the user's new PIN. Raises `UnknownUser`."""
        state = await self.directory.login_state(user.id)
        used = (state.pin, *state.previous)
        return pin_fault(pin, shortest=self.rules.shortest_pin, numbers=_numbers(user), used=used)

    async def change_pin(self, user: User, pin: str, *, one_time: bool = False) -> PinFault | None:
        """Set it, durably, unless it has a fault. Raises `UnknownUser`, `Unstorable`."""
        return await set_pin(
            self.directory, user.id, pin, self.rules, _numbers(user), self.clock, one_time=one_time
        )

    async def _is_locked(self, user: User) -> bool:
        state = await self.directory.login_state(user.id)
        return is_locked(state.failures, self.rules.failures_before_lock)

    async def _judge(
        self, user: User | None, pin: str, origin: Origin, attempt: Attempt
    ) -> Denial | None:
        """Why not; None: he is the owner."""
        allowed = user is not None and self.decide(user, origin).verdict is not Verdict.REFUSE
        # who may not log in has no PIN that could be found out, or be locked by strangers
        asked = user.id if user and allowed else ""
        try:
            match await self.directory.check_pin(asked, pin):
                case PinCheck.RIGHT:
                    return None
                case PinCheck.LOCKED:
                    return Denial.LOCKED
        except BaseException:
            self.attempts.succeeded(attempt)
            raise
        if user and allowed:
            self.on_failure(user)
        return Denial.WRONG if allowed or user is None else Denial.NOT_ALLOWED


async def set_pin(
    records: LoginRecords,
    user_id: str,
    pin: str,
    rules: LoginRules,
    numbers: Iterable[str],
    clock: Clock,
    *,
    one_time: bool = False,
) -> PinFault | None:
    """Set a PIN, durably, unless it has a fault; a lock stays.

    Raises `DirectoryUnavailable`, `UnknownUser`, `Unstorable`.
    """
    own, now = tuple(numbers), clock.now()
    found: list[PinFault | None] = [None]

    def decide_pin(state: LoginState) -> LoginState:
        used = (state.pin, *state.previous)
        found[0] = pin_fault(pin, shortest=rules.shortest_pin, numbers=own, used=used)
        return state if found[0] else with_pin(state, pin, now, one_time=one_time)

    await records.change_login(user_id, decide_pin)
    return found[0]


async def renew_pin(
    records: LoginRecords,
    user_id: str,
    rules: LoginRules,
    numbers: Iterable[str],
    clock: Clock,
    *,
    one_time: bool = True,
) -> str:
    """Set a random PIN, durably, and tell it; a lock stays. Raises as `set_pin`."""
    own, now = tuple(numbers), clock.now()

    def decide_pin(state: LoginState) -> LoginState:
        pin = random_pin(rules, own, (state.pin, *state.previous))
        return with_pin(state, pin, now, one_time=one_time)

    return (await records.change_login(user_id, decide_pin)).after.pin


def random_pin(rules: LoginRules, numbers: Iterable[str] = (), used: Collection[str] = ()) -> str:
    """A PIN that nobody can guess, and that the rules allow."""
    own = tuple(numbers)
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(rules.shortest_pin))
        if pin_fault(pin, shortest=rules.shortest_pin, numbers=own, used=used) is None:
            return pin


def _numbers(user: User) -> tuple[str, ...]:
    return (*user.numbers, user.mailbox, user.mobile)


def _key(origin: Origin) -> str:
    """What tells callers apart; a number that is only claimed is another one than a proven one."""
    if origin.phone:
        return f"phone {origin.phone}"
    return f"number {origin.caller}" if origin.caller else UNKNOWN


async def _until_the_next_step(begun: float) -> None:
    passed = _loop_time() - begun
    await asyncio.sleep(max(1, math.ceil(passed / ANSWER_STEP)) * ANSWER_STEP - passed)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
