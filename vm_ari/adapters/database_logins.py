"""Logins in the embedded directory: judging a PIN, and what is remembered of a user's login.

Everything here is work for one transaction.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select, update

from vm_ari.adapters.database_changes import Stale
from vm_ari.adapters.database_rows import changed
from vm_ari.adapters.database_schema import state, users
from vm_ari.adapters.sealed_logins import SealedLogins
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.directory_text import OneString
from vm_ari.domain.entries import PIN, PIN_FAILURES
from vm_ari.domain.login_state import Decide, LoginChange, LoginState
from vm_ari.domain.pin import PinCheck
from vm_ari.ports import UnknownUser

_COLUMNS = (PIN, PIN_FAILURES)
"""What of a login has a column of its own; the rest lies among the texts."""


class _Row(NamedTuple):
    """What is compared before it is changed."""

    pin: str | None
    pin_failures: int
    texts: str

    def all_texts(self) -> dict[str, str]:
        """As other directories keep them."""
        there = OneString(limit=None).read([self.texts])
        pin = {} if self.pin is None else {PIN: self.pin}
        return {**there, **pin, PIN_FAILURES: str(self.pin_failures)}


class StoredLogins:
    """*allowed* 0 switches locking off; *default_pin* is that of users who have none (LOGIN-07)."""

    def __init__(self, keys: KeyRing, allowed: int, default_pin: str = "") -> None:
        self._sealed = SealedLogins(keys, default_pin)
        self._allowed = allowed

    def judge(self, db: Connection, user_id: str, pin: str) -> PinCheck:
        """Count one attempt, and then judge it. Raises `DirectoryUnavailable`."""
        claimed = self._claim_attempt(db, user_id)
        if claimed is None:
            return self._judge_without_pin(db, user_id, pin)
        if not self._sealed.fits(user_id, claimed.pin, pin):
            return PinCheck.WRONG
        db.execute(update(users).where(users.c.id == user_id).values(pin_failures=0))
        return PinCheck.RIGHT

    def state(self, db: Connection, user_id: str) -> LoginState:
        """What is remembered. Raises `UnknownUser`."""
        return self._sealed.state(user_id, _row(db, user_id).all_texts())

    def change(self, db: Connection, user_id: str, decide: Decide) -> LoginChange:
        """Compare and swap it. Raises `Stale`, `UnknownUser`, `Unstorable`."""
        old = _row(db, user_id)
        before = self._sealed.state(user_id, old.all_texts())
        change = LoginChange(before, decide(before))
        if new := self._sealed.changed(user_id, change):
            _swap(db, user_id, old, new)
        return change

    def _claim_attempt(self, db: Connection, user_id: str) -> _Row | None:
        """Count one failure in advance, if one is still allowed; None if there is nothing to
        compare with."""
        claim = update(users).where(users.c.id == user_id, *self._with_pin())
        if self._allowed > 0:
            claim = claim.where(users.c.pin_failures < self._allowed)
        claim = claim.values(pin_failures=users.c.pin_failures + 1)
        columns = (users.c.pin, users.c.pin_failures, users.c.texts)
        found = db.execute(claim.returning(*columns)).one_or_none()
        return None if found is None else _Row(*found)

    def _judge_without_pin(self, db: Connection, user_id: str, pin: str) -> PinCheck:
        """Locked; or no PIN to compare: then write and compare as much as for a wrong one."""
        has_pin = select(users.c.id).where(users.c.id == user_id, *self._with_pin())
        if db.execute(has_pin).first() is not None:
            return PinCheck.LOCKED
        counter = update(state).where(state.c.name == "attempts_without_pin")
        db.execute(counter.values(value=state.c.value + 1))
        self._sealed.work_in_vain(pin)
        return PinCheck.WRONG

    def _with_pin(self) -> tuple[ColumnElement[bool], ...]:
        return () if self._sealed.has_default else (users.c.pin.is_not(None),)


def _row(db: Connection, user_id: str) -> _Row:
    columns = select(users.c.pin, users.c.pin_failures, users.c.texts)
    found = db.execute(columns.where(users.c.id == user_id)).one_or_none()
    if found is None:
        raise UnknownUser(f"There is no user {user_id}.")
    return _Row(*found)


def _swap(db: Connection, user_id: str, old: _Row, new: Mapping[str, str | None]) -> None:
    texts = {key: text for key, text in new.items() if key not in _COLUMNS}
    values: dict[str, object] = {"texts": changed(old.texts, texts)}
    if PIN in new:
        values["pin"] = new[PIN]
    if PIN_FAILURES in new:
        values["pin_failures"] = int(new[PIN_FAILURES] or 0)
    same = update(users).where(
        users.c.id == user_id,
        users.c.texts == old.texts,
        users.c.pin.is_not_distinct_from(old.pin),
        users.c.pin_failures == old.pin_failures,
    )
    if db.execute(same.values(**values)).rowcount != 1:
        raise Stale
