"""Import of settings of the older form, ``IXI-UMSMobilePIN=MTIzNDU=`` and so on (DIR-06).

They lie in one attribute, either as many values or as one string ``"key=value","key=value"``. Only
what is known for sure is imported. Nothing is guessed: the rest is reported by key, so that an
admin can set it by hand. The PIN comes apart, to be sealed, and never shows in a report.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from vm_ari.domain.callers import printable
from vm_ari.domain.preferences import (
    ACCESS,
    FOLDER,
    NOTIFY_FROM,
    VOICE_MAIL_ENABLED,
    Access,
    BadSetting,
)

_QUOTED = re.compile(r'"([^"]*)"')
_OURS = re.compile(r"(ixi|mn(thrhlds|destdev))", re.IGNORECASE)
_VOICE = "ixi-umsmobile"


class Fate(Enum):
    """Why a value was not imported."""

    BAD_VALUE = "the value cannot be understood"
    UNDOCUMENTED = "nothing is published about the meaning; set it by hand"
    NOT_A_SETTING_YET = "profiles and office hours are not imported; set them anew"
    OTHER_SERVICE = "belongs to sending fax and SMS"
    UNKNOWN_KEY = "this key is not known"


@dataclass(frozen=True)
class Leftover:
    """A value that was not imported."""

    key: str
    """As it was written."""
    value: str
    """Printable; empty where it may be a secret."""
    fate: Fate


@dataclass(frozen=True)
class LegacyImport:
    """What an old attribute becomes."""

    settings: Mapping[str, str]
    """Texts by our keys."""
    pin: str | None = field(default=None, repr=False)
    """Plain digits, to be sealed at once."""
    pin_failures: int = 0
    leftovers: tuple[Leftover, ...] = ()
    imported: tuple[str, ...] = field(default=(), repr=False)
    """Values of the attribute of which nothing is left over: they may be deleted."""
    foreign: tuple[str, ...] = field(default=(), repr=False)
    """Values of other programs in the same attribute, as they are."""


def is_legacy(value: str) -> bool:
    """Does a value of an attribute hold settings of the older form?"""
    return bool(_OURS.match(value.lstrip(' "')))


def import_legacy(
    values: Iterable[str], *, levels: Mapping[str, Access] | None = None
) -> LegacyImport:
    """Translate what is known. *levels* says what the letters of ``MobileLevel`` mean here.

    Empty values mean "as the system says" and become no setting.
    """
    result = _Result(levels or {})
    for value in values:
        if is_legacy(value):
            result.take_all(value)
        else:
            result.foreign.append(value)
    return LegacyImport(
        settings=result.settings,
        pin=result.pin,
        pin_failures=result.pin_failures,
        leftovers=tuple(result.leftovers),
        imported=tuple(result.imported),
        foreign=tuple(result.foreign),
    )


def plain_pin(text: str) -> str | None:
    """The digits of a PIN, stored plainly or as Base64; None if it is neither.

    The two cannot be mixed up: the Base64 of a digit begins with a letter.
    """
    if re.fullmatch("[0-9]{1,64}", text):
        return text
    try:
        decoded = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return decoded if re.fullmatch("[0-9]{1,64}", decoded) else None


@dataclass
class _Result:
    levels: Mapping[str, Access]
    settings: dict[str, str] = field(default_factory=dict)
    pin: str | None = None
    pin_failures: int = 0
    leftovers: list[Leftover] = field(default_factory=list)
    imported: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def take_all(self, value: str) -> None:
        """One value of the attribute: one setting, or all of them in quotes."""
        before = len(self.leftovers)
        for pair in _QUOTED.findall(value) or [value]:
            self._take(pair)
        if len(self.leftovers) == before:
            self.imported.append(value)

    def _take(self, pair: str) -> None:
        """One ``key=value``; keys were written in any case."""
        name, _, value = (part.strip() for part in pair.partition("="))
        key = name.lower()
        if not value:
            return
        fate = _READERS.get(key, _other)(self, key, value)
        if fate is not None:
            secret = fate is Fate.UNKNOWN_KEY or "pin" in key
            shown = "" if secret else printable(value)
            self.leftovers.append(Leftover(printable(name), shown, fate))


def _enabled(result: _Result, _key: str, value: str) -> Fate | None:
    match value.upper():
        case "Y" | "N" as letter:
            result.settings[VOICE_MAIL_ENABLED.key] = "yes" if letter == "Y" else "no"
            return None
    return Fate.BAD_VALUE


def _pin(result: _Result, _key: str, value: str) -> Fate | None:
    result.pin = plain_pin(value)
    return Fate.BAD_VALUE if result.pin is None else None


def _failures(result: _Result, _key: str, value: str) -> Fate | None:
    if not re.fullmatch("[0-9]{1,6}", value):
        return Fate.BAD_VALUE
    result.pin_failures = int(value)
    return None


def _level(result: _Result, _key: str, value: str) -> Fate | None:
    access = result.levels.get(value.upper())
    if access is None:
        return Fate.UNDOCUMENTED
    result.settings[ACCESS.key] = ACCESS.format(access)
    return None


def _folder(result: _Result, _key: str, value: str) -> Fate | None:
    """``inbox`` is written in any case, and is the only name where that says nothing."""
    inbox = re.sub("^inbox(?=/|$)", "INBOX", value, flags=re.IGNORECASE)
    try:
        result.settings[FOLDER.key] = FOLDER.format(FOLDER.parse(inbox))
    except BadSetting:
        return Fate.BAD_VALUE
    return None


def _restrictions(_result: _Result, _key: str, value: str) -> Fate | None:
    """Points alone restrict nothing; other letters are not published."""
    return None if not value.strip(".") else Fate.UNDOCUMENTED


def _thresholds(result: _Result, _key: str, value: str) -> Fate | None:
    """One number for each kind of message; in which order is not published, so all must be one."""
    [number, *others] = dict.fromkeys(value.replace(" ", "").split(","))
    if others:
        return Fate.UNDOCUMENTED
    try:
        settings = {s.key: s.format(s.parse(number)) for s in NOTIFY_FROM.values()}
    except BadSetting:
        return Fate.UNDOCUMENTED
    result.settings.update(settings)
    return None


def _undocumented(_result: _Result, _key: str, _value: str) -> Fate:
    return Fate.UNDOCUMENTED


def _not_yet(_result: _Result, _key: str, _value: str) -> Fate:
    return Fate.NOT_A_SETTING_YET


def _other(_result: _Result, key: str, _value: str) -> Fate:
    """Keys without ``-UMS`` are of the sending services."""
    return Fate.UNKNOWN_KEY if key.startswith("ixi-") else Fate.OTHER_SERVICE


_READERS: Mapping[str, Callable[[_Result, str, str], Fate | None]] = {
    f"{_VOICE}enabled": _enabled,
    f"{_VOICE}pin": _pin,
    f"{_VOICE}level": _level,
    f"{_VOICE}imapmailbox": _folder,
    f"{_VOICE}restrictionflags": _restrictions,
    f"{_VOICE}announcementflags": _undocumented,
    f"{_VOICE}nomessageprofiles": _not_yet,
    f"{_VOICE}oh": _not_yet,
    "ixi-umspinfailurecount": _failures,
    "mnthrhlds": _thresholds,
    "mndestdev": _undocumented,
}
