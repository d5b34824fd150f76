"""Whose mailboxes are watched by IDLE where there is not room for everybody; pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from heapq import nlargest
from typing import Generic, TypeVar

from vm_ari.domain.messages import Counts

Server = TypeVar("Server")

LATELY = 900.0
"""Seconds: a mailbox that changed may change again."""


@dataclass
class IdleChoice(Generic[Server]):
    """Of each server, those whose lamp is on, then those that changed lately, then any.

    Times are seconds of any clock. A lamp that is on must go out when its owner reads the message
    in a mail program; new messages are mostly brought by ourselves.
    """

    _servers: dict[str, Server] = field(default_factory=dict)
    _counts: dict[str, Counts] = field(default_factory=dict)
    _changed: dict[str, float] = field(default_factory=dict)

    def meet(self, user_ids: Collection[str]) -> None:
        """Only these users are there now."""
        for known in (self._servers, self._counts, self._changed):
            for gone in known.keys() - user_ids:
                del known[gone]

    def knows(self, user_id: str) -> bool:
        """Is it known which server has that mailbox?"""
        return user_id in self._servers

    def at(self, user_id: str, server: Server) -> None:
        """That server has it."""
        self._servers[user_id] = server

    def counted(self, user_id: str, counts: Counts, now: float) -> bool:
        """It was counted; does it matter for the choice?"""
        before = self._counts.get(user_id)
        if before == counts:
            return False
        self._counts[user_id] = counts
        if before is not None:
            self._changed[user_id] = now
        return True

    def chosen(
        self, server: Server, most: int, watched: Collection[str], now: float
    ) -> Collection[str]:
        """At most so many users; those that are *watched* already, where nothing else decides."""
        here: Iterable[str] = (one for one, there in self._servers.items() if there == server)

        def weight(user_id: str) -> tuple[bool, bool, bool, float]:
            changed = self._changed.get(user_id, -LATELY)
            lit = _is_lit(self._counts.get(user_id))
            return lit, now - changed < LATELY, user_id in watched, changed

        return nlargest(most, here, key=weight)


def _is_lit(counts: Counts | None) -> bool:
    return counts is not None and counts.new_voice + counts.new_fax + counts.new_text > 0
