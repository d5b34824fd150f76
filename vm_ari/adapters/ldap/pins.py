"""Logins in any store of settings: judging a PIN, and what is remembered (LOGIN-03, LOGIN-08)."""

from collections.abc import Mapping as Texts

import structlog

from vm_ari.adapters.ldap.errors import LdapError
from vm_ari.adapters.ldap.settings_store import SettingsStore, Turns
from vm_ari.adapters.sealed_logins import SealedLogins
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import PIN, PIN_FAILURES, StoredValues, sort_apart
from vm_ari.domain.login_state import Decide, LoginChange, LoginState
from vm_ari.domain.pin import PinCheck, is_locked
from vm_ari.ports import UnknownUser

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
        self._sealed = SealedLogins(keys, default_pin)
        self._allowed = allowed
        self._turns = Turns()

    async def check(self, user_id: str, pin: str) -> PinCheck:
        """Judge one attempt. Raises `LdapError`, `DirectoryUnavailable`."""
        async with self._turns.of(user_id):  # or many right ones at once would look like guesses
            return await self._checked(user_id, pin)

    def state(self, user_id: str, texts: Texts[str, str]) -> LoginState:
        """What is remembered, from the user's texts."""
        return self._sealed.state(user_id, texts)

    async def change(self, asked: str, decide: Decide) -> LoginChange:
        """Decide and change it. Raises `LdapError`, `UnknownUser`, `Unstorable`."""
        last: list[LoginChange] = []

        def work(user_id: str, texts: Texts[str, str]) -> Texts[str, str | None]:
            before = self.state(user_id, texts)
            last[:] = [LoginChange(before, decide(before))]
            return self._sealed.changed(user_id, last[0])

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
        if not self._sealed.fits(changed.id, before.sealed.get(PIN), pin):
            return PinCheck.WRONG
        await self._forget_failures(changed.id)
        return PinCheck.RIGHT

    def _claim(self, user_id: str, texts: Texts[str, str]) -> Texts[str, str | None]:
        """One failure in advance. A PIN that cannot be opened is nobody's failure."""
        stored = sort_apart(texts)
        if not self._has_pin(stored) or is_locked(stored.pin_failures, self._allowed):
            return {}
        self._sealed.known(user_id, stored.sealed.get(PIN))
        return {PIN_FAILURES: str(stored.pin_failures + 1)}

    async def _forget_failures(self, user_id: str) -> None:
        try:
            await self._store.change(user_id, lambda _id, _texts: {PIN_FAILURES: None})
        except (LdapError, UnknownUser) as error:
            log.warning("failures are not forgotten", user=user_id, reason=str(error))

    def _wrong(self, pin: str) -> PinCheck:
        self._sealed.work_in_vain(pin)
        return PinCheck.WRONG

    def _has_pin(self, stored: StoredValues) -> bool:
        return PIN in stored.sealed or self._sealed.has_default
