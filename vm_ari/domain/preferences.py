"""A user's settings: what there is to set, and whose value counts (DIR-03).

The user's own value wins over the organisation's, that over the site's, that over the default.
Every value lies in the directory as text. One that cannot be understood is passed over as if it
were not there, and named as a problem: a typing error must not close a mailbox.

A new setting is one more constant of type `Setting` here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import Any, Generic, TypeVar

from vm_ari.domain import notice_forms as notices
from vm_ari.domain import setting_forms as forms
from vm_ari.domain.callers import printable
from vm_ari.domain.conference_settings import Alone, Announcement, Begin, Recorded
from vm_ari.domain.fax_settings import FaxCover, FaxReport
from vm_ari.domain.faxes import FaxFormat
from vm_ari.domain.greetings import GreetingType
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.login_phones import LISTED_PHONES, LoginFrom, PhoneLogin
from vm_ari.domain.notifications import Channel, Topic
from vm_ari.domain.office_hours import ALWAYS_OPEN
from vm_ari.domain.profiles import ProfileName, TransferOffer
from vm_ari.domain.rights_settings import Priority, Scope
from vm_ari.domain.setting_forms import Form
from vm_ari.domain.settings import NumberStyle

T = TypeVar("T")

LONGEST_VALUE = 200


class BadSetting(ValueError):
    """A setting does not exist or cannot have that value. The text says what is possible."""


class Access(Enum):
    """What a user may do by telephone (LOGIN-01); *system default* is no value at all."""

    NONE = "none"
    PROFILES = "profiles"
    """Profiles and greetings, but no messages."""
    FULL = "full"


class Origin(Enum):
    """Whose value it is."""

    USER = "user"
    ORGANISATION = "organisation"
    SITE = "site"
    DEFAULT = "default"


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One thing that can be set."""

    key: str
    form: Form[T]
    default: T
    doc: str

    def parse(self, text: str) -> T:
        """The value; raises `BadSetting`."""
        try:
            if len(text) > LONGEST_VALUE or not text.isprintable():
                raise ValueError
            return self.form.read(text.strip())
        except (ValueError, KeyError, OSError):  # a zone may be a directory
            raise BadSetting(
                f"{self.key}: “{printable(text)}” is not possible; write {self.form.expects}."
            ) from None

    def format(self, value: T) -> str:
        """How the value is stored; raises `BadSetting` where it could not be read again."""
        text = self.form.write(value)
        self.parse(text)
        return text


@dataclass(frozen=True)
class Effective(Generic[T]):
    """The value that counts, and where it comes from."""

    value: T
    origin: Origin
    problems: tuple[str, ...] = ()
    """Nearer values that were passed over."""


@dataclass(frozen=True)
class Layers:
    """The settings that apply to one user, as texts by key; empty texts count as not there."""

    user: Mapping[str, str] = field(default_factory=dict)
    organisation: Mapping[str, str] = field(default_factory=dict)
    site: Mapping[str, str] = field(default_factory=dict)


def effective(setting: Setting[T], layers: Layers) -> Effective[T]:
    """The nearest value that can be understood."""
    problems: list[str] = []
    for origin, texts in _nearest_first(layers):
        text = texts.get(setting.key, "").strip()
        if not text:
            continue
        try:
            return Effective(setting.parse(text), origin, tuple(problems))
        except BadSetting as error:
            problems.append(f"{origin.value}: {error}")
    return Effective(setting.default, Origin.DEFAULT, tuple(problems))


def all_effective(layers: Layers) -> dict[str, Effective[Any]]:
    """Every setting by key, as `users effective` and the portal show it."""
    return {key: effective(setting, layers) for key, setting in SETTINGS.items()}


def checked(key: str, text: str) -> str:
    """The text to store for a value that a person wrote; raises `BadSetting`."""
    setting = setting_named(key)
    return setting.format(setting.parse(text))


def setting_named(key: str) -> Setting[Any]:
    """Raises `BadSetting`, with the key that was perhaps meant."""
    if key in SETTINGS:
        return SETTINGS[key]
    near = get_close_matches(key[:40], SETTINGS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(SETTINGS)}."
    raise BadSetting(f"There is no setting “{printable(key, 40)}”; {hint}")


def _of_profile(key: str, profile: ProfileName) -> str:
    return f"{key}_{profile.value.replace('-', '_')}"


def _nearest_first(layers: Layers) -> tuple[tuple[Origin, Mapping[str, str]], ...]:
    return (
        (Origin.USER, layers.user),
        (Origin.ORGANISATION, layers.organisation),
        (Origin.SITE, layers.site),
    )


