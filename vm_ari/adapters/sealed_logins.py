"""Logins as directories keep them, sealed: a PIN compared, and what is remembered (LOGIN-03)."""

from collections.abc import Mapping

from vm_ari.adapters.sealing import KeyRing, SealBroken
from vm_ari.domain.entries import PIN
from vm_ari.domain.login_state import LoginChange, LoginState, changed_texts, read_state
from vm_ari.domain.pin import same_pin
from vm_ari.ports import DirectoryUnavailable


class SealedLogins:
    """*default_pin* is that of users who have none (LOGIN-07); empty: they cannot log in."""

    def __init__(self, keys: KeyRing, default_pin: str = "") -> None:
        self._keys = keys
        self._default = default_pin
        self._decoy = keys.seal("000000", owner="", attribute=PIN)

    @property
    def has_default(self) -> bool:
        """Has everybody a PIN?"""
        return bool(self._default)

    def fits(self, user_id: str, sealed: str | None, pin: str) -> bool:
        """Is that the PIN, or the default one of who has none? Raises `DirectoryUnavailable`."""
        return same_pin(self.known(user_id, sealed), pin)

    def known(self, user_id: str, sealed: str | None) -> str:
        """The PIN, or the default one. Raises `DirectoryUnavailable` where it cannot be opened."""
        if sealed is None:
            return self._default
        try:
            return self._keys.open(sealed, owner=user_id, attribute=PIN)
        except SealBroken as error:
            raise DirectoryUnavailable(
                f"The PIN of user {user_id} cannot be read: {error}"
            ) from error

    def work_in_vain(self, pin: str) -> None:
        """Where there is nothing to compare with: as much work as if there were."""
        same_pin(self._keys.open(self._decoy, owner="", attribute=PIN), pin)

    def state(self, user_id: str, texts: Mapping[str, str]) -> LoginState:
        """What is remembered, from the user's texts."""

        def opened(key: str, sealed: str) -> str | None:
            try:
                return self._keys.open(sealed, owner=user_id, attribute=key)
            except SealBroken:
                return None

        return read_state(texts, opened)

    def changed(self, user_id: str, change: LoginChange) -> Mapping[str, str | None]:
        """The texts that are to be written; None: one goes away. Raises `Unstorable`."""
        return changed_texts(
            change.before,
            change.after,
            lambda key, text: self._keys.seal(text, owner=user_id, attribute=key),
        )
