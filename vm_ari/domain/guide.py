"""What the printed guide of the telephone menus holds; the words come with each language."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """One key of a menu."""

    key: str
    action: str
    """As key maps name it: ``main.new_voice``."""
    prompt: str = ""
    """Id of the words that offer it by telephone; empty for a key that nobody speaks of."""


@dataclass(frozen=True)
class Chapter:
    """One menu."""

    name: str
    """As key maps name it: ``main``."""
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Guide:
    """All menus that a user can come to."""

    chapters: tuple[Chapter, ...]
    keys: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Every key by its action, for texts that mention one."""
    login_number: str = ""
    """Where users dial in; empty: they call their own mailbox."""
