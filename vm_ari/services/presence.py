"""Who is in a call with us just now, hearing messages: nobody is called about them meanwhile."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Presence:
    """Of this controller's calls; another node's are not known."""

    _calls: Counter[str] = field(default_factory=Counter)
    """How many, by user id."""

    @contextmanager
    def of(self, user_id: str) -> Iterator[None]:
        """The time in which the user's messages are open to somebody on a telephone."""
        self._calls[user_id] += 1
        try:
            yield
        finally:
            self._calls[user_id] -= 1
            if not self._calls[user_id]:
                del self._calls[user_id]

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._calls
