"""Rules of the site that dialogues follow; a user's own values come with the `User`."""

from dataclasses import dataclass, field
from enum import Enum

from vm_ari.domain.numbers import Site, extension_of
from vm_ari.domain.recording import Limits


class NumberStyle(Enum):
    """How the default greeting speaks the mailbox's number (GREET-06)."""

    EXTENSION = "extension"
    INTERNATIONAL = "international"


@dataclass(frozen=True)
class Rules:
    """What the site has decided for everybody."""

    site: Site = field(default_factory=Site)
    limits: Limits = field(default_factory=Limits)
    language: str = "en"
    """For callers of a mailbox that nobody owns, and where the directory cannot be asked."""
    number_style: NumberStyle = NumberStyle.EXTENSION
    default_recipient: str = ""
    """Mail address of who gets messages to numbers that nobody owns; empty: they are not taken."""
    caller_may_review: bool = True
    options_after_message: bool = True
    """Speak the keys after each message; they work without, too."""


def spoken_number(number: str, site: Site, style: NumberStyle) -> str:
    """What the default greeting says, digit by digit."""
    if style is NumberStyle.EXTENSION and (extension := extension_of(number, site)) is not None:
        return extension
    return number
