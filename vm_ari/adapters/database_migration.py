"""Older layouts of the embedded directory's tables, brought to the present one.

Schema 1 kept a user's settings as JSON of typed values and knew neither given names nor
organisations. Its values become own settings as they were, so that no call changes.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import structlog
from sqlalchemy import Connection, text

from vm_ari.domain.directory_text import OneString
from vm_ari.domain.entries import address_key
from vm_ari.domain.preferences import (
    ACCESS,
    LANGUAGE,
    TAKES_MESSAGES,
    TIME_ZONE,
    VOICE_MAIL_ENABLED,
    Access,
)

log = structlog.get_logger("vm_ari.directory")

_NEW_COLUMNS = (
    "given VARCHAR NOT NULL DEFAULT ''",
    "surname VARCHAR NOT NULL DEFAULT ''",
    "organisation VARCHAR NOT NULL DEFAULT ''",
    "mail_key VARCHAR",
    "texts VARCHAR NOT NULL DEFAULT ''",
)


def migrate(db: Connection) -> None:
    """Bring schema 1 to schema 2: wholly, or (on an error, which is raised) not at all.

    The first statement takes the database's lock, so of several processes one does it.
    """
    claim = "UPDATE state SET value = 2 WHERE name = 'schema' AND value = 1"
    if db.execute(text(claim)).rowcount == 0:
        return
    for column in _NEW_COLUMNS:
        db.execute(text(f"ALTER TABLE users ADD COLUMN {column}"))
    rows = db.execute(text("SELECT id, mail, settings FROM users ORDER BY id")).all()
    fill = text("UPDATE users SET texts = :texts, mail_key = :mail_key WHERE id = :id")
    if values := list(_new_values(rows)):
        db.execute(fill, values)
    db.execute(text("ALTER TABLE users DROP COLUMN settings"))
    log.info("directory brought to schema 2", users=len(rows))


def _new_values(rows: Iterable[Any]) -> Iterable[Mapping[str, object]]:
    owners: dict[str, str] = {}
    for row in rows:
        key = address_key(row.mail)
        unique = bool(key) and key not in owners
        if unique:
            owners[key] = row.id
        elif key:
            log.warning(
                "two users have one mail address; give one of them another",
                users=[owners[key], row.id],
            )
        yield {"id": row.id, "mail_key": key if unique else None, "texts": _texts(row.settings)}


def _texts(settings: object) -> str:
    """SQLite gives JSON as text, PostgreSQL understood."""
    old = json.loads(settings) if isinstance(settings, str) else settings
    assert isinstance(old, dict)
    new: dict[str, str | None] = {
        setting.key: setting.form.write(old[setting.key])
        for setting in (LANGUAGE, TIME_ZONE, VOICE_MAIL_ENABLED, TAKES_MESSAGES)
        if setting.key in old
    }
    if "may_log_in" in old:
        new[ACCESS.key] = ACCESS.format(Access.FULL if old["may_log_in"] else Access.NONE)
    return max(OneString(limit=None).change((), new).add, default="")
