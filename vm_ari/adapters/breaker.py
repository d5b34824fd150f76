"""A circuit breaker: a server that fails is left alone for a while. Pure."""

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
