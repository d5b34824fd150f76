"""Sessions, passwords and one-time links of the portal in a database that all nodes share."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from vm_ari.adapters import portal_tables as tables
from vm_ari.adapters.database_schema import Database
from vm_ari.adapters.database_work import DatabaseWork
from vm_ari.domain.portal_sessions import Session
from vm_ari.ports import PortalUnavailable

CONNECTIONS = 2


class PortalDatabase:
    """Rows by key. Every method raises `PortalUnavailable`."""

    def __init__(self, url: str) -> None:
        database = Database(url, CONNECTIONS, prepare=tables.create_tables)
        self._work = DatabaseWork(database, CONNECTIONS, "portal", unavailable)

    async def add_session(self, session: Session) -> None:
        """See `SessionRows`."""
        await self._work.do(lambda db: tables.add_session(db, session))

    async def session(self, key: str) -> Session | None:
        """See `SessionRows`."""
        return await self._work.do(lambda db: tables.session_in(db, key))

    async def change_session(self, session: Session) -> None:
        """See `SessionRows`."""
        await self._work.do(lambda db: tables.change_session(db, session))

    async def end_session(self, key: str) -> None:
        """See `SessionRows`."""
        await self._work.do(lambda db: tables.end_session(db, key))

    async def end_sessions_of(self, user_id: str, *, but: Sequence[str] = ()) -> None:
        """See `SessionRows`."""
        await self._work.do(lambda db: tables.end_sessions(db, user_id, but))

    async def sweep_sessions(self, began_before: datetime) -> None:
        """See `SessionRows`; links that are over go, too."""
        await self._work.do(lambda db: tables.sweep(db, began_before, datetime.now(UTC)))

    async def password_hash(self, user_id: str) -> str:
        """Empty where there is none."""
        return await self._work.do(lambda db: tables.hash_of(db, user_id))

    async def set_password_hash(self, user_id: str, text: str) -> None:
        """Empty: there is none any more."""
        await self._work.do(lambda db: tables.set_hash(db, user_id, text, datetime.now(UTC)))

    async def add_link(self, key: str, user_id: str, ends: datetime) -> None:
        """The user's only one from now on."""
        await self._work.do(lambda db: tables.add_link(db, key, user_id, ends))

    async def link(self, key: str) -> str:
        """Whose it is; empty: nobody's, or over."""
        return await self._work.do(lambda db: tables.link_in(db, key, datetime.now(UTC)))

    async def use_link(self, key: str) -> str:
        """As `link`; it works once."""
        return await self._work.do(lambda db: tables.use_link(db, key, datetime.now(UTC)))

    async def close(self) -> None:
        """Let running work end."""
        await self._work.close()


def unavailable(error: Exception) -> Exception:
    """What pages are told; never what stands in the database."""
    if isinstance(error, SQLAlchemyError | OSError):
        return PortalUnavailable(f"the portal's database cannot be used: {type(error).__name__}")
    return error
