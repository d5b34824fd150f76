"""Import of users: everything is checked before anything is written (DIR-06)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import (
    PIN,
    Entry,
    StoredValues,
    address_key,
    sort_apart,
    surname_or_guess,
)
from vm_ari.domain.entry_changes import difference
from vm_ari.domain.legacy_settings import LegacyImport, import_legacy, plain_pin
from vm_ari.domain.preferences import Access, BadSetting, checked
from vm_ari.ports import BadRecord, Taken, UnknownUser, UserRecord
from vm_ari.services.users import Change, Refused, Users, completed, conflicts, must_be_storable
from vm_ari.services.users import renumbered as with_numbers

_SEALED = "v1."


class Fate(Enum):
    """What the import does with a user."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Item:
    """A record that can be imported."""

    line: int
    new: Entry
    old: Entry | None = None
    """As the directory has the user; None for somebody new."""

    @property
    def fate(self) -> Fate:
        """What becomes of it."""
        if self.old is None:
            return Fate.ADDED
        return Fate.CHANGED if difference(self.old, self.new) else Fate.UNCHANGED

    @property
    def changes(self) -> tuple[Change, ...]:
        """What becomes different, without any secret."""
        return changes_between(self.old or Entry(self.new.id, ""), self.new)


@dataclass(frozen=True)
class Imported:
    """Users who can be, or were, imported."""

    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    """Values of the older form that were left out, for an admin to look at."""

    def of(self, fate: Fate) -> list[Item]:
        """Those of whom that becomes."""
        return [item for item in self.items if item.fate is fate]


