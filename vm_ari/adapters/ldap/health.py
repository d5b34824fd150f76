"""Which directory server is asked first, and the one that we stay with. Pure."""

from collections.abc import Sequence

from vm_ari.adapters.breaker import Breaker


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
