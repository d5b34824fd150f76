"""Site rules that tell by a header field what a mail is: for gateways without standard fields."""

import re
from dataclasses import dataclass, field
from fnmatch import translate

from vm_ari.domain.messages import MessageKind

LONGEST_PATTERN = 200
MOST_STARS = 8
"""Each costs another walk through a value that a stranger has written."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")


class BadKindRule(ValueError):
    """A rule cannot be used. The text says what to change."""


@dataclass(frozen=True)
class KindRule:
    """Mails whose *header* is like *pattern* are of that *kind*. Raises `BadKindRule`."""

    header: str
    pattern: str
    """The whole value, in capitals or not; ``*`` stands for anything, ``?`` for one character."""
    kind: MessageKind
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check it, once."""
        if not _NAME.fullmatch(self.header):
            raise BadKindRule(f"“{self.header}” is no header field; write Subject, or From")
        if not self.pattern.strip("*?") or not self.pattern.isprintable():
            raise BadKindRule(f"“{self.pattern}” says nothing; write “Fax from *”")
        if len(self.pattern) > LONGEST_PATTERN or self.pattern.count("*") > MOST_STARS:
            raise BadKindRule(
                f"“{self.pattern[:40]}…” is too long; use at most {LONGEST_PATTERN} characters "
                f"and {MOST_STARS} stars"
            )
        literal = self.pattern.replace("[", "[[]")
        object.__setattr__(self, "_compiled", re.compile(translate(literal), re.IGNORECASE))

    def matches(self, value: str) -> bool:
        """Is it said by that value of the header, decoded?"""
        return self._compiled.match(value) is not None

    @property
    def telling(self) -> str:
        """A piece of plain ASCII that is in every value that matches; may be empty."""
        pieces = re.findall(r"[ !#-)+->@-\[\]-~]+", self.pattern)  # no quotes, no backslash
        return max((piece.strip() for piece in pieces), key=len, default="")
