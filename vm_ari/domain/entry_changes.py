"""What lies between two states of a user, as directories write it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from vm_ari.domain.entries import PIN, Entry

DETAILS = ("name", "given", "surname", "mail", "organisation")
"""Fields of `Entry` that are one text, and can be changed."""


@dataclass(frozen=True)
class Difference:
    """What must be written; what is empty stays."""

    details: Mapping[str, str]
    texts: Mapping[str, str | None] = field(repr=False)
    """Settings and sealed secrets but the PIN; None: to be removed."""
    pin: tuple[str | None] | None = field(repr=False)
    """The sealed PIN, or none any more, where it is another one."""
    renumbered: bool
    """Numbers or mailbox are others."""

    def __bool__(self) -> bool:
        return bool(self.details or self.texts or self.pin or self.renumbered)


def difference(old: Entry, new: Entry) -> Difference:
    """What makes *new* of *old*; id and failed PINs are not looked at."""
    details = {
        name: str(getattr(new, name))
        for name in DETAILS
        if getattr(old, name) != getattr(new, name)
    }
    before, after = _texts(old), _texts(new)
    keys = dict.fromkeys((*before, *after))
    pin = new.sealed.get(PIN)
    return Difference(
        details=details,
        texts={key: after.get(key) for key in keys if before.get(key) != after.get(key)},
        pin=None if pin == old.sealed.get(PIN) else (pin,),
        renumbered=(old.numbers, old.mailbox) != (new.numbers, new.mailbox),
    )


def _texts(entry: Entry) -> dict[str, str]:
    secrets = {key: sealed for key, sealed in entry.sealed.items() if key != PIN}
    return {**entry.settings, **secrets}
