"""Which users an admin means: named ones, patterns, units and conditions."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from vm_ari.domain.conditions import Condition
from vm_ari.domain.entries import Entry
from vm_ari.domain.user_fields import Surroundings


@dataclass(frozen=True)
class Selection:
    """Who is meant: whoever everything that is said here holds for."""

    named: tuple[str, ...] = ()
    """Ids, mailboxes, or numbers in any spelling; empty: everybody, as far as the rest lets."""
    patterns: tuple[str, ...] = ()
    """One of them must match the id or the address."""
    units: tuple[str, ...] = ()
    """One of them must be the organisation, or an organisational unit above the entry."""
    conditions: tuple[Condition, ...] = ()
    everybody: bool = False
    """Said outright, so that a forgotten argument is not taken for it."""

    def __bool__(self) -> bool:
        """Is anything said at all?"""
        return bool(self.named or self.patterns or self.units or self.conditions or self.everybody)

    def fits(self, entry: Entry, around: Surroundings) -> bool:
        """Is that one of them? Names are not looked at."""
        return (
            _one_matches(self.patterns, (entry.id, entry.mail))
            and _one_is(self.units, (entry.organisation, *entry.units))
            and all(condition.fits(entry, around) for condition in self.conditions)
        )


def _one_matches(patterns: Iterable[str], texts: Iterable[str]) -> bool:
    wanted = [pattern.casefold() for pattern in patterns]
    folded = [text.casefold() for text in texts]
    return not wanted or any(fnmatchcase(text, one) for text in folded for one in wanted)


def _one_is(names: Iterable[str], texts: Iterable[str]) -> bool:
    wanted = {name.casefold() for name in names}
    return not wanted or any(text.casefold() in wanted for text in texts)
