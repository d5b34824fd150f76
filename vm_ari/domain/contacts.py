"""Somebody whom the site knows beside its users: who is behind a number that calls (MISSED-02)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vm_ari.domain.callers import printable
from vm_ari.domain.numbers import Site, normalise

MOST_NUMBERS = 8
"""Of one contact; the others are left out."""
_MOST_LOOKED_AT = 50
_LONGEST_MAIL = 254
_MAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[^\s@<>()\[\]\\,;:\"]{1,190}")


@dataclass(frozen=True)
class Contact:
    """A person or a firm, in texts that can be shown and written anywhere."""

    name: str
    """At most 60 printable characters on one line; empty for a firm."""
    organisation: str = ""
    """The same."""
    mail: str = ""
    numbers: tuple[str, ...] = ()
    """E.164 or extensions."""

    @property
    def shown(self) -> str:
        """What is written of it in one line."""
        return self.name or self.organisation


def contact_from(
    name: str, organisation: str, mail: str, numbers: Iterable[str], site: Site
) -> Contact | None:
    """Make one of what an address book says, whatever that is; None for one without a name."""
    shown = printable(name), printable(organisation)
    if not any(shown):
        return None
    looked_at = [text for text, _ in zip(numbers, range(_MOST_LOOKED_AT), strict=False)]
    clean = (normalise(text, site) for text in looked_at)
    return Contact(
        *shown,
        mail=mail if _is_address(mail) else "",
        numbers=tuple(dict.fromkeys(filter(None, clean)))[:MOST_NUMBERS],
    )


def _is_address(text: str) -> bool:
    return len(text) <= _LONGEST_MAIL and text.isprintable() and bool(_MAIL.fullmatch(text))
