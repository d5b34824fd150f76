"""What the machine says: disks, databases, clock. Blocks; nothing is changed, nothing raised."""

import ctypes
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from vm_ari.adapters.database_work import reason_of
from vm_ari.domain.system_facts import ClockFacts, DatabaseFacts, Disk

PATIENCE = 5
"""Seconds for a database server."""
_SIZES: Mapping[str, tuple[str, str]] = {
    "sqlite": (
        "SELECT 'SQLite ' || sqlite_version()",
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    ),
    "postgresql": (
        "SELECT 'PostgreSQL ' || current_setting('server_version')",
        "SELECT pg_database_size(current_database())",
    ),
}
_TIME_ERROR = 5
"""What the kernel answers where nothing keeps the clock right (adjtimex(2))."""


def disk_of(what: str, path: Path) -> Disk:
    """Of the directory, or of the next one above it that is there."""
    try:
        there = next(one for one in (path, *path.absolute().parents) if one.exists())
        usage = shutil.disk_usage(there)
    except OSError as error:
        return Disk(what, str(path), fault=error.strerror or type(error).__name__)
    return Disk(what, str(path), usage.free, usage.total)


def database_of(url: str, what: tuple[str, ...]) -> DatabaseFacts:
    """Version and size; its place without a password."""
    try:
        parsed = make_url(url)
        place = _place(parsed)
        if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").is_file():
            return DatabaseFacts(what, place, fault="it is not there yet")
        version, size = _asked(parsed)
    except SQLAlchemyError as error:
        return DatabaseFacts(what, url.partition(":")[0], fault=reason_of(error))
    except (OSError, ImportError) as error:
        return DatabaseFacts(what, url.partition(":")[0], fault=str(error))
    return DatabaseFacts(what, place, version, size)


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return f"{url.host or url.query.get('host', 'local')}/{url.database}"


def _asked(url: URL) -> tuple[str, int]:
    engine = _engine(url)
    try:
        with engine.connect() as db:
            questions = _SIZES.get(url.get_backend_name(), ("SELECT ''", "SELECT 0"))
            version, size = (db.exec_driver_sql(one).scalar_one() for one in questions)
            return str(version), int(size)
    finally:
        engine.dispose()


def _engine(url: URL) -> Engine:
    server = url.get_backend_name() == "postgresql"
    patience = {"connect_timeout": PATIENCE} if server else {"timeout": PATIENCE}
    return create_engine(url, connect_args=patience, hide_parameters=True)


def clock_facts() -> ClockFacts:
    """The machine's time, and whether the kernel takes it for right."""
    return ClockFacts(datetime.now(UTC), time.tzname[time.localtime().tm_isdst > 0], _kept_right())


def _kept_right(ask: Callable[[], int] | None = None) -> bool | None:
    """None where the kernel cannot be asked."""
    try:
        state = (ask or _kernel)()
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def _kernel() -> int:
    """adjtimex(2) that changes nothing: a structure of zeros, larger than any kernel's."""
    return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(1024)))
