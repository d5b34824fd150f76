"""A journal in memory; it passes the contract of the real ones (`adapters/test_journal.py`)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from vm_ari.domain.journal import (
    JournalEntry,
    Search,
    Viewer,
    may_see,
    merged,
    shortened,
    terms_of,
)
from vm_ari.ports import JournalUnavailable


@dataclass
class FakeJournalStore:
    """Looks at every entry, in plain words; *unavailable* makes every access fail."""

    unavailable: bool = False
    entries: dict[str, JournalEntry] = field(default_factory=dict)
    short: set[str] = field(default_factory=set)

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        self._check()
        for entry in entries:
            known = self.entries.get(entry.id)
            self.entries[entry.id] = merged(known, entry) if known else entry

    async def entry(self, entry_id: str) -> JournalEntry | None:
        self._check()
        return self.entries.get(entry_id)

    async def page(
        self,
        viewer: Viewer,
        search: Search,
        *,
        numbers: Collection[str] = (),
        names: Sequence[str] = (),
        after: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> Sequence[JournalEntry]:
        self._check()
        found = [
            entry
            for entry in self.entries.values()
            if may_see(viewer, entry)
            and _matches(entry, search)
            and (not numbers or self._terms(entry) & set(numbers))
            and all(any(t.startswith(name) for t in self._terms(entry)) for name in names)
            and (after is None or (entry.started, entry.id) < after)
        ]
        return sorted(found, key=_place, reverse=True)[:limit]

    async def oldest(self, before: datetime, limit: int) -> Sequence[JournalEntry]:
        self._check()
        found = [entry for entry in self.entries.values() if entry.started < before]
        return sorted(found, key=_place)[:limit]

    async def remove(self, ids: Sequence[str]) -> int:
        self._check()
        return sum(self.entries.pop(one, None) is not None for one in ids)

    async def shorten(self, before: datetime, limit: int) -> int:
        long = [e for e in await self.oldest(before, len(self.entries)) if e.id not in self.short]
        for entry in long[:limit]:
            self.entries[entry.id] = shortened(entry)
            self.short.add(entry.id)
        return len(long[:limit])

    def _terms(self, entry: JournalEntry) -> frozenset[str]:
        return frozenset() if entry.id in self.short else terms_of(entry)

    def _check(self) -> None:
        if self.unavailable:
            raise JournalUnavailable("the test says so")


def _place(entry: JournalEntry) -> tuple[datetime, str]:
    return entry.started, entry.id


def _matches(entry: JournalEntry, search: Search) -> bool:
    return (
        (not search.user_id or entry.user_id == search.user_id)
        and (not search.kind or entry.kind is search.kind)
        and (not search.result or entry.result is search.result)
        and (not search.since or entry.started >= search.since)
        and (not search.until or entry.started < search.until)
        and (not search.with_message or bool(entry.message_id))
    )
