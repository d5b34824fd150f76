"""Settings of the person and the mailbox: logins, numbers, what is read by telephone."""

from enum import Enum

from vm_ari.domain import setting_forms as forms
from vm_ari.domain.login_phones import LISTED_PHONES, LoginFrom, PhoneLogin
from vm_ari.domain.preferences.setting import Setting
from vm_ari.domain.settings import NumberStyle


class Access(Enum):
    """What a user may do by telephone (LOGIN-01); *system default* is no value at all."""

    NONE = "none"
    PROFILES = "profiles"
    """Profiles and greetings, but no messages."""
    FULL = "full"


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
