"""What callers hear first, as a sentence: recordings and prompts (GREET-08)."""

from vm_ari.domain.greeting_choice import (
    DefaultGreeting,
    DisabledNotice,
    GlobalGreeting,
    NoMailboxNotice,
    OwnGreeting,
    PersonalisedGreeting,
    Plays,
)
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Recorded, Sentence


def greeting_words(plays: Plays) -> Sentence:
    """Without what the caller can do then."""
    match plays:
        case OwnGreeting(_, greeting) | GlobalGreeting(greeting):
            return (Recorded(str(greeting.path)),)
        case PersonalisedGreeting(_, name):
            return (P.MAILBOX_OF, Recorded(str(name.path)))
        case DefaultGreeting(number):
            return (P.YOU_HAVE_REACHED, Digits(number))
        case DisabledNotice():
            return (P.MAILBOX_DISABLED,)
        case NoMailboxNotice():
            return (P.UNKNOWN_MAILBOX,)
