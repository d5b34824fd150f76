"""Which mailboxes are to be counted, and which could not be; pure, without waiting or counting.

Two promises: of one mailbox there is one count at a time, and a change that is told during a count
has another one made.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from vm_ari.domain.users import User

PROBES = 8
"""Of those that failed, so many are tried at a time."""


class Recounts:
    """Mailboxes by user id; changes come before rounds."""

    def __init__(self) -> None:
        # the longest waiting first, and the user where somebody has just read him
        self._changed: OrderedDict[str, User | None] = OrderedDict()
        self._behind: OrderedDict[str, User | None] = OrderedDict()
        self._known: dict[str, User] = {}
        self._resting: set[str] = set()
        self._in_round: set[str] = set()

    @property
    def behind(self) -> int:
        """How many are to be counted in the course of a round."""
        return len(self._behind)

    @property
    def busy(self) -> bool:
        """Is anything to be counted, or being counted?"""
        return bool(self._changed or self._behind or self._resting)

    def want(self, user_id: str, user: User | None = None) -> None:
        """It has changed: count it next. *user*: as the directory gave him a moment ago."""
        self._changed[user_id] = user

    def want_behind(self, user_id: str) -> None:
        """Count it when nothing else is to be done."""
        self._behind.setdefault(user_id, None)

    def want_all(self, users: Sequence[User]) -> None:
        """Everybody's."""
        self._behind |= {user.id: user for user in users}

    def take(self, *, behind: bool) -> str | None:
        """The next that is neither being counted nor was a moment ago; *behind*: rounds, too."""
        found = self._first(self._changed)
        if found is None and behind:
            found = self._first(self._behind)
        if found is None:
            return None
        changed = found in self._changed
        quiet_round = self._behind.get(found, found) is None
        read = self._changed.pop(found, None), self._behind.pop(found, None)
        if user := read[0] or read[1]:
            self._known[found] = user
        if quiet_round and not changed:
            self._in_round.add(found)
        self._resting.add(found)
        return found

    def known(self, user_id: str) -> User | None:
        """The user as the directory gave him a moment ago, once."""
        return self._known.pop(user_id, None)

    def in_round(self, user_id: str) -> bool:
        """Is it counted though nothing was heard of it? Told once."""
        found = user_id in self._in_round
        self._in_round.discard(user_id)
        return found

    def rest(self, user_id: str) -> None:
        """It was counted, or that failed: it is left alone until `rested`."""
        self._known.pop(user_id, None)

    def rested(self, user_id: str) -> None:
        """It may be counted again."""
        self._resting.discard(user_id)

    def _first(self, waiting: Iterable[str]) -> str | None:
        return next((one for one in waiting if one not in self._resting), None)


class Failed:
    """Mailboxes whose last count failed."""

    def __init__(self) -> None:
        self._ids: dict[str, None] = {}
        self.recoveries = 0
        """How many of them worked again, ever."""

    def __bool__(self) -> bool:
        return bool(self._ids)

    def add(self, user_id: str) -> None:
        """It has failed now; tried next are those that failed before."""
        self._ids.pop(user_id, None)
        self._ids[user_id] = None

    def forget(self, user_id: str) -> None:
        """There is no such mailbox any more."""
        self._ids.pop(user_id, None)

    def works(self, user_id: str) -> bool:
        """It was counted; had it failed before?"""
        if user_id not in self._ids:
            return False
        del self._ids[user_id]
        self.recoveries += 1
        return True

    def some(self) -> Sequence[str]:
        """The few to be tried now."""
        return list(self._ids)[:PROBES]

    def all(self) -> Sequence[str]:
        """Everybody."""
        return list(self._ids)
