"""Who is signed in to the portal: sessions that can be ended from the server's side."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from vm_ari.domain.portal_sessions import Method, Session, SessionRules
from vm_ari.ports import Clock

TOKEN_BYTES = 32
_NOTE_USE_EVERY = timedelta(minutes=1)


class SessionRows(Protocol):
    """Where sessions are kept. Every method raises `PortalUnavailable`."""

    async def add_session(self, session: Session) -> None:
        """Durable when it returns."""
        ...

    async def session(self, key: str) -> Session | None:
        """The one of that key."""
        ...

    async def change_session(self, session: Session) -> None:
        """Its times and its sentence; nothing happens where it has ended meanwhile."""
        ...

    async def end_session(self, key: str) -> None:
        """Forget it."""
        ...

    async def end_sessions_of(self, user_id: str, *, but: Sequence[str] = ()) -> None:
        """Forget all of a user."""
        ...

    async def sweep_sessions(self, began_before: datetime) -> None:
        """Forget the old ones."""
        ...


@dataclass(frozen=True)
class PortalSessions:
    """The sessions of all users. Every method raises `PortalUnavailable`."""

    rows: SessionRows
    clock: Clock
    rules: SessionRules = field(default_factory=SessionRules)

    async def start(self, user_id: str, method: Method) -> str:
        """Sign somebody in; the token is for the browser alone."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self.clock.now()
        await self.rows.add_session(
            Session(key_of(token), user_id, method, began=now, used=now, confirmed=now)
        )
        return token

    async def find(self, token: str, *, passive: bool = False) -> Session | None:
        """The session of a token, unless it is over; *passive* requests do not keep it alive."""
        session = await self.rows.session(key_of(token)) if token else None
        now = self.clock.now()
        if session is None:
            return None
        if self.rules.is_over(session, now):
            await self.rows.end_session(session.key)
            return None
        if not passive and now - session.used >= _NOTE_USE_EVERY:
            session = replace(session, used=now)
            await self.rows.change_session(session)
        return session

    async def say(self, session: Session, sentence: str) -> None:
        """The next page shows that sentence; empty: none any more."""
        await self.rows.change_session(replace(session, said=sentence))

    def is_fresh(self, session: Session) -> bool:
        """Was the password asked for just now?"""
        return self.rules.is_fresh(session, self.clock.now())

    async def end(self, token: str) -> None:
        """Sign out, in this browser."""
        await self.rows.end_session(key_of(token))

    async def end_all(self, user_id: str, *, but: Sequence[str] = ()) -> None:
        """Sign a user out everywhere, but in the sessions of those keys."""
        await self.rows.end_sessions_of(user_id, but=but)

    async def sweep(self) -> None:
        """Forget those that are over for long."""
        await self.rows.sweep_sessions(self.clock.now() - self.rules.longest)


def key_of(token: str) -> str:
    """The fingerprint under which a session is kept."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()
