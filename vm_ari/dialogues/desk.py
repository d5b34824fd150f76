"""Everything a dialogue may reach for, besides the call itself."""

from dataclasses import dataclass

import structlog

from vm_ari.domain.callers import Caller
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import Clock
from vm_ari.services.accounts import Accounts
from vm_ari.services.drafts import Drafts
from vm_ari.services.inbox import Inboxes
from vm_ari.speech.language import Language, UnknownLanguage, language
from vm_ari.telephony.menu import KeyMap

log = structlog.get_logger("vm_ari.calls")


@dataclass(frozen=True)
class Desk:
    """The services and rules behind the telephone."""

    accounts: Accounts
    drafts: Drafts
    inboxes: Inboxes
    rules: Rules
    keys: KeyMap
    clock: Clock

    def language_of(self, user: User | None) -> Language:
        """The user's; the site's for nobody's mailbox, and for a language we do not speak."""
        try:
            return language(user.language if user else self.rules.language)
        except UnknownLanguage as error:
            log.warning("unknown language", user=user.id if user else "", reason=str(error))
            return language(self.rules.language)


@dataclass(frozen=True)
class Visit:
    """How somebody came in: facts of the line, already harmless."""

    caller: Caller
    dialled: str
    exits: str = ""
    """Extensions of the calling dialplan context that we may leave to: ``o``, ``a``."""
