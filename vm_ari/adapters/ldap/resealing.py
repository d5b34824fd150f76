"""A rotation of keys: every secret in the directory sealed with the newest one (LOGIN-08)."""

from collections.abc import Mapping as Texts

from vm_ari.adapters.ldap.settings_store import SettingsStore
from vm_ari.adapters.sealing import KeyRing, SealBroken
from vm_ari.domain.entries import sort_apart
from vm_ari.ports import Resealed, UnknownUser


async def reseal(store: SettingsStore, keys: KeyRing, user_id: str) -> Resealed:
    """The secrets of one user: all of them, or none if one is broken. Raises `LdapError`."""
    renewed: dict[str, str] = {}

    def decide(name: str, texts: Texts[str, str]) -> Texts[str, str | None]:
        old = {k: v for k, v in sort_apart(texts).sealed.items() if not keys.is_current(v)}
        renewed.clear()
        renewed.update({key: _sealed_again(keys, name, key, text) for key, text in old.items()})
        return dict(renewed)

    try:
        changed = await store.change(user_id, decide)
    except SealBroken:
        return Resealed(0, 0, (user_id,))
    except UnknownUser:
        return Resealed(0, 0)
    return Resealed(len(renewed), len(sort_apart(changed.before).sealed) - len(renewed))


def _sealed_again(keys: KeyRing, owner: str, key: str, text: str) -> str:
    return keys.seal(keys.open(text, owner=owner, attribute=key), owner=owner, attribute=key)
