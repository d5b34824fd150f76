"""What the portal shares with the rest of the program."""

from dataclasses import dataclass
from typing import Any

from vm_ari.adapters.sealing import KeyRing
from vm_ari.ports import Clock, Greetings, Mailboxes, Notices
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.logins import Logins
from vm_ari.wiring.directories import Directories


@dataclass(frozen=True)
class Surroundings:
    """What the portal shares with the rest of the program; *more* as in `Parts`."""

    keys: KeyRing
    clock: Clock
    directories: Directories
    logins: Logins | None = None
    """Whose attempts count with those by telephone."""
    mailboxes: Mailboxes | None = None
    greetings: Greetings | None = None
    notices: Notices | None = None
    more: tuple[Any, ...] = ()
    lamps: LampKeeper | None = None
    """Follow what users do with their messages here; None where others watch the mailboxes."""
