"""Telephones and their lamps, who calls, and what the telephone system tells of it."""

from collections.abc import AsyncGenerator
from typing import Protocol

from vm_ari.domain.callers import Caller
from vm_ari.domain.contacts import Contact
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.ring_events import RingEvent
from vm_ari.domain.transfer import Chain


class NoCall(Exception):
    """A telephone was not called, nobody answered, or it was in vain. The text says why."""


class Telephones(Protocol):
    """Calls people, from any process; the running controller serves the calls."""

    async def call(
        self,
        destination: Allowed,
        arguments: str,
        *,
        chain: Chain = ...,
        caller: Caller = ...,
        endpoint: str = ...,
    ) -> str:
        """Back when it is over, with what the controller has reported last (or nothing).

        *arguments* tell the controller what the call is for; mailboxes of the *chain* do not take
        it; *caller* is shown on the display. *endpoint* tells how to dial a ``{number}`` through
        another location than usual (NOTIFY-07). When this is cancelled the call ends. Raises
        `NoCall`.
        """
        ...


class Lamps(Protocol):
    """Message-waiting lamps of phones."""

    async def show(self, mailbox: str, new: int, old: int) -> None:
        """Tell every phone of the mailbox. Errors are the adapter's to retry or log."""
        ...


class RingEvents(Protocol):
    """What the telephone system tells of its phones."""

    def listen(self) -> AsyncGenerator[RingEvent, None]:
        """Everything from now on; after a gap `Lost` comes first. Ends only when it is closed."""
        ...


class CallLogUnavailable(Exception):
    """What is remembered of calls can be neither read nor written now. The text says why."""


class LiveCallsUnavailable(Exception):
    """It cannot be told or found out now which calls go on. The text says why."""


class ContactsUnavailable(Exception):
    """Nobody can say just now who is behind a number. The text says why."""


class Contacts(Protocol):
    """Who is behind a number, beyond the users of the house (MISSED-02)."""

    async def contact_of(self, number: str) -> Contact | None:
        """The contact with that E.164 number or extension. Raises `ContactsUnavailable`."""
        ...