@dataclass
class _Reading:
    """What is known while records are read."""

    there: Mapping[str, Entry]
    taken: set[str]
    """Addresses."""
    items: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class UserImport:
    """One import into a directory."""

    users: Users
    legacy: bool = False
    """Take over settings of the older form."""
    update: bool = False
    """Change users who are there already; what a record does not name stays."""
    levels: Mapping[str, Access] | None = None
    """What the letters of the older form's level mean here."""

    async def check(self, records: Iterable[UserRecord]) -> Imported:
        """What would be imported.

        Raises `BadRecord` for the first that cannot be (of an update, the first that is wrong in
        itself goes before those that do not fit together), `DirectoryUnavailable`.
        """
        there = {entry.id: entry for entry in await self.users.register.all_entries()}
        mails = {address_key(entry.mail) for entry in there.values() if entry.mail}
        reading = _Reading(there, mails)
        entries = self._entries(records, reading)
        if self.update:  # one may get what another record gives up, so all must be known
            entries = iter(list(entries))
            others = [entry for key, entry in there.items() if key not in reading.lines]
        else:
            others = list(there.values())
        for entry, reason in conflicts(entries, others):
            raise BadRecord(reading.lines[entry.id], reason)
        return Imported(tuple(reading.items), tuple(reading.notes))

    async def write(self, imported: Imported, progress: Callable[[int], None]) -> None:
        """Write all, or none. Raises `BadRecord`, `Refused` where somebody was faster meanwhile."""
        new = [item.new for item in imported.of(Fate.ADDED)]
        changed = [(item.old, item.new) for item in imported.of(Fate.CHANGED) if item.old]
        lines = {item.new.id: item.line for item in imported.items}
        try:
            if changed:
                await self.users.register.merge_entries(new, changed, progress)
            elif new:
                await self.users.register.add_entries(new, progress)
        except Taken as error:
            if error.entry_id not in lines:
                raise Refused(str(error)) from None
            raise BadRecord(lines[error.entry_id], str(error)) from None
        except UnknownUser as error:
            raise Refused(f"{error} Somebody has removed the user just now.") from None

    def _entries(self, records: Iterable[UserRecord], reading: _Reading) -> Iterator[Entry]:
        for record in records:
            user_id = record.texts.get("id", "")
            if not user_id:
                raise BadRecord(record.line, "the user has no id.")
            if user_id in reading.lines:
                first = reading.lines[user_id]
                raise BadRecord(record.line, f"{user_id} is also in line {first}.")
            reading.lines[user_id] = record.line
            item = self._item(record, reading)
            reading.items.append(item)
            if item.new.mail:
                reading.taken.add(address_key(item.new.mail))
            yield item.new

    def _item(self, record: UserRecord, reading: _Reading) -> Item:
        old = reading.there.get(record.texts["id"]) if self.update else None
        try:
            given = import_legacy(record.legacy if self.legacy else (), levels=self.levels)
            reading.notes += _notes(record.texts["id"], given)
            if old is None:
                return Item(record.line, self._added(record, given, reading.taken))
            return Item(record.line, self._updated(old, record, given), old)
        except (Refused, BadSetting, Unstorable) as error:
            raise BadRecord(record.line, str(error)) from None

    def _added(self, record: UserRecord, given: LegacyImport, taken: set[str]) -> Entry:
        bare = Entry(**{"name": "", **record.texts}, numbers=record.numbers)  # type: ignore[arg-type]
        entry = completed(bare, self.users.house, taken)
        stored = self._stored(entry.id, record, given)
        return replace(
            entry,
            settings=stored.settings,
            sealed=stored.sealed,
            pin_failures=stored.pin_failures or given.pin_failures,
        )

    def _updated(self, old: Entry, record: UserRecord, given: LegacyImport) -> Entry:
        texts = {key: text for key, text in record.texts.items() if text}
        if not old.surname and texts.get("surname") == surname_or_guess(old):
            del texts["surname"]  # LDIF demands one, so an export has made it up
        site = self.users.house.site
        entry = with_numbers(old, record.numbers, site) if record.numbers else old
        stored = self._stored(old.id, record, given)
        entry = replace(
            entry,
            **texts,  # type: ignore[arg-type]
            settings={**old.settings, **stored.settings},
            sealed={**old.sealed, **stored.sealed},
        )
        must_be_storable(entry)
        return entry

    def _stored(self, user_id: str, record: UserRecord, given: LegacyImport) -> StoredValues:
        """Settings and secrets of a record, checked and sealed."""
        if len(dict(record.settings)) != len(record.settings):
            raise Refused("a setting is there twice.")
        stored = sort_apart(dict(record.settings))
        own = {key: checked(key, text) for key, text in stored.settings.items()}
        return replace(
            stored,
            settings={**given.settings, **own},
            sealed=self._sealed_ones(user_id, stored.sealed, given.pin),
        )

    def _sealed_ones(
        self, user_id: str, given: Mapping[str, str], old_pin: str | None
    ) -> dict[str, str]:
        secrets = dict(given)
        pin = secrets.pop(PIN, None) or old_pin
        for key, text in secrets.items():
            if not text.startswith(_SEALED):
                raise Refused(f"{key}: only sealed values can be imported.")
        if pin:
            secrets[PIN] = pin if pin.startswith(_SEALED) else self._sealed(user_id, pin)
        return secrets

    def _sealed(self, user_id: str, text: str) -> str:
        """A plain PIN, or one in Base64; its text is in no message."""
        digits = plain_pin(text)
        if digits is None:
            raise Refused("the PIN is neither digits, nor digits in Base64, nor a sealed value.")
        return self.users.register.seal_pin(user_id, digits)


def changes_between(old: Entry, new: Entry) -> tuple[Change, ...]:
    """What an admin is shown; of a secret only that it is another one."""
    change = difference(old, new)
    found = [Change(key, str(getattr(old, key)), text) for key, text in change.details.items()]
    if old.numbers != new.numbers:
        found.append(Change("numbers", " ".join(old.numbers), " ".join(new.numbers)))
    if old.mailbox != new.mailbox:
        found.append(Change("mailbox", old.mailbox, new.mailbox))
    for key, text in change.texts.items():
        if key not in {*old.sealed, *new.sealed}:
            found.append(Change(key, old.settings.get(key, ""), text or ""))
    for key in dict.fromkeys((*old.sealed, *new.sealed)):
        if old.sealed.get(key) != new.sealed.get(key):
            states = ("set" if key in one.sealed else "" for one in (old, new))
            found.append(Change(key, *states))
    return tuple(found)


def _notes(user_id: str, old: LegacyImport) -> Sequence[str]:
    return [
        f"{user_id}: {left.key}{f' “{left.value}”' if left.value else ''} left out: "
        f"{left.fate.value}"
        for left in old.leftovers
    ]
