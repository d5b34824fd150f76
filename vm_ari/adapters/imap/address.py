"""Where a mail server is, and how long we wait for it."""

from dataclasses import dataclass

from vm_ari.adapters.server_address import Scheme, Server

IMAP = Scheme("imap", 143, 993, "STARTTLS")


@dataclass(frozen=True)
class Chosen:
    """Which server has a mailbox, and who said so."""

    server: Server
    by: str = "the usual server"


@dataclass(frozen=True)
class Patience:
    """How long we wait, in seconds."""

    connect: float = 3.0
    answer: float = 6.0
    """For each piece of an answer."""
    caller: float = 10.0
    """The longest that one step of a caller may take in all, waiting for a thread included."""
    delivery: float = 120.0
    """The longest that one delivery may take: nobody waits for it, and it may be large."""
