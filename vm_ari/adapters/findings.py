"""What an examination has found: one line for an admin each (MAIL-07)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mending:
    """What a command can do about a finding by itself: nothing that could lose anything."""

    words: str
    """What is done, said before it is: "chmod 600 /etc/vm-ari/keys/0001.key"."""
    work: Callable[[], Awaitable[None]]
    """Does it; raises OSError, `AriError` or `AriUnavailable`."""


@dataclass(frozen=True)
class Finding:
    """What is there or what is wrong, and what to do about it."""

    good: bool
    text: str
    advice: str = ""
    unreachable: bool = False
    """Nothing else can be found out."""
    part: str = ""
    """What was examined."""
    follows: str = ""
    """Another part, with whose problem this one goes away."""
    minor: bool = False
    """A problem, but calls go on: tomorrow is early enough."""
    mending: Mending | None = field(default=None, compare=False)


def sentence(error: object) -> str:
    """What was said, with one full stop at its end."""
    return str(error).rstrip(".") + "."
