"""Where a directory server is, and how long we wait for it."""

from dataclasses import dataclass, field

from vm_ari.adapters.server_address import Scheme
from vm_ari.adapters.trust import BadAddress

LDAP = Scheme("ldap", 389, 636, "StartTLS")


@dataclass(frozen=True)
class Account:
    """As whom we read and write; without a name: as nobody in particular."""

    dn: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.dn and not self.password:  # servers take that for "nobody", and say yes
            raise BadAddress(f"The account {self.dn} needs a password.")


@dataclass(frozen=True)
class Patience:
    """How long we wait, in seconds."""

    connect: float = 2.0
    receive: int = 3
    """For each piece of an answer; whole seconds."""
    hedge: float = 0.7
    """A look-up without an answer for so long is asked of the next server, too."""
    caller: float = 4.0
    """The longest that one look-up or change may take in all."""
