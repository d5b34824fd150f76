"""How late news are read, though their writer's clock may differ from ours; and who still waits."""

from dataclasses import dataclass, field

MEMORY = 300.0
"""Seconds for which the fastest news count, at least; twice as long at most."""

PATIENCE = 0.1
"""Seconds after which a caller who has heard nothing waits for long."""
FORGOTTEN = 2.5
"""Seconds: by then the dialplan has taken the call back (`asterisk-conf/`), or a server is away,
which others need not."""
CROWD = 8
"""So many who wait at the same time, half of them for long, are no accident."""


@dataclass
class Lateness:
    """Compares with the fastest news of the last minutes: what those took is the clocks' affair."""

    _since: float = float("-inf")
    _fastest: float = float("inf")
    _fastest_before: float = float("inf")

    def of(self, written: float, read: float) -> float:
        """Seconds by which news took longer than the fastest; both are seconds of a clock."""
        if read - self._since > MEMORY:
            still_fresh = read - self._since <= 2 * MEMORY
            self._fastest_before = self._fastest if still_fresh else float("inf")
            self._since, self._fastest = read, float("inf")
        self._fastest = min(self._fastest, read - written)
        return read - written - min(self._fastest, self._fastest_before)


@dataclass
class Queue:
    """The callers who wait for the first sound. Where a crowd does, one more would wait, too.

    News of calls are read at once even when everything that follows takes long: so their lateness
    alone does not tell that there are more calls than can be served.
    """

    _since: dict[str, float] = field(default_factory=dict)

    def joins(self, call: str, since: float) -> None:
        """A call has come; *since* and *now* are seconds of the same clock."""
        self._since[call] = since

    def leaves(self, call: str) -> None:
        """Something is to be heard, or it is over; also of one that did not wait."""
        self._since.pop(call, None)

    def is_crowded(self, now: float) -> bool:
        """Is another call better off elsewhere?"""
        waits = [now - since for since in self._since.values() if now - since <= FORGOTTEN]
        return len(waits) >= CROWD and sum(one > PATIENCE for one in waits) >= CROWD // 2
