"""Which file an SQLite database is, so that another one in its place is noticed."""

from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

FileId = tuple[int, int]
"""Device and inode: no other file has them as long as somebody has this one open."""
_OPENED_AS = "vm_ari_file"


def sqlite_path(url: str) -> Path | None:
    """Where that database lies; None: it is no SQLite file."""
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or not parts.database:
        return None
    named = not parts.database.startswith((":memory:", "file:"))
    return Path(parts.database).absolute() if named else None


def file_id(path: Path) -> FileId | None:
    """Of what lies there now; None: nothing does. Raises OSError."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def leave_replaced_files(engine: Engine, path: Path) -> None:
    """A connection to a file that lay there before is not used again.

    Where nothing lies now, it stays: somebody may be putting another file there.
    """

    def note(
        _dialect: object, record: ConnectionPoolEntry, _names: object, _options: object
    ) -> None:
        record.info[_OPENED_AS] = file_id(path)

    def compare(_connection: object, record: ConnectionPoolEntry, _proxy: object) -> None:
        now = file_id(path)
        if now and now != record.info[_OPENED_AS]:
            raise DisconnectionError("Another file lies in the database's place.")

    # before it is opened: if another one comes just then, it is noticed the next time
    event.listen(engine, "do_connect", note)
    event.listen(engine, "checkout", compare)
