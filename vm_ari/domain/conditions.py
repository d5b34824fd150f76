"""Conditions on users, such as ``organisation=sales and language=d*``."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from vm_ari.domain.callers import printable
from vm_ari.domain.entries import Entry
from vm_ari.domain.user_fields import Surroundings, UnknownField, known_field, texts_of, value_of

_CONDITION = re.compile(
    r"\s*(?P<field>[A-Za-z][A-Za-z0-9_.]*)(?P<sign>!?=)(?P<value>\"[^\"]*\"|[^\s\"]*)(?=\s|\Z)"
)
_AND = re.compile(r"\s+and(?=\s)", re.IGNORECASE)
_LONGEST = 1000


class BadCondition(ValueError):
    """A condition cannot be understood. The text says where, and what one looks like."""


@dataclass(frozen=True)
class Condition:
    """A field or setting that must match a pattern (``*``, ``?``), or must not."""

    field: str
    pattern: str
    matches: bool = True

    def fits(self, entry: Entry, around: Surroundings) -> bool:
        """Capitals do not matter; of several numbers or units one is enough."""
        wanted = self.pattern.casefold()
        texts = texts_of(value_of(entry, self.field, around))
        return any(fnmatchcase(text.casefold(), wanted) for text in texts) is self.matches


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """All of them must hold. Raises `BadCondition`."""
    if len(text) > _LONGEST:
        raise BadCondition(f"The filter is longer than {_LONGEST} characters.")
    conditions = []
    position = 0
    while True:
        found = _CONDITION.match(text, position)
        if found is None:
            raise _misunderstood(text[position:])
        conditions.append(_condition(found))
        position = found.end()
        if not text[position:].strip():
            return tuple(conditions)
        between = _AND.match(text, position)
        if between is None:
            raise _misunderstood(text[position:])
        position = between.end()


def _condition(found: re.Match[str]) -> Condition:
    try:
        name = known_field(found["field"])
    except UnknownField as error:
        raise BadCondition(f"In the filter: {error}") from None
    return Condition(name, found["value"].strip('"'), found["sign"] == "=")


def _misunderstood(rest: str) -> BadCondition:
    where = f"at “{printable(rest, 30)}”" if rest.strip() else "at its end"
    return BadCondition(
        f"The filter cannot be understood {where}; write field=glob and field!=glob …, "
        'values with blanks in quotes: name="Anna B*" and language=de'
    )
