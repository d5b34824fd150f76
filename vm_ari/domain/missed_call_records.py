"""What is remembered of calls that rang phones: to do, done, and why (MISSED-01)."""

from dataclasses import dataclass
from hashlib import sha256

from vm_ari.domain.missed_calls import Outcome
from vm_ari.domain.ringing import RungCall


@dataclass(frozen=True)
class Case:
    """A call about which it is not yet decided who is told."""

    key: str
    call: RungCall
    tries: int = 1
    """With this one."""


@dataclass(frozen=True)
class Fate:
    """What came of a call for a user."""

    user_id: str
    outcome: Outcome


@dataclass(frozen=True)
class Record:
    """A call as a person looks it up."""

    key: str
    call: RungCall
    fates: tuple[Fate, ...] = ()
    open: bool = False
    """It is still to be decided."""


def key_of(call: RungCall) -> str:
    """The same on every node that sees the call; Linkedids of two Asterisks can be alike."""
    names = (call.id, call.caller.number, call.called)
    return sha256("\0".join(names).encode("utf-8", "replace")).hexdigest()[:24]
