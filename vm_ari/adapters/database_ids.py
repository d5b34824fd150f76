"""Ids of users for shell completion: straight from the SQLite file, as loading more takes long."""

import sqlite3
from contextlib import closing
from urllib.parse import quote

_SQLITE = "sqlite:///"
_SECONDS = 0.2
"""Somebody waits for the answer to a key."""


def ids_beginning(url: str, begun: str, most: int) -> list[str]:
    """At most so many, by alphabet; none, where that is no file that can be read now."""
    if not url.startswith(_SQLITE):
        return []
    file = f"file:{quote(url.removeprefix(_SQLITE))}?mode=ro"
    query = "SELECT id FROM users WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"
    try:
        with closing(sqlite3.connect(file, timeout=_SECONDS, uri=True)) as db:
            rows = db.execute(query, (begun, begun + "\U0010ffff", most))
            return [str(row[0]) for row in rows]
    except (sqlite3.Error, UnicodeError):
        return []
