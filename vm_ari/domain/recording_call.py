"""A call that the system makes so that somebody records a greeting: what it is for.

It travels as arguments of the ARI application, which Asterisk splits at commas.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from vm_ari.domain.greetings import GreetingKey, Slot

PURPOSE = "record"


class BadRecordingCall(ValueError):
    """The arguments do not name a greeting."""


def arguments_for(key: GreetingKey) -> str:
    """The arguments of a call that records this greeting; the owner's id may be anything."""
    owner = urlsafe_b64encode(key.owner.encode()).decode()
    return ",".join((PURPOSE, owner, key.slot.value, key.language))


def key_in(arguments: Sequence[str]) -> GreetingKey:
    """The greeting that is to be recorded. Raises `BadRecordingCall`."""
    try:
        purpose, owner, slot, language = arguments
        if purpose != PURPOSE:
            raise BadRecordingCall(f"not a recording call but {purpose[:40]!r}")
        decoded = urlsafe_b64decode(owner.encode("ascii")).decode()
        return GreetingKey(decoded, Slot(slot), language)
    except ValueError as error:
        raise BadRecordingCall(f"these arguments name no greeting: {error}") from None
