"""What an examination has found: one line for an admin each (MAIL-07)."""

from dataclasses import dataclass


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


def sentence(error: object) -> str:
    """What was said, with one full stop at its end."""
    return str(error).rstrip(".") + "."
