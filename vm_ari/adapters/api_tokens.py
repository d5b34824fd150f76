"""Tokens of the JSON API in the portal's database, which all nodes share."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    MetaData,
    Row,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)

from vm_ari.adapters.database_schema import Database, creating
from vm_ari.adapters.database_work import DatabaseWork
from vm_ari.adapters.portal_database import unavailable
from vm_ari.domain.api_tokens import ApiToken, Reach, Scope

_CONNECTIONS = 2

_tables = MetaData()

api_tokens = Table(
    "api_tokens",
    _tables,
    Column("id", String, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("user_id", String, nullable=False, index=True),
    Column("name", String, nullable=False),
    Column("reach", String, nullable=False),
    Column("organisation", String, nullable=False),
    Column("read_only", Boolean, nullable=False),
    Column("made", Float, nullable=False),
    Column("ends", Float, nullable=False),
    Column("used", Float),
)
"""Times are seconds since 1970, in UTC."""


class ApiTokenRows:
    """`services.api_tokens.TokenRows`."""

    def __init__(self, url: str) -> None:
        database = Database(url, _CONNECTIONS, prepare=creating(_tables))
        self._work = DatabaseWork(database, _CONNECTIONS, "api-tokens", unavailable)

    async def add(self, token: ApiToken) -> None:
        """See `TokenRows`."""
        await self._work.do(lambda db: db.execute(insert(api_tokens).values(_columns(token))))

    async def token(self, token_id: str) -> ApiToken | None:
        """See `TokenRows`."""
        asked = select(api_tokens).where(api_tokens.c.id == token_id)
        row = await self._work.do(lambda db: db.execute(asked).one_or_none())
        return _token(row) if row else None

    async def all(self) -> Sequence[ApiToken]:
        """See `TokenRows`."""
        asked = select(api_tokens).order_by(api_tokens.c.made, api_tokens.c.id)
        return [_token(row) for row in await self._work.do(lambda db: db.execute(asked).all())]

    async def of(self, user_id: str) -> Sequence[ApiToken]:
        """See `TokenRows`."""
        theirs = select(api_tokens).where(api_tokens.c.user_id == user_id)
        asked = theirs.order_by(api_tokens.c.made, api_tokens.c.id)
        return [_token(row) for row in await self._work.do(lambda db: db.execute(asked).all())]

    async def note_use(self, token_id: str, now: datetime) -> None:
        """See `TokenRows`."""
        changed = update(api_tokens).where(api_tokens.c.id == token_id)
        await self._work.do(lambda db: db.execute(changed.values(used=now.timestamp())))

    async def remove(self, token_id: str, user_id: str) -> bool:
        """See `TokenRows`."""
        whose = (api_tokens.c.id == token_id, api_tokens.c.user_id == user_id)
        gone = delete(api_tokens).where(*whose)
        return await self._work.do(lambda db: db.execute(gone).rowcount == 1)

    async def remove_all(self, user_id: str) -> int:
        """See `TokenRows`."""
        gone = delete(api_tokens).where(api_tokens.c.user_id == user_id)
        return await self._work.do(lambda db: db.execute(gone).rowcount)

    async def sweep(self, now: datetime) -> None:
        """See `TokenRows`."""
        over = delete(api_tokens).where(api_tokens.c.ends <= now.timestamp())
        await self._work.do(lambda db: db.execute(over))

    async def close(self) -> None:
        """Let running work end."""
        await self._work.close()


def _columns(token: ApiToken) -> dict[str, object]:
    return {
        "id": token.id,
        "fingerprint": token.fingerprint,
        "user_id": token.user_id,
        "name": token.name,
        "reach": token.scope.reach.value,
        "organisation": token.scope.organisation,
        "read_only": token.scope.read_only,
        "made": token.made.timestamp(),
        "ends": token.ends.timestamp(),
        "used": token.used.timestamp() if token.used else None,
    }


def _token(row: Row[tuple[object, ...]]) -> ApiToken:
    return ApiToken(
        id=row.id,
        fingerprint=row.fingerprint,
        user_id=row.user_id,
        name=row.name,
        scope=Scope(Reach(row.reach), row.organisation, row.read_only),
        made=_time(row.made),
        ends=_time(row.ends),
        used=_time(row.used) if row.used is not None else None,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
