"""Which server is asked first: a circuit breaker for each, and the one that we stay with. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

FIRST_REST = 1.0
LONGEST_REST = 30.0
REST_OF_REFUSED = 300.0
"""Seconds; a wrong password, asked again and again, locks the account on some servers."""


@dataclass
class Breaker:
    """Whether a server may be asked. Times are seconds of any clock that never goes back."""

    broken: bool = False
    next_try: float = 0.0
    reason: str = ""
    _rest: float = 0.0

    def works(self) -> None:
        """It has answered."""
        self.broken, self._rest, self.reason = False, 0.0, ""

    def fails(self, now: float, reason: str, *, refused: bool = False) -> None:
        """It has not; each time in a row it is left alone for twice as long."""
        if self.broken and now < self.next_try:
            return  # others have asked at the same time
        longer = min(max(self._rest * 2, FIRST_REST), LONGEST_REST)
        self._rest = REST_OF_REFUSED if refused else longer
        self.broken, self.next_try, self.reason = True, now + self._rest, reason


class Health:
    """The breakers of servers in their order of preference.

    Callers stay with the server that has answered last, and go back to one before it as soon as
    a trial (never a caller) has found that it works again.
    """

    def __init__(self, breakers: Sequence[Breaker]) -> None:
        self.breakers = breakers
        self._current = 0

    def order(self) -> Sequence[int]:
        """Which servers to ask, one after the other; none, if all are broken."""
        rest = [n for n in range(len(self.breakers)) if n != self._current]
        return [n for n in (self._current, *rest) if not self.breakers[n].broken]

    def works(self, server: int) -> None:
        """A server has answered."""
        self.breakers[server].works()
        if self.breakers[self._current].broken or server < self._current:
            self._current = server

    def fails(self, server: int, now: float, reason: str, *, refused: bool = False) -> None:
        """A server has not answered."""
        self.breakers[server].fails(now, reason, refused=refused)

    def due(self, now: float) -> Sequence[int]:
        """The broken servers that should be tried now."""
        return [n for n, each in enumerate(self.breakers) if each.broken and each.next_try <= now]

    def next_trial(self) -> float | None:
        """When a broken server should be tried next; None if none is broken."""
        return min((each.next_try for each in self.breakers if each.broken), default=None)
