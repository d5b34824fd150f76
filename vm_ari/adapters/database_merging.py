"""Changes of many users of the embedded directory at once: work for one transaction."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, false, insert, select, update

from vm_ari.adapters.database_rows import changed as changed_texts
from vm_ari.adapters.database_rows import mail_key, number_rows
from vm_ari.adapters.database_schema import numbers, users
from vm_ari.domain.entries import Entry
from vm_ari.domain.entry_changes import Difference, difference
from vm_ari.ports import UnknownUser

Pair = tuple[Entry, Entry]
_AT_ONCE = 500


def release(db: Connection, pairs: Sequence[Pair]) -> None:
    """Give numbers and addresses free that will be others, so that users may exchange them."""
    # SQLite locks at the first write only; what is read later must be what is changed
    db.execute(update(users).where(false()).values(mailbox=""))
    changes = [(old.id, difference(old, new)) for old, new in pairs]
    moved = [{"his_id": user_id} for user_id, change in changes if change.renumbered]
    if moved:
        db.execute(delete(numbers).where(numbers.c.user_id == bindparam("his_id")), moved)
    renamed = [{"his_id": user_id} for user_id, change in changes if "mail" in change.details]
    if renamed:
        him = users.c.id == bindparam("his_id")
        db.execute(update(users).where(him).values(mail_key=None), renamed)


def change_entries(db: Connection, pairs: Sequence[Pair], progress: Callable[[int], None]) -> None:
    """Write what differs, after `release`. Raises `IntegrityError`, `UnknownUser`, `Unstorable`."""
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        _change_some(db, some)
        progress(len(some))


def _change_some(db: Connection, pairs: Sequence[Pair]) -> None:
    # locked, where the database can: what others change meanwhile is not overwritten
    columns = select(users).where(users.c.id.in_([old.id for old, _new in pairs]))
    there = {row["id"]: row for row in db.execute(columns.with_for_update()).mappings()}
    rows, listed = [], []
    for old, new in pairs:
        if old.id not in there:
            raise UnknownUser(f"There is no user {old.id} any more.")
        change = difference(old, new)
        rows.append(_changed_row(dict(there[old.id]), new, change))
        if change.renumbered:
            listed += number_rows(old.id, new.mailbox, new.numbers)
    him = users.c.id == bindparam("his_id")
    names = [name for name in rows[0] if name != "his_id"]
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
    db.execute(update(users).where(him).values(**values), [_bound(row) for row in rows])
    if listed:
        db.execute(insert(numbers), listed)


def _changed_row(row: dict[str, object], new: Entry, change: Difference) -> dict[str, object]:
    """The columns as they will be; of a user whom others change, too, only ours are changed."""
    values: dict[str, object] = {**row, **change.details}
    if "mail" in change.details:
        values["mail_key"] = mail_key(new.mail)
    if change.renumbered:
        values["mailbox"] = new.mailbox
    if change.pin:
        values["pin"] = change.pin[0]
    values["texts"] = changed_texts(str(row["texts"]), change.texts)
    values["his_id"] = values.pop("id")
    del values["pin_failures"]  # a login at this moment counts them
    return values


def _bound(row: dict[str, object]) -> dict[str, object]:
    return {name if name == "his_id" else f"new_{name}": value for name, value in row.items()}
