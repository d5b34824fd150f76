"""A user's settings: what there is to set, and whose value counts (DIR-03).

The user's own value wins over the organisation's, that over the site's, that over the default.
Every value lies in the directory as text. One that cannot be understood is passed over as if it
were not there, and named as a problem: a typing error must not close a mailbox.

A new setting is one more constant of type `Setting` here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

from vm_ari.domain.callers import printable
from vm_ari.domain.settings import NumberStyle

T = TypeVar("T")
E = TypeVar("E", bound=Enum)

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
class Form(Generic[T]):
    """How values of a type are written."""

    expects: str
    """What a person is told to write."""
    read: Callable[[str], T]
    """Raises ValueError."""
    write: Callable[[T], str]


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


def _nearest_first(layers: Layers) -> tuple[tuple[Origin, Mapping[str, str]], ...]:
    return (
        (Origin.USER, layers.user),
        (Origin.ORGANISATION, layers.organisation),
        (Origin.SITE, layers.site),
    )


def _choice(options: type[E]) -> Form[E]:
    names = " or ".join(option.value for option in options)
    return Form(names, lambda text: options(text.lower()), lambda value: str(value.value))


def _matching(pattern: str, expects: str) -> Form[str]:
    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return Form(expects, read, str)


def _yes_or_no(text: str) -> bool:
    match text.lower():
        case "yes" | "true" | "on" | "1":
            return True
        case "no" | "false" | "off" | "0":
            return False
    raise ValueError


def _language(text: str) -> str:
    if not re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?", text):
        raise ValueError
    return text.lower()


def _zone(text: str) -> str:
    """Only names: the library also takes paths."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", text):
        raise ValueError
    return ZoneInfo(text).key


_FLAG = Form("yes or no", _yes_or_no, lambda value: "yes" if value else "no")
_TAG = Form("a language such as de or en", _language, str)
_ZONE = Form("a time zone such as Europe/Berlin", _zone, str)
_FOLDER = _matching(r"[^/\x00-\x1f](.*[^/])?", "a folder such as INBOX/Voice")

LANGUAGE = Setting("language", _TAG, "en", "Language of menus, greetings and mails.")
TIME_ZONE = Setting("time_zone", _ZONE, "Europe/Berlin", "Time zone of spoken and written times.")
VOICE_MAIL_ENABLED = Setting(
    "voice_mail_enabled", _FLAG, True, "Has the user a mailbox? If not, callers are told so."
)
TAKES_MESSAGES = Setting(
    "takes_messages", _FLAG, True, "May callers leave a message, or only hear the greeting?"
)
ACCESS = Setting("access", _choice(Access), Access.FULL, "What the user may do by telephone.")
NUMBER_STYLE = Setting(
    "number_style", _choice(NumberStyle), NumberStyle.EXTENSION, "How greetings say the number."
)
FOLDER = Setting("folder", _FOLDER, "INBOX", "Folder where voice messages lie.")
NOTIFICATIONS = Setting("notifications", _FLAG, True, "Announce new messages, by lamp or else?")

SETTINGS: dict[str, Setting[Any]] = {
    value.key: value for value in tuple(globals().values()) if isinstance(value, Setting)
}
"""Every setting by its key."""
