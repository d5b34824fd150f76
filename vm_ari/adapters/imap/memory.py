"""What is known of mailboxes between two looks: header summaries and counts, never messages."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from vm_ari.adapters.imap.session import Opened
from vm_ari.adapters.mail_summary import Summary
from vm_ari.adapters.rarely import Rarely
from vm_ari.domain.messages import Counts

T = TypeVar("T")

MOST_REMEMBERED = 100_000
"""Summaries in all mailboxes together; about 40 MB when full."""


@dataclass
class FolderMemory:
    """Of one folder, as long as its UIDs keep their meaning."""

    validity: int
    summaries: dict[int, Summary] = field(default_factory=dict)
    counted: tuple[Opened, Counts] | None = None
    new_voice: tuple[Opened, Sequence[int]] | None = None
    """UIDs of what may be new voice messages."""
    looked_to: int = 0
    """Messages below that UID were looked at: voice messages among them bear the keyword."""

    def counts(self, opened: Opened) -> Counts | None:
        """What was counted when the folder was just as it is now (RFC 7162)."""
        return _unchanged(self.counted, opened)

    def new_ones(self, opened: Opened) -> Sequence[int] | None:
        """UIDs that were found when it was so."""
        return _unchanged(self.new_voice, opened)


def _unchanged(found: tuple[Opened, T] | None, opened: Opened) -> T | None:
    if found is None or opened.modseq is None or found[0] != opened:
        return None
    return found[1]


class Memory:
    """Of all mailboxes; the one used longest ago is forgotten first."""

    def __init__(self, limit: int = MOST_REMEMBERED) -> None:
        self._limit = limit
        self._of: OrderedDict[tuple[str, str], FolderMemory] = OrderedDict()
        self._rarely = Rarely()
        self._lock = threading.Lock()

    def of(self, place: str, opened: Opened) -> FolderMemory:
        """Of a folder of that *place* (server and login), to read and to fill."""
        with self._lock:
            key = (place, opened.name)
            found = self._of.get(key)
            if found is None or found.validity != opened.validity:
                found = self._of[key] = FolderMemory(opened.validity)
            self._of.move_to_end(key)
            if self._rarely.due(len(self._of)):
                while len(self._of) > 1 and self._size() > self._limit:
                    self._of.popitem(last=False)
            return found

    def _size(self) -> int:
        return sum(len(memory.summaries) + 1 for memory in self._of.values())
