"""The mass reset, decided: what it asks of each user's login, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from vm_ari.domain.login_state import WELCOME_DUE, LoginState, read_stamp, unlocked
from vm_ari.domain.welcome import NEW_PIN, asked_again


class JournalUnusable(Exception):
    """The file is no journal that can be gone on with, or cannot be written. The text says why."""


class JournalInUse(JournalUnusable):
    """Another reset works on it."""


class Outcome(Enum):
    """What became of one user."""

    OPEN = "open"
    """Not tried yet, or tried and the end is not known."""
    DONE = "done"
    UNCHANGED = "unchanged"
    """All that is asked for was so already."""
    FAILED = "failed"
    """The reason is noted, and a resumed run tries again."""


@dataclass(frozen=True)
class Order:
    """What the reset does to each user: the welcome mail leaves again, in any case."""

    new_pin: bool = False
    """It brings a new PIN, made when it leaves; until then the old one counts."""
    unlock: bool = False
    """Wrong PINs are forgotten, at once."""
    now: bool = False
    """The mail leaves at once, instead of with the next call."""

    @property
    def words(self) -> str:
        """For the journal."""
        asked = {"welcome": True, NEW_PIN: self.new_pin, "unlock": self.unlock, "now": self.now}
        return " ".join(word for word, wanted in asked.items() if wanted)

    def applied(self, state: LoginState) -> LoginState:
        """What shall be; a new PIN that somebody has asked for already is never taken back."""
        waiting = state.welcome == WELCOME_DUE and state.welcome_wish == NEW_PIN
        return asked_again(state, new_pin=self.new_pin or waiting, unlock=self.unlock)

    def again(self, state: LoginState, begun: datetime) -> LoginState:
        """What shall be after a try, begun then, whose end nobody saw: no mail leaves twice for it.

        Unlocking may be done twice, for a lock can be younger than the first time.
        """
        if self._has_mailed(state, begun):
            return unlocked(state) if self.unlock else state
        return self.applied(state)

    def _has_mailed(self, state: LoginState, begun: datetime) -> bool:
        """Has the welcome mail left since, with a new PIN where one is asked for?"""
        since = begun.replace(microsecond=0)  # as stamps are written
        mailed, pin_set = read_stamp(state.welcome), state.pin_set
        if mailed is None or mailed < since:
            return False
        return not self.new_pin or (pin_set is not None and pin_set >= since)


def order_of(words: str) -> Order:
    """The order with those `Order.words`. Raises ValueError."""
    there = set(words.split())
    order = Order(NEW_PIN in there, "unlock" in there, "now" in there)
    if set(order.words.split()) != there:
        raise ValueError(f"no order: {words[:60]!r}")
    return order


@dataclass(frozen=True)
class Item:
    """One user of a reset."""

    user: str
    """The id."""
    begun: datetime | None = None
    """When a try was begun whose end is not known."""
    outcome: Outcome = Outcome.OPEN
    reason: str = ""
    """Of a failure."""

    @property
    def is_finished(self) -> bool:
        """Is there nothing left to do?"""
        return self.outcome in {Outcome.DONE, Outcome.UNCHANGED}

    def tried(self, at: datetime) -> "Item":
        """A try begins."""
        return replace(self, begun=self.begun or at, outcome=Outcome.OPEN, reason="")

    def ended(self, outcome: Outcome, reason: str = "", *, unsure: bool = False) -> "Item":
        """A try has ended; *unsure*: it failed, and may have changed something all the same."""
        return Item(self.user, self.begun if unsure else None, outcome, reason)


@dataclass(frozen=True)
class Sums:
    """How many users came to what."""

    done: int = 0
    unchanged: int = 0
    failed: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """All users of the reset."""
        return self.done + self.unchanged + self.failed + self.open


def sums_of(items: Iterable[Item]) -> Sums:
    """Count them."""
    counts = dict.fromkeys(Outcome, 0)
    for item in items:
        counts[item.outcome] += 1
    return Sums(**{outcome.value: count for outcome, count in counts.items()})
