"""Changes of the embedded directory: work for one transaction."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import Connection, Table, delete, insert, select, update

from vm_ari.adapters.database_rows import changed, number_rows, user_row
from vm_ari.adapters.database_schema import numbers, organisations, users
from vm_ari.adapters.sealing import KeyRing, SealBroken
from vm_ari.domain.directory_text import OneString
from vm_ari.domain.entries import PIN, SEALED_KEYS, Entry, Organisation
from vm_ari.ports import Resealed, UnknownUser

_AT_ONCE = 500


class Stale(Exception):
    """Somebody else has changed what was read; read again."""


def write_entries(
    db: Connection, entries: Sequence[Entry], progress: Callable[[int], None]
) -> None:
    """Insert new users with their numbers. Raises `IntegrityError`, `Unstorable`."""
    for start in range(0, len(entries), _AT_ONCE):
        some = entries[start : start + _AT_ONCE]
        db.execute(insert(users), [user_row(entry) for entry in some])
        rows = [
            row for entry in some for row in number_rows(entry.id, entry.mailbox, entry.numbers)
        ]
        if rows:
            db.execute(insert(numbers), rows)
        progress(len(some))


def write_numbers(db: Connection, user_id: str, listed: Sequence[str], mailbox: str) -> None:
    """Raises `IntegrityError`, `UnknownUser`."""
    statement = update(users).where(users.c.id == user_id).values(mailbox=mailbox)
    expect_one(db.execute(statement).rowcount, user_id)
    db.execute(delete(numbers).where(numbers.c.user_id == user_id))
    if rows := number_rows(user_id, mailbox, listed):
        db.execute(insert(numbers), rows)


def change_texts(db: Connection, table: Table, row_id: str, new: Mapping[str, str | None]) -> None:
    """Compare and swap the settings of a row. Raises `Stale`, `UnknownUser`, `Unstorable`."""
    old = db.execute(select(table.c.texts).where(table.c.id == row_id)).scalar_one_or_none()
    if old is None:
        raise UnknownUser(f"There is no user {row_id}.")
    wanted = changed(old, new)
    same = update(table).where(table.c.id == row_id, table.c.texts == old)
    if wanted != old and db.execute(same.values(texts=wanted)).rowcount != 1:
        raise Stale


def set_organisation(db: Connection, organisation: Organisation) -> None:
    """Insert or replace it. Raises `Unstorable`."""
    values = {"name": organisation.name, "texts": changed("", organisation.settings)}
    there = update(organisations).where(organisations.c.id == organisation.id)
    if db.execute(there.values(**values)).rowcount == 0:
        db.execute(insert(organisations).values(id=organisation.id, **values))


def reseal_some(db: Connection, keys: KeyRing, owner: str) -> Resealed:
    """Seal the secrets of one user with the newest key. Raises `Stale`."""
    columns = select(users.c.pin, users.c.texts).where(users.c.id == owner)
    row = db.execute(columns).one_or_none()
    if row is None:
        return Resealed(0, 0)
    there = _secrets(row.pin, row.texts)
    old = {key: text for key, text in there.items() if not keys.is_current(text)}
    try:
        new = {key: _sealed_again(keys, owner, key, text) for key, text in old.items()}
    except SealBroken:
        return Resealed(0, len(there) - len(old), (owner,))
    texts = changed(row.texts, {key: text for key, text in new.items() if key != PIN})
    same = update(users).where(
        users.c.id == owner,
        users.c.texts == row.texts,
        users.c.pin.is_not_distinct_from(row.pin),
    )
    values = {"texts": texts, "pin": new.get(PIN, row.pin)}
    if new and db.execute(same.values(**values)).rowcount != 1:
        raise Stale
    return Resealed(len(new), len(there) - len(new))


def expect_one(count: int, user_id: str) -> None:
    """Raises `UnknownUser`."""
    if count != 1:
        raise UnknownUser(f"There is no user {user_id}.")


def _sealed_again(keys: KeyRing, owner: str, key: str, text: str) -> str:
    return keys.seal(keys.open(text, owner=owner, attribute=key), owner=owner, attribute=key)


def _secrets(pin: str | None, texts: str) -> dict[str, str]:
    """What is sealed, by key."""
    read = OneString(limit=None).read([texts])
    both = {PIN: pin, **{key: read.get(key) for key in sorted(SEALED_KEYS - {PIN})}}
    return {key: text for key, text in both.items() if text is not None}
