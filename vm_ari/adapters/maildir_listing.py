"""What a folder of a Maildir holds, kept from look to look: only what came or went costs anything.

A mailbox of 100,000 messages is listed at its first look; later ones compare names (INBOX-12).
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vm_ari.adapters.maildir_tree import TRASHED, Entry, Folder, entry_of
from vm_ari.adapters.rarely import Rarely

MOST_REMEMBERED = 200_000
"""Messages in all mailboxes together; about 80 MB when full."""
SETTLED = 2.5
"""Seconds: a directory that changes later than that has another time of change, on any disk."""

Name = tuple[str, str]
"""Directory and file name."""


@dataclass(frozen=True)
class Look:
    """The messages of a folder at one moment, by uid."""

    sure: Mapping[str, Entry]
    """Nobody has heard or read them yet, or they are voice messages of ours."""
    others: Mapping[str, Entry]

    def __contains__(self, uid: object) -> bool:
        return uid in self.sure or uid in self.others

    @property
    def entries(self) -> Iterable[Entry]:
        """All of them."""
        yield from self.sure.values()
        yield from self.others.values()


@dataclass
class Listing:
    """One folder; threads may look at the same time. Looks raise `OSError`."""

    folder: Folder
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _names: frozenset[Name] = frozenset()
    _found: dict[str, Entry] = field(default_factory=dict)
    """By uid, also what is marked for removal."""
    _look: Look = Look({}, {})
    _state: tuple[int, int] = (-1, -1)
    _since: float = 0.0
    """When the directories were seen in that state for the first time."""
    _final: bool = False
    """No change can hide behind that state any more."""

    def __len__(self) -> int:
        return len(self._names)

    def look(self) -> Look:
        """The folder as it is now."""
        with self._lock:
            state, now = self.folder.changed(), time.monotonic()
            if state != self._state:
                self._state, self._since, self._final = state, now, False
            if not self._final:
                self._compare(frozenset(self.folder.names()))
                settled = now - self._since >= SETTLED
                self._final = settled and state == self.folder.changed()
            return self._look

    def _compare(self, names: frozenset[Name]) -> None:
        gone, came = self._names - names, names - self._names
        changed = gone | came
        if not changed:
            return
        if len(self._names) != len(self._found):  # one message under two names: all anew
            gone, came, changed, self._found = frozenset(), names, self._names | names, {}
        for name in gone:
            entry = entry_of(*name)
            if self._found.get(entry.uid) == entry:
                del self._found[entry.uid]
        for name in sorted(came, key=_new_first):
            entry = entry_of(*name)
            if TRASHED not in entry.flags or entry.uid not in self._found:
                self._found[entry.uid] = entry
        self._names = names
        self._look = _sorted_apart(self._look, self._found, changed)


def _sorted_apart(old: Look, found: Mapping[str, Entry], changed: Iterable[Name]) -> Look:
    """Another look: the old one stays as it was, for those who have it."""
    sure, others = dict(old.sure), dict(old.others)
    for uid in {entry_of(*name).uid for name in changed}:
        sure.pop(uid, None)
        others.pop(uid, None)
        entry = found.get(uid)
        if entry and TRASHED not in entry.flags and not uid.startswith("."):
            (sure if entry.new or entry.is_own_voice else others)[uid] = entry
    return Look(sure, others)


def _new_first(name: Name) -> bool:
    """A message that moves from new/ to cur/ meanwhile is where it went."""
    return name[0].endswith("/cur")


class Listings:
    """Of all mailboxes; the one used longest ago is forgotten first."""

    def __init__(self, limit: int = MOST_REMEMBERED) -> None:
        self._limit = limit
        self._of: OrderedDict[Path, Listing] = OrderedDict()
        self._rarely = Rarely()

    def of(self, folder: Folder) -> Listing:
        """The same one for the same folder."""
        found = self._of.setdefault(folder.path, Listing(folder))
        self._of.move_to_end(folder.path)
        if self._rarely.due(len(self._of)):
            while len(self._of) > 1 and sum(map(len, self._of.values())) > self._limit:
                self._of.popitem(last=False)
        return found
