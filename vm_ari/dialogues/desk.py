"""Everything a dialogue may reach for, besides the call itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from vm_ari.domain.access import Origin, Proof
from vm_ari.domain.callers import Caller
from vm_ari.domain.holidays import Calendar, no_calendar
from vm_ari.domain.playback import Speed
from vm_ari.domain.redirection import Redirection
from vm_ari.domain.settings import Rules
from vm_ari.domain.transfer import TransferRules
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Greetings
from vm_ari.services.accounts import Accounts
from vm_ari.services.call_backs import CallBacks
from vm_ari.services.call_records import CallRecords, Record, unnoted
from vm_ari.services.conferences import Conferences
from vm_ari.services.drafts import Drafts
from vm_ari.services.greetings import GreetingStudio
from vm_ari.services.inbox import Inboxes
from vm_ari.services.logins import Logins
from vm_ari.services.own_settings import OwnSettings
from vm_ari.services.quota import QuotaWarnings
from vm_ari.services.reading import Readings
from vm_ari.services.rights import Rights
from vm_ari.services.sendings import Sendings
from vm_ari.speech.language import Language, UnknownLanguage, language
from vm_ari.telephony.menu import KeyMap

log = structlog.get_logger("vm_ari.calls")


def _nobody_listens(_user: User, _dialled: str) -> None:
    """No welcome mails."""


async def _only_one_speed(_recording: Path, _speed: Speed) -> Path | None:
    """Nothing that could prepare another."""
    return None


async def _no_voice(_text: str, _language: str) -> Path | None:
    """Nothing that could say it."""
    return None


async def _no_names(_listener: User, _caller: Caller) -> Path | None:
    """Nobody who could say one."""
    return None


@dataclass(frozen=True)
class Desk:
    """The services and rules behind the telephone."""

    accounts: Accounts
    logins: Logins
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
    on_call: Callable[[User, str], None] = _nobody_listens
    """Hears whose mailbox a call has reached, and by which number; returns at once."""
    at_speed: Callable[[Path, Speed], Awaitable[Path | None]] = _only_one_speed
    """A WAV file played faster or slower, as a file; None where that is not possible."""
    readings: Readings | None = None
    """None: nothing is read aloud here."""
    sender_name: Callable[[User, Caller], Awaitable[Path | None]] = _no_names
    """A sound file, without its suffix, that names who left a message for that user, if any."""
    spoken_name: Callable[[str, str], Awaitable[Path | None]] = _no_voice
    """A sound file, without its suffix, that says a name in a language, if a voice is there."""
    sendings: Sendings | None = None
    """None: nothing can be sent from here."""
    quotas: QuotaWarnings | None = None
    """None: nothing sets a limit to mailboxes."""
    call_backs: CallBacks | None = None
    """None: nobody is called back here."""
    rights: Rights | None = None
    """What calls may be made for users; None: there are no limits but the dialling rules."""
    conferences: Conferences | None = None
    """None: there are no conference rooms here."""
    proof: Proof | None = None
    """How the user on the line has shown to be the owner of the mailbox; None: nobody has."""
    records: CallRecords = field(default_factory=CallRecords)
    """The journal, where calls begin and end."""
    record: Record = field(default_factory=unnoted)
    """What the journal will say of this call."""

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
    withheld: bool = False
    """Does the caller hide the number?"""

    @property
    def origin(self) -> Origin:
        """Where the call comes from, as far as somebody knows it."""
        return Origin(self.phone, self.caller.number)
