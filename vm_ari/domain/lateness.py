"""How late news are read, though their writer's clock may differ from ours."""

from dataclasses import dataclass

MEMORY = 300.0
"""Seconds for which the fastest news count, at least; twice as long at most."""


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
