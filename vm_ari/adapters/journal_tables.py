"""The tables of the journal, and what is asked of them. Blocking; raises `SQLAlchemyError`.

Besides the columns there is an inverted index of numbers and words of names (`journal_terms`), so
that a search of either needs no look at every entry. Pages go on where the last one ended (keyset),
never by counting from the beginning.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    MetaData,
    Select,
    String,
    Table,
    and_,
    delete,
    false,
    insert,
    literal,
    or_,
    select,
    tuple_,
)

from vm_ari.adapters.database_schema import creating
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import (
    LONGEST_TEXT,
    JournalEntry,
    Kind,
    Result,
    Search,
    Teller,
    Viewer,
    merged,
    shortened,
    terms_of,
)

COMMON = 20_000
"""Entries with a term from which on it is quicker to look for it in each entry."""

_tables = MetaData()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Bytes = String().with_variant(String(collation="C"), "postgresql")
"""Compared octet by octet, as the beginnings of words and the places of pages need it."""

journal = Table(
    "journal",
    _tables,
    Column("id", _Bytes, primary_key=True),
    Column("kind", String, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("result", String, nullable=False),
    Column("user_id", _Bytes, nullable=False),
    Column("mailbox", String, nullable=False),
    Column("caller_number", String, nullable=False),
    Column("caller_name", String, nullable=False),
    Column("withheld", Boolean, nullable=False),
    Column("called", String, nullable=False),
    Column("redirected_from", String, nullable=False),
    Column("greeting", String, nullable=False),
    Column("profile", String, nullable=False),
    Column("why", String, nullable=False),
    Column("connected_with", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("entrusted", Boolean, nullable=False),
    Column("node", String, nullable=False),
    Column("told_by", String, nullable=False),
    Column("shortened", Boolean, nullable=False),
    Column("cost_centre", String, nullable=False, server_default=""),
)
"""Times are microseconds since 1970, UTC."""
_own = journal.c
_NEWEST = (_own.started, _own.id)
_LONG = Index("journal_long_numbers", *_NEWEST, sqlite_where=~_own.shortened)
_LONG.dialect_options["postgresql"]["where"] = ~_own.shortened
for _name, _columns in {
    "journal_by_time": (),
    "journal_of_user": (_own.user_id,),
    "journal_of_kind": (_own.kind,),
    "journal_of_result": (_own.result,),
    "journal_of_kind_and_result": (_own.kind, _own.result),
}.items():
    Index(_name, *_columns, *_NEWEST)

terms = Table(
    "journal_terms",
    _tables,
    Column("term", _Bytes, primary_key=True),
    Column("started", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", _Bytes, primary_key=True),
    Index("journal_terms_of_entry", "entry_id", "term"),
)
"""Both ways are answered by an index alone; *started* is that of the entry."""


@dataclass(frozen=True)
class Wanted:
    """One page: who asks, for what, from where on."""

    viewer: Viewer
    search: Search
    numbers: Collection[str]
    names: Sequence[str]
    after: tuple[datetime, str] | None
    limit: int


_LATER = (_own.cost_centre,)
"""Columns that the journal of an earlier vm_ari has not."""
create_tables = creating(_tables, _LATER)


# --- writing


def write(db: Connection, entries: Sequence[JournalEntry]) -> None:
    """Each merged with what is there of the same id."""
    told: dict[str, JournalEntry] = {}
    for entry in entries:
        known = told.get(key := _stored(entry.id))
        told[key] = merged(known, entry) if known else entry
    rows = db.execute(select(journal).where(_own.id.in_(told))).mappings()
    there = {row["id"]: _entry(row) for row in rows}
    remove(db, [entry.id for entry in there.values()])
    _put(db, [merged(there[key], new) if key in there else new for key, new in told.items()])


def _put(db: Connection, entries: Sequence[JournalEntry], *, short: bool = False) -> None:
    """Nothing of the same ids may be there."""
    db.execute(insert(journal), [_row(entry) | {"shortened": short} for entry in entries])
    found = [
        {"term": _stored(term), "started": _micro(entry.started), "entry_id": _stored(entry.id)}
        for entry in entries
        if not short
        for term in terms_of(entry)
    ]
    if found:
        db.execute(insert(terms), found)


def remove(db: Connection, ids: Sequence[str]) -> int:
    """How many there were."""
    if not ids:
        return 0
    named = [_stored(one) for one in ids]
    db.execute(delete(terms).where(terms.c.entry_id.in_(named)))
    return db.execute(delete(journal).where(_own.id.in_(named))).rowcount


def shorten(db: Connection, before: datetime, limit: int) -> int:
    """Shorten the numbers of the oldest; how many entries it were."""
    asked = select(journal).where(~_own.shortened, _own.started < _micro(before))
    rows = db.execute(asked.order_by(*_NEWEST).limit(limit)).mappings().all()
    if rows:
        remove(db, [row["id"] for row in rows])
        _put(db, [shortened(_entry(row)) for row in rows], short=True)
    return len(rows)


# --- reading


def entry(db: Connection, entry_id: str) -> JournalEntry | None:
    """One of them."""
    row = db.execute(select(journal).where(_own.id == _stored(entry_id))).mappings().one_or_none()
    return _entry(row) if row else None


def oldest(db: Connection, before: datetime, limit: int) -> list[JournalEntry]:
    """The oldest that began before that time."""
    asked = select(journal).where(_own.started < _micro(before)).order_by(*_NEWEST).limit(limit)
    return [_entry(row) for row in db.execute(asked).mappings()]


def page(db: Connection, wanted: Wanted) -> list[JournalEntry]:
    """The newest first.

    Rare terms say where to look; entries with a common one soon come along when going back in time.
    One person's entries are few: each of them is looked at.
    """
    sought = list(_sought(wanted))
    asked = _query(wanted).where(*map(_has, sought))
    known = [] if _one_person(wanted) else [_places(db, one) for one in sought]
    rare = [places for places in known if len(places) <= COMMON]
    if not rare:
        return _entries(db, asked)
    return _among(db, asked, wanted, set.intersection(*rare))


def _places(db: Connection, sought: ColumnElement[bool]) -> set[tuple[int, str]]:
    """Where there are entries with such a term; of very many some."""
    asked = select(terms.c.started, terms.c.entry_id).where(sought).limit(COMMON + 1)
    return {(started, entry_id) for started, entry_id in db.execute(asked)}


def _among(
    db: Connection, asked: Select[Any], wanted: Wanted, places: set[tuple[int, str]]
) -> list[JournalEntry]:
    """Only as many entries are fetched as the page takes: each may cost a look at the disk."""
    end = (_micro(wanted.after[0]), _stored(wanted.after[1])) if wanted.after else None
    newest = sorted((place for place in places if end is None or place < end), reverse=True)
    found: list[JournalEntry] = []
    for first in range(0, len(newest), wanted.limit):
        ids = [entry_id for _, entry_id in newest[first : first + wanted.limit]]
        found += _entries(db, asked.where(_own.id.in_(ids)))
        if len(found) >= wanted.limit:
            break
    return found[: wanted.limit]


def _entries(db: Connection, asked: Select[Any]) -> list[JournalEntry]:
    return [_entry(row) for row in db.execute(asked).mappings()]


def _query(wanted: Wanted) -> Select[Any]:
    """All but the terms."""
    asked = select(journal).where(_seen_by(wanted.viewer), *_conditions(wanted))
    if wanted.after:
        moment, last = wanted.after
        here = tuple_(literal(_micro(moment)), literal(_stored(last)))
        asked = asked.where(tuple_(*_NEWEST) < here)
    newest_first = (_own.started.desc(), _own.id.desc())
    return asked.order_by(*newest_first).limit(wanted.limit)


def _seen_by(viewer: Viewer) -> ColumnElement[bool]:
    """As `domain.journal.may_see` says it of one entry."""
    own = _own.user_id == _stored(viewer.user_id) if viewer.user_id else false()
    if viewer.everybody:
        return or_(own, ~_own.entrusted)
    people = sorted(_stored(one) for one in viewer.people - {viewer.user_id, ""})
    return or_(own, and_(_own.user_id.in_(people), ~_own.entrusted)) if people else own


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    search = wanted.search
    if search.user_id:
        yield _own.user_id == _stored(search.user_id)
    for column, value in ((_own.kind, search.kind), (_own.result, search.result)):
        if value:
            yield (column.concat("") if _one_person(wanted) else column) == value.value
    if search.since:
        yield _own.started >= _micro(search.since)
    if search.until:
        yield _own.started < _micro(search.until)
    if search.with_message:
        yield _own.message_id != ""


def _sought(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """The terms that an entry must have."""
    if wanted.numbers:
        yield terms.c.term.in_([_stored(one) for one in wanted.numbers])
    for beginning in wanted.names:
        start = _stored(beginning)
        yield and_(terms.c.term >= start, terms.c.term < start + "\U0010ffff")


def _has(sought: ColumnElement[bool]) -> ColumnElement[bool]:
    """Has the entry such a term? Unlike of EXISTS, PostgreSQL makes no join of it."""
    one = select(terms.c.term).where(terms.c.entry_id == _own.id, sought).limit(1)
    return one.scalar_subquery().is_not(None)


def _one_person(wanted: Wanted) -> bool:
    """Then the index of users is the right one; SQLite would also take that of kinds."""
    return bool(wanted.search.user_id) or not wanted.viewer.everybody


# --- one row


def _row(one: JournalEntry) -> dict[str, object]:
    texts = {
        "id": one.id,
        "user_id": one.user_id,
        "mailbox": one.mailbox,
        "caller_number": one.caller.number,
        "caller_name": one.caller.name,
        "called": one.called,
        "redirected_from": one.redirected_from,
        "greeting": one.greeting,
        "profile": one.profile,
        "why": one.why[:LONGEST_TEXT],
        "connected_with": one.connected_with,
        "message_id": one.message_id,
        "node": one.node,
        "cost_centre": one.cost_centre,
    }
    return {key: _stored(text) for key, text in texts.items()} | {
        "kind": one.kind.value,
        "result": one.result.value,
        "told_by": one.told_by.value,
        "started": _micro(one.started),
        "ended": None if one.ended is None else _micro(one.ended),
        "withheld": one.withheld,
        "seconds": one.seconds,
        "partial": one.partial,
        "delivered": one.delivered,
        "entrusted": one.entrusted,
    }


def _entry(row: Mapping[Any, Any]) -> JournalEntry:
    same = {column.name: row[column] for column in journal.c}
    for column in ("caller_number", "caller_name", "shortened"):
        del same[column]
    return JournalEntry(
        **same
        | {
            "kind": Kind(row["kind"]),
            "result": Result(row["result"]),
            "told_by": Teller(row["told_by"]),
            "caller": Caller(row["caller_number"], row["caller_name"]),
            "started": _time(row["started"]),
            "ended": None if row["ended"] is None else _time(row["ended"]),
        }
    )


def _stored(text: str) -> str:
    """As every database takes it."""
    return text[:LONGEST_TEXT].replace("\0", "�").encode("utf-8", "replace").decode()


def _micro(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _time(micro: int) -> datetime:
    return _EPOCH + micro * _MICROSECOND
