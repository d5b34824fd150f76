"""What is wrong with users' PINs; no PIN is ever shown (LOGIN-02, LOGIN-04)."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from vm_ari.domain.access import LoginRules, expires, has_expired
from vm_ari.domain.entries import Entry
from vm_ari.domain.login_state import LoginState
from vm_ari.domain.pin import is_locked
from vm_ari.domain.pin_rules import pin_fault
from vm_ari.ports import Clock, LoginRecords, UnknownUser

AT_ONCE = 8


@dataclass(frozen=True)
class Audit:
    """One user's PIN."""

    user: str
    findings: tuple[str, ...]
    """Words such as ``none``, ``default``, ``locked``, ``expired``; empty: all is well."""
    pin_set: datetime | None = None
    ends: datetime | None = None


async def audit(
    records: LoginRecords,
    entries: Sequence[Entry],
    rules: LoginRules,
    clock: Clock,
    progress: Callable[[int], None] = lambda _done: None,
) -> list[Audit]:
    """Look at each of them. Raises `DirectoryUnavailable`."""
    turns = asyncio.Semaphore(AT_ONCE)
    now = clock.now()

    async def one(entry: Entry) -> Audit | None:
        async with turns:
            try:
                state = await records.login_state(entry.id)
            except UnknownUser:
                return None  # removed meanwhile
            progress(1)
            found = findings(entry, state, rules, now)
            return Audit(entry.id, found, state.pin_set, expires(state, rules))

    return [found for found in await asyncio.gather(*map(one, entries)) if found]


def findings(entry: Entry, state: LoginState, rules: LoginRules, now: datetime) -> tuple[str, ...]:
    """What an admin should know."""
    numbers = (*entry.numbers, entry.mailbox)
    fault = None
    if state.pin:
        fault = pin_fault(state.pin, shortest=rules.shortest_pin, numbers=numbers)
    there = {
        "none": not state.has_pin and not rules.default_pin,
        "default": not state.has_pin and bool(rules.default_pin),
        "unreadable": state.unopened,
        f"weak: {fault}": fault is not None,
        "expired": has_expired(state, rules, now),
        "must be changed": state.must_change,
        "locked": is_locked(state.failures, rules.failures_before_lock),
    }
    return tuple(word for word, applies in there.items() if applies)
