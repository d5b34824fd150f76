"""Sessions of the portal: how long somebody stays signed in."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Method(StrEnum):
    """How somebody has proved who he is."""

    PASSWORD = "password"  # noqa: S105 - a name
    OPENID = "openid"
    LINK = "link"
    """A one-time link, made by an admin."""
    TOKEN = "token"  # noqa: S105 - a name
    """A token of the API, for one request; such a session is stored nowhere."""


@dataclass(frozen=True)
class Session:
    """Somebody is signed in, in one browser."""

    key: str = field(repr=False)
    """A fingerprint of the token that the browser has; the token itself is stored nowhere."""
    user_id: str
    method: Method
    began: datetime
    """UTC, as the others."""
    used: datetime
    confirmed: datetime
    """When the password was last asked for."""
    said: str = ""
    """Name of the sentence that the next page shows, such as that something was saved."""


@dataclass(frozen=True)
class SessionRules:
    """How long sessions last."""

    idle: timedelta = timedelta(minutes=15)
    longest: timedelta = timedelta(hours=12)
    fresh: timedelta = timedelta(minutes=10)
    """So long after the password, it is not asked for again before something delicate."""

    def is_over(self, session: Session, now: datetime) -> bool:
        """Must he sign in again?"""
        return now - session.used >= self.idle or now - session.began >= self.longest

    def is_fresh(self, session: Session, now: datetime) -> bool:
        """Was the password asked for just now?"""
        return now - session.confirmed < self.fresh
