"""Rows of the embedded directory as entries, users and organisations, and the other way round."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, and_, select

from vm_ari.adapters.database_schema import numbers, organisations, users
from vm_ari.domain.directory_text import OneString
from vm_ari.domain.entries import (
    PIN,
    Entry,
    Organisation,
    address_key,
    effective_user,
    sort_apart,
)
from vm_ari.domain.users import User
from vm_ari.ports import MailTaken, NumberTaken, UserExists

DETAILS = ("name", "given", "surname", "mail", "organisation")
"""Columns that hold what an entry's fields of the same name hold."""
_FORM = OneString(limit=None)
_LISTED = and_(users.c.id == numbers.c.user_id, numbers.c.position.is_not(None))
"""The numbers without the mailbox, which lies among them to be found."""
_ENTRIES = (
    select(users, numbers.c.number, numbers.c.position)
    .select_from(users.outerjoin(numbers, _LISTED))
    .order_by(users.c.id, numbers.c.position)
)
_USERS = (
    select(
        *(users, numbers.c.number, numbers.c.position),
        organisations.c.id.label("organisation_id"),
        organisations.c.name.label("organisation_name"),
        organisations.c.texts.label("organisation_texts"),
    )
    .select_from(
        users.outerjoin(numbers, _LISTED).outerjoin(
            organisations, users.c.organisation == organisations.c.id
        )
    )
    .order_by(users.c.id, numbers.c.position)
)
"""Made once: putting them together takes longer than asking."""


def entries_in(db: Connection, *conditions: Any) -> list[Entry]:
    """Entries with their numbers, by id, read in one statement."""
    return [_entry(rows) for rows in _by_user(db, _ENTRIES, conditions)]


def users_in(
    db: Connection,
    defaults: Mapping[str, str],
    *conditions: Any,
    configured: Mapping[str, Organisation],
) -> list[User]:
    """Users with every setting decided, by id, read in one statement.

    *configured* are organisations that count where the database has none of that id.
    """
    found = _by_user(db, _USERS, conditions)
    return [
        effective_user(_entry(rows), _their_organisation(rows[0], configured), defaults)
        for rows in found
    ]


def organisations_in(db: Connection) -> list[Organisation]:
    """All of them, by id."""
    rows = db.execute(select(organisations).order_by(organisations.c.id))
    return [Organisation(row.id, row.name, _FORM.read([row.texts])) for row in rows]


def user_row(entry: Entry) -> dict[str, object]:
    """The columns of a new user. Raises `Unstorable`."""
    secrets = {key: sealed for key, sealed in entry.sealed.items() if key != PIN}
    return {
        **{name: getattr(entry, name) for name in DETAILS},
        "id": entry.id,
        "mailbox": entry.mailbox,
        "mail_key": mail_key(entry.mail),
        "texts": changed("", {**entry.settings, **secrets, **entry.bookkeeping}),
        "pin": entry.sealed.get(PIN),
        "pin_failures": entry.pin_failures,
    }


def number_rows(user_id: str, mailbox: str, listed: Sequence[str]) -> list[dict[str, object]]:
    """One row for each number by which the user is found."""
    positions: dict[str, int | None] = {mailbox: None} if mailbox else {}
    positions |= {number: position for position, number in enumerate(listed)}
    return [
        {"number": number, "user_id": user_id, "position": position}
        for number, position in positions.items()
    ]


def mail_key(mail: str) -> str | None:
    """What must be unique; None for no address."""
    return address_key(mail) or None


def changed(texts: str, new: Mapping[str, str | None]) -> str:
    """The settings column after a change. Raises `Unstorable`."""
    change = _FORM.change([texts] if texts else [], new)
    if not (change.delete or change.add):
        return texts
    return max(change.add, default="")


def refuse_if_taken(db: Connection, entry: Entry, *, new: bool) -> None:
    """Say what keeps an entry out: raises `UserExists`, `NumberTaken`, `MailTaken`."""
    if new and db.execute(select(users.c.id).where(users.c.id == entry.id)).first():
        raise UserExists(f"There is a user {entry.id} already.", entry.id)
    wanted = [row["number"] for row in number_rows(entry.id, entry.mailbox, entry.numbers)]
    owners = select(numbers.c.number, numbers.c.user_id).where(numbers.c.number.in_(wanted))
    if row := db.execute(owners.where(numbers.c.user_id != entry.id)).first():
        raise NumberTaken(f"{row.number} belongs to user {row.user_id}.", entry.id)
    same = select(users.c.id).where(users.c.mail_key == mail_key(entry.mail))
    if row := db.execute(same.where(users.c.id != entry.id)).first():
        raise MailTaken(f"{entry.mail} is the address of user {row.id}.", entry.id)


def _by_user(
    db: Connection, asked: Select[Any], conditions: Iterable[Any]
) -> Iterable[Sequence[RowMapping]]:
    rows = db.execute(asked.where(*conditions)).mappings()
    of_user: dict[str, list[RowMapping]] = defaultdict(list)
    for row in rows:
        of_user[row["id"]].append(row)
    return of_user.values()


def _entry(rows: Sequence[RowMapping]) -> Entry:
    first = rows[0]
    stored = sort_apart(_FORM.read([first["texts"]]))
    pin = {PIN: first["pin"]} if first["pin"] is not None else {}
    return Entry(
        **{name: first[name] for name in DETAILS},
        id=first["id"],
        mailbox=first["mailbox"],
        numbers=tuple(row["number"] for row in rows if row["number"] is not None),
        settings=stored.settings,
        sealed={**stored.sealed, **pin},
        pin_failures=first["pin_failures"],
        bookkeeping=stored.bookkeeping,
    )


def _their_organisation(
    row: RowMapping, configured: Mapping[str, Organisation]
) -> Organisation | None:
    if row["organisation_id"] is None:
        return configured.get(row["organisation"])
    texts = _FORM.read([row["organisation_texts"]])
    return Organisation(row["organisation_id"], row["organisation_name"], texts)
