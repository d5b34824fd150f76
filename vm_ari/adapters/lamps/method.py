"""What every way of telling Asterisk about a lamp has in common."""

from dataclasses import dataclass
from typing import Protocol

MOST = 9999
"""Larger counts are shown as this: no phone has room for more."""
CONTEXT = "vm-ari"
"""The mailboxes of phones are ``<mailbox>@vm-ari``, as in ``asterisk-conf/pjsip_vm_ari.conf``."""


class LampNotTold(Exception):
    """Asterisk (or its manager interface) does not answer just now. The text says what happened."""


class LampRefused(Exception):
    """Asterisk answers, but will not take this. The text says why and, if known, what to do."""


@dataclass(frozen=True)
class LampCounts:
    """What a lamp shows: new and old voice messages, both from 0 to `MOST`."""

    new: int
    old: int

    @property
    def forgettable(self) -> bool:
        """Is it what Asterisk says anyway of a mailbox it has not heard of?"""
        return self.new == self.old == 0


class Method(Protocol):
    """One way. It may be used for several mailboxes at once, for each one after the other."""

    async def tell(self, mailbox: str, counts: LampCounts) -> None:
        """Have Asterisk tell every phone of *mailbox*.

        Asterisk knows of it before it takes the next for the same mailbox. Raises `LampNotTold`,
        `LampRefused`.
        """
        ...

    async def close(self) -> None:
        """Let go of sockets and threads."""
        ...
