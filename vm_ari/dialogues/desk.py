"""Everything a dialogue may reach for, besides the call itself."""

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from vm_ari.domain.callers import Caller
from vm_ari.domain.holidays import Calendar, no_calendar
from vm_ari.domain.redirection import Redirection
from vm_ari.domain.settings import Rules
from vm_ari.domain.transfer import TransferRules
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Greetings
from vm_ari.services.accounts import Accounts
from vm_ari.services.drafts import Drafts
from vm_ari.services.greetings import GreetingStudio
from vm_ari.services.inbox import Inboxes
from vm_ari.services.own_settings import OwnSettings
from vm_ari.speech.language import Language, UnknownLanguage, language
from vm_ari.telephony.menu import KeyMap

log = structlog.get_logger("vm_ari.calls")


@dataclass(frozen=True)
class Desk:
    """The services and rules behind the telephone."""

    accounts: Accounts
    drafts: Drafts
    inboxes: Inboxes
    greetings: Greetings
    studio: GreetingStudio
    own_settings: OwnSettings
    rules: Rules
    keys: KeyMap
    clock: Clock
    calendar: Calendar = no_calendar
    """Public holidays."""
    transfer: TransferRules = field(default_factory=TransferRules)

    def __post_init__(self) -> None:
        """Whatever menu is spoken or asked with these keys: what the site hides is not in it."""
        object.__setattr__(self, "keys", self.keys.hiding(self.rules.hidden))

    def local_time(self, user: User) -> datetime:
        """The time where the user is."""
        try:
            return self.clock.now().astimezone(ZoneInfo(user.time_zone))
        except (ZoneInfoNotFoundError, ValueError):
            log.warning("unknown time zone", user=user.id)
            return self.clock.now()

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
    phone: str = ""
    """Number of the phone that calls, where it has proven to be that phone; else empty."""
    redirection: Redirection = field(default_factory=Redirection)
    """Where a call to the common number has been before: claims, good for leaving a message."""
