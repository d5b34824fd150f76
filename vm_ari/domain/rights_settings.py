"""What an administrator decides about what a user may send to the outside (UM-05)."""

from enum import IntEnum, StrEnum


class Scope(StrEnum):
    """How far something may go; the dialling rules can forbid more, never less."""

    NOBODY = "nobody"
    INTERNAL = "internal"
    """Numbers of the house."""
    NATIONAL = "national"
    """The same, and those of the country where the user's site is."""
    INTERNATIONAL = "international"

    @property
    def width(self) -> int:
        """The greater, the further."""
        return tuple(Scope).index(self)

    def narrowed(self, other: "Scope") -> "Scope":
        """What both allow."""
        return min(self, other, key=lambda scope: scope.width)


class Priority(StrEnum):
    """Whose faxes go first where several wait for a line."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"

    @property
    def rank(self) -> "Rank":
        """The smaller, the earlier."""
        return Rank[self.name]


class Rank(IntEnum):
    """Order of priorities."""

    HIGH = 0
    NORMAL = 1
    LOW = 2
