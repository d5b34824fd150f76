"""How many requests each token may make, in this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

MOST_AT_ONCE = 8
"""Requests of one token that are answered at the same time."""
_MOST_REMEMBERED = 5000


@dataclass
class _Bucket:
    """What a token has left."""

    left: float
    at: datetime
    running: int = 0


class Rates:
    """So many requests in a minute, evenly or all at once; then as many as the time brings."""

    def __init__(self, per_minute: int) -> None:
        self._per_second = per_minute / 60
        self._most = float(per_minute)
        self._buckets: dict[str, _Bucket] = {}

    def wait(self, token_id: str, now: datetime) -> int:
        """Take one request; 0: go on, else how many seconds to wait before the next try."""
        bucket = self._buckets.setdefault(token_id, _Bucket(self._most, now))
        passed = max(0.0, (now - bucket.at).total_seconds())
        bucket.left = min(self._most, bucket.left + passed * self._per_second)
        bucket.at = now
        if bucket.running >= MOST_AT_ONCE:
            return 1
        if bucket.left < 1:
            return int((1 - bucket.left) / self._per_second) + 1
        bucket.left -= 1
        self._forget(now)
        return 0

    @contextmanager
    def running(self, token_id: str) -> Iterator[None]:
        """While one of its requests is answered."""
        bucket = self._buckets[token_id]
        bucket.running += 1
        try:
            yield
        finally:
            bucket.running -= 1

    def _forget(self, now: datetime) -> None:
        """Those that are full again."""
        if len(self._buckets) > _MOST_REMEMBERED:
            self._buckets = {
                key: one
                for key, one in self._buckets.items()
                if one.running or (now - one.at).total_seconds() < 60
            }