LANGUAGE = Setting("language", forms.TAG, "en", "Language of menus, greetings and mails.")
TIME_ZONE = Setting(
    "time_zone", forms.ZONE, "Europe/Berlin", "Time zone of spoken and written times."
)
VOICE_MAIL_ENABLED = Setting(
    "voice_mail_enabled", forms.FLAG, True, "Has the user a mailbox? If not, callers are told so."
)
TAKES_MESSAGES = Setting(
    "takes_messages", forms.FLAG, True, "May callers leave a message, or only hear the greeting?"
)
ACCESS = Setting("access", forms.choice(Access), Access.FULL, "What the user may do by telephone.")
LOGIN_FROM = Setting(
    "login_from",
    forms.choice(LoginFrom),
    LoginFrom.ANYWHERE,
    "From which telephones the user may log in, but those named by the other settings.",
)
LOGIN_OFFICE = Setting(
    "login_office",
    forms.choice(PhoneLogin),
    PhoneLogin.DEFAULT,
    "Login from the user's own telephones at the site: with PIN, without, or no exception.",
)
LOGIN_MOBILE = Setting(
    "login_mobile",
    forms.choice(PhoneLogin),
    PhoneLogin.DEFAULT,
    "Login from the user's mobile phone: with PIN, without, or no exception.",
)
LOGIN_NUMBERS = Setting(
    "login_numbers",
    forms.or_else(LISTED_PHONES, ()),
    (),
    "Other telephones from which the user may log in.",
)
MOBILE = Setting(
    "mobile", forms.or_else(forms.NUMBER, ""), "", "Number of the user's mobile phone."
)
NUMBER_STYLE = Setting(
    "number_style",
    forms.choice(NumberStyle),
    NumberStyle.EXTENSION,
    "How greetings say the number.",
)
FOLDER = Setting("folder", forms.FOLDER, "INBOX", "Folder where voice messages lie.")
IMAP_SERVER = Setting(
    "imap_server",
    forms.or_else(forms.SERVER, ""),
    "",
    "Mail server that has the mailbox; only one that the site allows.",
)
LISTED = Setting(
    "listed", forms.FLAG, True, "Can colleagues find the user by name on the keys of a telephone?"
)
READ_MAILS = Setting(
    "read_mails", forms.FLAG, True, "Are e-mails and text messages read by telephone?"
)
READ_FAXES = Setting("read_faxes", forms.FLAG, True, "Are faxes read by telephone?")
FAX_NUMBERS = Setting(
    "fax_numbers",
    forms.or_else(forms.NUMBERS, ()),
    (),
    "Which of the user's own numbers receive faxes instead of voice messages.",
)
FAX_ON_VOICE_NUMBER = Setting(
    "fax_on_voice_number",
    forms.FLAG,
    False,
    "Does a fax machine that calls one of the user's voice numbers get to send its fax?",
)
FAX_SENDER = Setting(
    "fax_sender",
    forms.or_else(forms.NUMBER, ""),
    "",
    "Which of the user's own numbers faxes come from; none: the first one for faxes.",
)
FAX_HEADLINE = Setting(
    "fax_headline",
    forms.matching(r"[^\x00-\x1f]{0,50}", "up to 50 characters"),
    "",
    "Whom the first line of each faxed page names; none: the user.",
)
FAX_REPORT = Setting(
    "fax_report",
    forms.choice(FaxReport),
    FaxReport.ALWAYS,
    "About which of the faxes that were sent the user gets a mail.",
)
FAX_COVER = Setting(
    "fax_cover", forms.choice(FaxCover), FaxCover.WITH_TEXT, "Which faxes begin with a cover page."
)
FAX_COVER_TEMPLATE = Setting(
    "fax_cover_template",
    forms.or_else(forms.matching(r"[a-z0-9][a-z0-9-]{0,30}", "a name such as sales"), ""),
    "",
    "Which cover page: NAME stands for the templates in fax-cover-NAME; none: the shipped one.",
)
FAX_FORMAT = Setting(
    "fax_format",
    forms.choice(FaxFormat),
    FaxFormat.PDF,
    "How the pages of a fax are mailed to the user.",
)
FAX_SCOPE = Setting(
    "fax_scope",
    forms.choice(Scope),
    Scope.INTERNATIONAL,
    "How far the user's faxes may go, where the dialling rules allow it.",
)
FAX_PER_DAY = Setting(
    "fax_per_day", forms.DAILY, 0, "How many faxes the user may send in a day; 0: no limit."
)
FAX_PAGES_PER_DAY = Setting(
    "fax_pages_per_day",
    forms.DAILY,
    0,
    "How many fax pages the user may send in a day; 0: no limit.",
)
FAX_MOST_PAGES = Setting(
    "fax_most_pages", forms.DAILY, 0, "How many pages a fax of the user may have; 0: as the site."
)
FAX_PRIORITY = Setting(
    "fax_priority",
    forms.choice(Priority),
    Priority.NORMAL,
    "Whose faxes go first where several wait for a line.",
)
SMS_SCOPE = Setting(
    "sms_scope",
    forms.choice(Scope),
    Scope.INTERNATIONAL,
    "How far the user's short messages may go, where the dialling rules allow it.",
)
SMS_PER_DAY = Setting(
    "sms_per_day", forms.DAILY, 0, "How many short messages a day there are; 0: no limit."
)
VOICE_SCOPE = Setting(
    "voice_scope",
    forms.choice(Scope),
    Scope.INTERNATIONAL,
    "How far calls may go that are made for the user: forwards of callers, call-backs.",
)
VOICE_PER_DAY = Setting(
    "voice_per_day",
    forms.DAILY,
    0,
    "How many calls to the outside are made for the user in a day; 0: no limit.",
)
SENDER_NUMBERS = Setting(
    "sender_numbers",
    forms.or_else(forms.SENDERS, (), "own", " (any of the user's own)"),
    (),
    "Which numbers faxes, calls and short messages of the user may come from.",
)
COST_CENTRE = Setting(
    "cost_centre",
    forms.or_else(forms.COST_CENTRE, ""),
    "",
    "Who pays: it stands on every entry of the user's journal.",
)
ABOUT_RIGHTS: tuple[Setting[Any], ...] = (
    FAX_SCOPE,
    FAX_PER_DAY,
    FAX_PAGES_PER_DAY,
    FAX_MOST_PAGES,
    FAX_PRIORITY,
    SMS_SCOPE,
    SMS_PER_DAY,
    VOICE_SCOPE,
    VOICE_PER_DAY,
    SENDER_NUMBERS,
    COST_CENTRE,
)
"""What only administrators change: no page of a user may have any of them (UM-05)."""
CONFERENCE_NUMBERS = Setting(
    "conference_numbers",
    forms.or_else(forms.NUMBERS, ()),
    (),
    "Which of the user's own numbers lead to the user's conference room.",
)
CONFERENCE_ANNOUNCEMENT = Setting(
    "conference_announcement",
    forms.choice(Announcement),
    Announcement.NAMES,
    "How a conference hears who comes and goes.",
)
CONFERENCE_ALONE = Setting(
    "conference_alone",
    forms.choice(Alone),
    Alone.MUSIC,
    "What somebody hears who is alone in the conference.",
)
CONFERENCE_BEGIN = Setting(
    "conference_begin",
    forms.choice(Begin),
    Begin.AT_ONCE,
    "Does a conference begin at once, or when the first moderator comes?",
)
CONFERENCE_RECORDED = Setting(
    "conference_recorded",
    forms.choice(Recorded),
    Recorded.ON_DEMAND,
    "Are conferences recorded, and mailed to the user?",
)
CONFERENCE_RECORDING_ANNOUNCED = Setting(
    "conference_recording_announced",
    forms.FLAG,
    True,
    "Is everybody told that the conference is recorded?",
)
CONFERENCE_PARTIES = Setting(
    "conference_parties",
    forms.whole_number(2, 200, "participants"),
    20,
    "How many people a conference may have.",
)
CONFERENCE_MINUTES = Setting(
    "conference_minutes",
    forms.whole_number(5, 1440, "minutes"),
    240,
    "How long a conference may last.",
)
NOTIFICATIONS = Setting(
    "notifications", forms.FLAG, True, "Announce new messages, by lamp or else?"
)
NOTIFY = {
    topic: Setting(
        f"notify_{topic.value}",
        notices.CHANNELS,
        (Channel.LAMP,) if topic is Topic.VOICE else (),
        f"How the user is told of new {topic.messages}.",
    )
    for topic in Topic
}
NOTIFY_FROM = {
    topic: Setting(
        f"notify_{topic.value}_from",
        notices.FROM,
        1,
        f"From how many new {topic.messages} on the user is told.",
    )
    for topic in Topic
}
NOTIFY_MAIL = Setting("notify_mail", notices.ADDRESS, "", "Where notices by mail go.")
LAMP_MAILBOX = Setting(
    "lamp_mailbox", notices.LAMP_MAILBOX, "", "Mailbox under which the telephone knows its lamp."
)
SMS_NUMBER = Setting("sms_number", notices.SMS_NUMBER, "", "Number that notices by SMS go to.")
SMS_SENDER = Setting("sms_sender", notices.SENDER, "", "Whom notices by SMS come from.")
NOTICE_PHONE = Setting(
    "notice_phone", notices.PHONE, "", "Telephone that is called about new messages."
)
NOTICE_CALLER = Setting(
    "notice_caller",
    notices.CALLER,
    "",
    "Number that telephones show with lamp and calls about new messages, to be called back.",
)
ABOUT_NOTICES: tuple[Setting[Any], ...] = (
    NOTIFICATIONS,
    *NOTIFY.values(),
    *NOTIFY_FROM.values(),
    NOTIFY_MAIL,
    LAMP_MAILBOX,
    SMS_NUMBER,
    SMS_SENDER,
    NOTICE_PHONE,
    NOTICE_CALLER,
)
"""Settings that a reset of notices takes back (NOTIFY-06)."""
PROFILE = Setting("profile", forms.PROFILE, ProfileName.WORK, "The profile that is active.")
PROFILE_UNTIL = Setting(
    "profile_until",
    forms.or_nothing(forms.END),
    None,
    "Last day or end of the active profile, in the user's time; profile_after comes then.",
)
PROFILE_AFTER = Setting(
    "profile_after", forms.PROFILE, ProfileName.WORK, "The profile after profile_until."
)
OFFICE_HOURS = Setting(
    "office_hours", forms.HOURS, ALWAYS_OPEN, "Working time and breaks; periods may pass midnight."
)
OFF_HOURS_PROFILE = Setting(
    "off_hours_profile",
    forms.or_nothing(forms.PROFILE),
    None,
    "Profile outside office hours and on holidays, but not while vacation is active.",
)
BREAK_PROFILE = Setting(
    "break_profile", forms.or_nothing(forms.PROFILE), None, "Profile during breaks."
)
HOLIDAY_REGION = Setting(
    "holiday_region", forms.or_else(forms.REGION, ""), "", "Whose public holidays are days off."
)
HOLIDAYS = Setting("holidays", forms.or_else(forms.HOLIDAYS, ()), (), "Further days off.")
GREETING_TYPE = Setting(
    "greeting_type",
    forms.choice(GreetingType),
    GreetingType.INDIVIDUAL,
    "Does the user's own recording play, or a sentence with the recorded name?",
)
GREETING_LANGUAGE = Setting(
    "greeting_language",
    forms.choice(LanguageMode),
    LanguageMode.FIXED,
    "Who decides about the greeting's language: nobody, the caller's country, or the caller?",
)
TRANSFER_OFFER = Setting(
    "transfer_offer",
    forms.choice(TransferOffer),
    TransferOffer.USER,
    "Who tells callers about the transfer: the user's recording, or a sentence after it?",
)
TRANSFER_SECONDS = Setting(
    "transfer_seconds",
    forms.whole_number(5, 120, "seconds"),
    25,
    "How long the destination of a transfer rings.",
)
TRANSFER_SCREENING = Setting(
    "transfer_screening", forms.FLAG, False, "Must the destination accept a transfer with a key?"
)
TRANSCRIBE = Setting(
    "transcribe", forms.FLAG, True, "Write voice messages down, where the site has that?"
)
MISSED_CALLS = Setting(
    "missed_calls",
    forms.FLAG,
    True,
    "Does the user get mails about missed calls, where the site sends them?",
)
MISSED_CALLS_JOURNAL = Setting(
    "missed_calls_journal", forms.FLAG, True, "Are missed calls listed in the user's journal?"
)
NAMING_PROFILES = (PROFILE, PROFILE_AFTER, OFF_HOURS_PROFILE, BREAK_PROFILE)
"""Settings that can only name a profile that the site offers."""
OPERATOR = Setting(
    "operator", forms.or_else(forms.NUMBER, ""), "", "Number that the operator key leads to."
)
TRANSFERS = {
    profile: Setting(
        _of_profile("transfer", profile),
        forms.or_else(forms.NUMBER, ""),
        "",
        f"Whom callers can be connected to in profile {profile.value}.",
    )
    for profile in ProfileName
}
TAKES_MESSAGES_IN = {
    profile: Setting(
        _of_profile("takes_messages", profile),
        forms.or_nothing(forms.FLAG, "same", " (as takes_messages)"),
        None,
        f"May callers leave a message in profile {profile.value}?",
    )
    for profile in ProfileName
}

SETTINGS: dict[str, Setting[Any]] = {
    value.key: value
    for value in (
        *globals().values(),
        *(one for tables in (NOTIFY, NOTIFY_FROM) for one in tables.values()),
        *TRANSFERS.values(),
        *TAKES_MESSAGES_IN.values(),
    )
    if isinstance(value, Setting)
}
"""Every setting by its key."""
