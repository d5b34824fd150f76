"""Logins in any store of settings: judging a PIN, and what is remembered (LOGIN-03, LOGIN-08)."""

import hashlib
import hmac
from collections.abc import Mapping as Texts

import structlog

from vm_ari.adapters.ldap.errors import LdapError
from vm_ari.adapters.ldap.settings_store import SettingsStore, Turns
from vm_ari.adapters.sealing import KeyRing, SealBroken
from vm_ari.domain.entries import PIN, PIN_FAILURES, StoredValues, sort_apart
from vm_ari.domain.login_state import Decide, LoginChange, LoginState, changed_texts, read_state
from vm_ari.domain.pin import PinCheck, is_locked
from vm_ari.ports import DirectoryUnavailable, UnknownUser

log = structlog.get_logger("vm_ari.ldap")


class PinJudge:
    """Counts each attempt before it is judged, so that no more than allowed ever are.

    However many attempts come at once, and through however many processes: each of them changes
    the counter from the value that it has read, or reads again.
    """

    def __init__(
        self, store: SettingsStore, keys: KeyRing, allowed: int, default_pin: str = ""
    ) -> None:
        self._store = store
        self._keys = keys
        self._allowed = allowed
        self._default = default_pin
        self._turns = Turns()
        self._decoy = keys.seal("000000", owner="", attribute=PIN)

    async def check(self, user_id: str, pin: str) -> PinCheck:
        """Judge one attempt. Raises `LdapError`, `DirectoryUnavailable`."""
        async with self._turns.of(user_id):  # or many right ones at once would look like guesses
            return await self._checked(user_id, pin)

    def state(self, user_id: str, texts: Texts[str, str]) -> LoginState:
        """What is remembered, from the user's texts."""

        def opened(key: str, sealed: str) -> str | None:
            try:
                return self._keys.open(sealed, owner=user_id, attribute=key)
            except SealBroken:
                return None

        return read_state(texts, opened)

    async def change(self, asked: str, decide: Decide) -> LoginChange:
        """Decide and change it. Raises `LdapError`, `UnknownUser`, `Unstorable`."""
        last: list[LoginChange] = []

        def work(user_id: str, texts: Texts[str, str]) -> Texts[str, str | None]:
            before = self.state(user_id, texts)
            last[:] = [LoginChange(before, decide(before))]
            return changed_texts(
                *last[0], lambda key, text: self._keys.seal(text, owner=user_id, attribute=key)
            )

        await self._store.change(asked, work)
        return last[0]

    async def _checked(self, user_id: str, pin: str) -> PinCheck:
        try:
            changed = await self._store.change(user_id, self._claim)
        except UnknownUser:
            return self._wrong(pin)
        before = sort_apart(changed.before)
        if not self._has_pin(before):
            return self._wrong(pin)
        if is_locked(before.pin_failures, self._allowed):
            return PinCheck.LOCKED
        if not _equal(self._known(changed.id, before), pin):
            return PinCheck.WRONG
        await self._forget_failures(changed.id)
        return PinCheck.RIGHT

    def _claim(self, user_id: str, texts: Texts[str, str]) -> Texts[str, str | None]:
        """One failure in advance. A PIN that cannot be opened is nobody's failure."""
        stored = sort_apart(texts)
        if not self._has_pin(stored) or is_locked(stored.pin_failures, self._allowed):
            return {}
        self._known(user_id, stored)
        return {PIN_FAILURES: str(stored.pin_failures + 1)}

    async def _forget_failures(self, user_id: str) -> None:
        try:
            await self._store.change(user_id, lambda _id, _texts: {PIN_FAILURES: None})
        except (LdapError, UnknownUser) as error:
            log.warning("failures are not forgotten", user=user_id, reason=str(error))

    def _wrong(self, pin: str) -> PinCheck:
        """There is nothing to compare with: do as much work as if there were."""
        _equal(self._keys.open(self._decoy, owner="", attribute=PIN), pin)
        return PinCheck.WRONG

    def _has_pin(self, stored: StoredValues) -> bool:
        return PIN in stored.sealed or bool(self._default)

    def _known(self, user_id: str, stored: StoredValues) -> str:
        """The user's PIN, or the default one of who has none."""
        sealed = stored.sealed.get(PIN)
        if sealed is None:
            return self._default
        try:
            return self._keys.open(sealed, owner=user_id, attribute=PIN)
        except SealBroken as error:
            raise DirectoryUnavailable(
                f"The PIN of user {user_id} cannot be read: {error}"
            ) from error


def _equal(known: str, typed: str) -> bool:
    """Digests of equal length, so that the comparison does not tell the PIN's."""
    return hmac.compare_digest(_digest(known), _digest(typed))


def _digest(pin: str) -> bytes:
    return hashlib.sha256(pin.encode("utf-8", "replace")).digest()
