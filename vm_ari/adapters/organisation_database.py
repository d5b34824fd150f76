"""Organisations as operators keep them, in a database that all nodes share (UM-02).

One that is not here counts as the configuration file has it.
"""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    insert,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from vm_ari.adapters.database_schema import Database, creating
from vm_ari.adapters.database_work import DatabaseWork
from vm_ari.adapters.portal_database import unavailable
from vm_ari.domain.organisations import Agreement, OrganisationRecord

CONNECTIONS = 1
_tables = MetaData()

organisations = Table(
    "portal_organisations",
    _tables,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("settings", String, nullable=False),
    Column("administrators", String, nullable=False),
    Column("agreement", String, nullable=False),
    Column("recorded_by", String, nullable=False),
    Column("recorded", Float),
    Column("packages", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)
"""*settings* and *administrators* are JSON; *agreement* is a day (ISO 8601), empty for none."""


class OrganisationDatabase:
    """`services.organisations.OrganisationRows`. Every method raises `PortalUnavailable`."""

    def __init__(self, url: str) -> None:
        parts = make_url(url)
        self._file = Path(parts.database) if url.startswith("sqlite") and parts.database else None
        database = Database(url, CONNECTIONS, prepare=creating(_tables))
        self._work = DatabaseWork(database, CONNECTIONS, "organisations", _telling)

    async def all(self) -> Sequence[OrganisationRecord]:
        """See `OrganisationRows`; whoever only reads makes no file."""
        if self._file and not self._file.exists():
            return []
        return await self._work.do(_all)

    async def write(self, record: OrganisationRecord) -> bool:
        """See `OrganisationRows`."""
        try:
            return await self._work.do(lambda db: _write(db, record))
        except IntegrityError:  # somebody else has kept the same one just now
            return False

    async def close(self) -> None:
        """Let running work end."""
        await self._work.close()


def _telling(error: Exception) -> Exception:
    return error if isinstance(error, IntegrityError) else unavailable(error)


def _all(db: Connection) -> list[OrganisationRecord]:
    rows = db.execute(select(organisations).order_by(organisations.c.id))
    return [_record(row) for row in rows]


def _write(db: Connection, record: OrganisationRecord) -> bool:
    """Compare and swap by version."""
    values = {**_columns(record), "version": record.version + 1}
    if record.version == 0:
        db.execute(insert(organisations).values(id=record.id, **values))
        return True
    same = (organisations.c.id == record.id, organisations.c.version == record.version)
    return db.execute(update(organisations).where(*same).values(**values)).rowcount == 1


def _columns(record: OrganisationRecord) -> dict[str, object]:
    agreement = record.agreement
    when = agreement.recorded.timestamp() if agreement and agreement.recorded else None
    return {
        "name": record.name,
        "settings": json.dumps(dict(record.settings), ensure_ascii=False),
        "administrators": json.dumps(list(record.administrators), ensure_ascii=False),
        "agreement": agreement.since.isoformat() if agreement else "",
        "recorded_by": agreement.recorded_by if agreement else "",
        "recorded": when,
        "packages": record.packages,
    }


def _record(row: Row[tuple[object, ...]]) -> OrganisationRecord:
    agreement = None
    if row.agreement:
        when = None if row.recorded is None else datetime.fromtimestamp(row.recorded, UTC)
        agreement = Agreement(date.fromisoformat(row.agreement), row.recorded_by, when)
    return OrganisationRecord(
        id=row.id,
        name=row.name,
        settings=json.loads(row.settings),
        administrators=tuple(json.loads(row.administrators)),
        agreement=agreement,
        packages=row.packages,
        version=row.version,
    )
