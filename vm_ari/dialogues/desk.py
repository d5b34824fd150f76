"""Everything a dialogue may reach for, besides the call itself."""

from dataclasses import dataclass

from vm_ari.domain.callers import Caller
from vm_ari.domain.settings import Rules
from vm_ari.ports import Clock
from vm_ari.services.accounts import Accounts
from vm_ari.services.drafts import Drafts
from vm_ari.services.inbox import Inboxes
from vm_ari.telephony.menu import KeyMap


@dataclass(frozen=True)
class Desk:
    """The services and rules behind the telephone."""

    accounts: Accounts
    drafts: Drafts
    inboxes: Inboxes
    rules: Rules
    keys: KeyMap
    clock: Clock


@dataclass(frozen=True)
class Visit:
    """How somebody came in: facts of the line, already harmless."""

    caller: Caller
    dialled: str
    exits: str = ""
    """Extensions of the calling dialplan context that we may leave to: ``o``, ``a``."""
