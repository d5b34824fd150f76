"""A caller is connected with somebody else: how that can end, and which ways lead back to us.

Every leg that we dial carries a chain: the mailboxes that have sent the call on. A leg that comes
to one of them again, by whatever forwarding, is refused there, before it is answered.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import Enum

from vm_ari.domain.dialling import DiallingRules
from vm_ari.domain.numbers import Site, normalise

LONGEST_CHAIN = 5
"""Mailboxes that may send a call on; then it stays where it is."""
_NUMBER = re.compile(r"\+?[0-9]{1,20}")
_BETWEEN = "-"


class Outcome(Enum):
    """How an attempt to connect a caller ended."""

    TALKED = "talked"
    """They were connected, until one of them hung up."""
    REFERRED = "referred"
    """They are connected, and the call has left this server (SIP REFER)."""
    BUSY = "busy"
    NO_ANSWER = "no answer"
    REFUSED = "refused"
    """By the destination: declined, or not accepted after hearing who calls."""
    UNREACHABLE = "unreachable"
    """No such number, no telephone there, or a fault on the way."""
    GIVEN_UP = "given up"
    """The caller did not want to wait any longer."""
    NOT_ALLOWED = "not allowed"
    """The dialling rules forbid it now, or it is no number."""
    LOOP = "loop"
    """It would come back to this mailbox."""

    @property
    def connected(self) -> bool:
        """Did the caller get what he wanted?"""
        return self in {Outcome.TALKED, Outcome.REFERRED}


class Waiting(Enum):
    """What a caller hears until somebody answers."""

    MUSIC = "music"
    RINGING = "ringing"


@dataclass(frozen=True)
class TransferRules:
    """What the site has decided about connecting callers; the rest is the user's."""

    dialling: DiallingRules = field(default_factory=DiallingRules)
    hears: Waiting = Waiting.RINGING
    """Music needs a class with files in Asterisk; without any the caller hears nothing."""
    may_give_up: bool = True
    """The key ``*`` brings a waiting caller back."""
    leaves_server: bool = False
    """Hand a finished transfer over to the caller's telephone system, where it agrees."""


@dataclass(frozen=True)
class Chain:
    """The mailboxes that have sent a call on, the first one first; E.164 or extensions."""

    numbers: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> "Chain":
        """What a leg carries; anything else in it is dropped."""
        numbers = (part for part in text[:500].split(_BETWEEN) if _NUMBER.fullmatch(part))
        return cls(tuple(numbers))

    def __str__(self) -> str:
        return _BETWEEN.join(self.numbers)

    def and_then(self, number: str) -> "Chain":
        """One more mailbox sends it on."""
        return Chain((*self.numbers, number))

    def comes_back_to(self, own: Collection[str]) -> bool:
        """Has one of these numbers sent it on before, or have too many others?"""
        return len(self.numbers) >= LONGEST_CHAIN or not set(self.numbers).isdisjoint(own)


def own_numbers(numbers: Iterable[str], site: Site) -> frozenset[str]:
    """All names of one mailbox in one spelling; what is no number is left out."""
    return frozenset(clean for number in numbers if (clean := normalise(number, site)))


def leads_back(destination: str, own: Collection[str], been_at: Collection[str]) -> bool:
    """Would a call to *destination* reach the mailbox again, or a number it was sent on from?

    All of them in the spelling of `own_numbers`.
    """
    return destination in own or destination in been_at
