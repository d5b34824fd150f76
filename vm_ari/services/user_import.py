"""Import of users: everything is checked before anything is written (DIR-06)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import PIN, Entry, address_key, sort_apart
from vm_ari.domain.legacy_settings import LegacyImport, import_legacy, plain_pin
from vm_ari.domain.preferences import Access, BadSetting, checked
from vm_ari.ports import BadRecord, Taken, UserRecord
from vm_ari.services.users import Refused, Users, completed, conflicts

_SEALED = "v1."


@dataclass(frozen=True)
class Imported:
    """Users who can be, or were, imported."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...]
    """Values of the older form that were left out, for an admin to look at."""


@dataclass(frozen=True)
class UserImport:
    """One import into a directory."""

    users: Users
    legacy: bool = False
    """Take over settings of the older form."""
    levels: Mapping[str, Access] | None = None
    """What the letters of the older form's level mean here."""

    async def check(self, records: Iterable[UserRecord]) -> tuple[Imported, Mapping[str, int]]:
        """What would be imported, and the line of each user.

        Raises `BadRecord` for the first that cannot be, `DirectoryUnavailable`.
        """
        there = await self.users.register.all_entries()
        taken = {address_key(entry.mail) for entry in there if entry.mail}
        entries: list[Entry] = []
        notes: list[str] = []
        lines: dict[str, int] = {}
        for record in records:
            entry, told = self._entry(record, taken)
            entries.append(entry)
            notes += told
            taken.add(address_key(entry.mail))
            if entry.id in lines:
                raise BadRecord(record.line, f"{entry.id} is also in line {lines[entry.id]}.")
            lines[entry.id] = record.line
        for entry, reason in conflicts(entries, there):
            raise BadRecord(lines[entry.id], reason)
        return Imported(tuple(entries), tuple(notes)), lines

    async def write(
        self, checked_: Imported, lines: Mapping[str, int], progress: Callable[[int], None]
    ) -> None:
        """Write all, or none. Raises `BadRecord` where somebody was faster meanwhile."""
        try:
            await self.users.register.add_entries(checked_.entries, progress)
        except Taken as error:
            raise BadRecord(lines.get(error.entry_id, 0), str(error)) from None

    def _entry(self, record: UserRecord, taken: set[str]) -> tuple[Entry, Sequence[str]]:
        if not record.texts.get("id"):
            raise BadRecord(record.line, "the user has no id.")
        try:
            old = import_legacy(record.legacy if self.legacy else (), levels=self.levels)
            bare = Entry(**{"name": "", **record.texts}, numbers=record.numbers)  # type: ignore[arg-type]
            entry = completed(bare, self.users.house, taken - {""})
            return self._with_settings(entry, record, old), _notes(entry.id, old)
        except (Refused, BadSetting, Unstorable) as error:
            raise BadRecord(record.line, str(error)) from None

    def _with_settings(self, entry: Entry, record: UserRecord, old: LegacyImport) -> Entry:
        given = dict(record.settings)
        if len(given) != len(record.settings):
            raise Refused("a setting is there twice.")
        stored = sort_apart(given)
        secrets = dict(stored.sealed)
        pin = secrets.pop(PIN, None) or old.pin
        for key, text in secrets.items():
            if not text.startswith(_SEALED):
                raise Refused(f"{key}: only sealed values can be imported.")
        if pin:
            secrets[PIN] = pin if pin.startswith(_SEALED) else self._sealed(entry.id, pin)
        own = {key: checked(key, text) for key, text in stored.settings.items()}
        return replace(
            entry,
            settings={**old.settings, **own},
            sealed=secrets,
            pin_failures=stored.pin_failures or old.pin_failures,
        )

    def _sealed(self, user_id: str, text: str) -> str:
        """A plain PIN, or one in Base64; its text is in no message."""
        digits = plain_pin(text)
        if digits is None:
            raise Refused("the PIN is neither digits, nor digits in Base64, nor a sealed value.")
        return self.users.register.seal_pin(user_id, digits)


def _notes(user_id: str, old: LegacyImport) -> list[str]:
    return [
        f"{user_id}: {left.key}{f' “{left.value}”' if left.value else ''} left out: "
        f"{left.fate.value}"
        for left in old.leftovers
    ]
