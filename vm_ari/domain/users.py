"""A user: the owner of a mailbox."""

from dataclasses import dataclass
from datetime import datetime

from vm_ari.domain.conference_settings import Alone, Announcement, Begin, Recorded
from vm_ari.domain.fax_settings import FaxCover, FaxReport
from vm_ari.domain.faxes import FaxFormat
from vm_ari.domain.greetings import GreetingType
from vm_ari.domain.holidays import OwnHoliday
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.login_phones import ListedPhone, LoginFrom, PhoneLogin
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.notifications import Channel, Topic
from vm_ari.domain.office_hours import ALWAYS_OPEN, OfficeHours
from vm_ari.domain.preferences import Access
from vm_ari.domain.profiles import ProfileName, TransferOffer
from vm_ari.domain.rights_settings import Priority, Scope
from vm_ari.domain.settings import NumberStyle


@dataclass(frozen=True)
class User:
    """What the directory says about one person; settings are effective ones (user over site).

    Fields from *language* on, but the two by profile, are named like their setting (`preferences`),
    which says more about each.
    """

    id: str
    """The directory's own, stable name of the entry."""
    name: str
    mailbox: str
    """The extension or number under which lamp and login know the mailbox, such as ``101``."""
    numbers: tuple[str, ...]
    """E.164 (or a site's bare extensions)."""
    mail: str
    language: str = "en"
    time_zone: str = "Europe/Berlin"
    voice_mail_enabled: bool = True
    takes_messages: bool = True
    access: Access = Access.FULL
    login_from: LoginFrom = LoginFrom.ANYWHERE
    login_office: PhoneLogin = PhoneLogin.DEFAULT
    login_mobile: PhoneLogin = PhoneLogin.DEFAULT
    login_numbers: tuple[ListedPhone, ...] = ()
    mobile: str = ""
    number_style: NumberStyle = NumberStyle.EXTENSION
    profile: ProfileName = ProfileName.WORK
    """The one that was activated; `active_profile` says which one answers."""
    profile_until: datetime | None = None
    """Local, without zone: from then on `profile_after` is active."""
    profile_after: ProfileName = ProfileName.WORK
    office_hours: OfficeHours = ALWAYS_OPEN
    off_hours_profile: ProfileName | None = None
    break_profile: ProfileName | None = None
    holiday_region: str = ""
    holidays: tuple[OwnHoliday, ...] = ()
    greeting_type: GreetingType = GreetingType.INDIVIDUAL
    greeting_language: LanguageMode = LanguageMode.FIXED
    transfer_offer: TransferOffer = TransferOffer.USER
    transfer_seconds: int = 25
    transfer_screening: bool = False
    operator: str = ""
    transcribe: bool = True
    missed_calls: bool = True
    """Does the user get mails about missed calls (MISSED-04)?"""
    missed_calls_journal: bool = True
    folder: str = "INBOX"
    """Of the mail server's mailbox, where voice messages lie (INBOX-11)."""
    imap_server: str = ""
    """That has the mailbox, perhaps with a port; empty: as the site decides (MAIL-04)."""
    listed: bool = True
    """Is the user found by name on the keypad (INBOX-13)?"""
    read_mails: bool = True
    read_faxes: bool = True
    fax_numbers: tuple[str, ...] = ()
    """Own numbers that receive faxes (`number_services.service_of` judges them)."""
    fax_on_voice_number: bool = False
    """Is a fax taken where a fax machine calls a voice number?"""
    fax_sender: str = ""
    """Own number that faxes come from; empty: see `fax_orders.sender_number`."""
    fax_headline: str = ""
    fax_report: FaxReport = FaxReport.ALWAYS
    fax_cover: FaxCover = FaxCover.WITH_TEXT
    fax_cover_template: str = ""
    fax_format: FaxFormat = FaxFormat.PDF
    fax_scope: Scope = Scope.INTERNATIONAL
    """This and the next ones: `rights` judges by them."""
    fax_per_day: int = 0
    fax_pages_per_day: int = 0
    fax_most_pages: int = 0
    fax_priority: Priority = Priority.NORMAL
    sms_scope: Scope = Scope.INTERNATIONAL
    sms_per_day: int = 0
    voice_scope: Scope = Scope.INTERNATIONAL
    voice_per_day: int = 0
    sender_numbers: tuple[str, ...] = ()
    """That may be shown for the user; empty: all the own ones."""
    cost_centre: str = ""
    conference_numbers: tuple[str, ...] = ()
    conference_announcement: Announcement = Announcement.NAMES
    conference_alone: Alone = Alone.MUSIC
    conference_begin: Begin = Begin.AT_ONCE
    conference_recorded: Recorded = Recorded.ON_DEMAND
    conference_recording_announced: bool = True
    conference_parties: int = 20
    conference_minutes: int = 240
    notifications: bool = True
    notify_voice: tuple[Channel, ...] = (Channel.LAMP,)
    notify_voice_from: int = 1
    notify_fax: tuple[Channel, ...] = ()
    notify_fax_from: int = 1
    notify_text: tuple[Channel, ...] = ()
    notify_text_from: int = 1
    notify_mail: str = ""
    """Empty: the user's own address, as far as that says more than the message itself."""
    lamp_mailbox: str = ""
    """Empty: the mailbox, or what the site's attribute says."""
    sms_number: str = ""
    """Empty: the mobile phone."""
    sms_sender: str = ""
    """Empty: as the site or its gateway says."""
    notice_phone: str = ""
    """Empty: the office phone."""
    notice_caller: str = ""
    """Empty: the mailbox's number; ``common``: the one that everybody calls to log in."""
    transfers: tuple[tuple[ProfileName, str], ...] = ()
    """Destinations that were decided, as they were written; an empty one is *nobody*."""
    takes_messages_in: tuple[tuple[ProfileName, bool], ...] = ()
    """Profiles for which it was decided apart."""

    @property
    def may_log_in(self) -> bool:
        """May the owner use the telephone for anything?"""
        return self.access is not Access.NONE

    @property
    def read_aloud(self) -> tuple[MessageKind, ...]:
        """What else than voice messages is counted and offered by telephone."""
        mails = (MessageKind.MAIL, MessageKind.TEXT) if self.read_mails else ()
        return (*mails, MessageKind.FAX) if self.read_faxes else mails

    @property
    def told_by_sms(self) -> str:
        """Number for notices by SMS; empty: there is none."""
        return self.sms_number or self.mobile

    @property
    def told_by_call(self) -> str:
        """Number of the telephone that is called about new messages; empty: there is none."""
        return self.notice_phone or next(iter(self.numbers), self.mailbox)

    def called_back_at(self, common: str) -> str:
        """Number that a telephone calls when its lamp is lit; *common*: the one for everybody."""
        match self.notice_caller:
            case "":
                return self.mailbox or next(iter(self.numbers), "")
            case "common":
                return common
        return self.notice_caller

    def channels_for(self, topic: Topic) -> tuple[Channel, ...]:
        """How to tell of new messages of that topic; none where all notices are switched off."""
        chosen = {
            Topic.VOICE: self.notify_voice,
            Topic.FAX: self.notify_fax,
            Topic.TEXT: self.notify_text,
        }
        return chosen[topic] if self.notifications else ()

    def told_from(self, topic: Topic) -> int:
        """From how many new messages of that topic on."""
        match topic:
            case Topic.VOICE:
                return self.notify_voice_from
            case Topic.FAX:
                return self.notify_fax_from
            case Topic.TEXT:
                return self.notify_text_from

    def transfer_in(self, profile: ProfileName) -> str | None:
        """The destination of a profile; empty: nobody; None: nothing was decided."""
        return dict(self.transfers).get(profile)

    def may_leave_message(self, profile: ProfileName) -> bool | None:
        """May callers leave a message? None: nothing was decided for the profile alone."""
        return dict(self.takes_messages_in).get(profile)
