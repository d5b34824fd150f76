"""Settings as fields of a form: value, origin, possible values, what was typed and why not."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from vm_ari.domain.notifications import Channel
from vm_ari.domain.preferences import (
    LANGUAGE,
    NOTIFY,
    NOTIFY_FROM,
    TAKES_MESSAGES_IN,
    TRANSFERS,
    BadSetting,
    Effective,
    Layers,
    Origin,
    Setting,
    effective,
)
from vm_ari.domain.setting_forms import NONE
from vm_ari.web.texts import Words

BY_DEFAULT = "default"
"""The check-box that stands for no own value."""
_FAMILIES: Mapping[str, tuple[str, str]] = {
    **{one.key: ("transfer_in", profile.value) for profile, one in TRANSFERS.items()},
    **{one.key: ("takes_messages_in", profile.value) for profile, one in TAKES_MESSAGES_IN.items()},
    **{one.key: ("notify_of", topic.value) for topic, one in NOTIFY.items()},
    **{one.key: ("notify_from", topic.value) for topic, one in NOTIFY_FROM.items()},
}
"""Settings of which there is one for each profile or topic: name of their words, and of what."""
Check = Callable[[str], str]
"""From what was typed to the text to store. Raises ValueError, whose text is for the user."""


class Kind(Enum):
    """How a value is put in."""

    CHOICE = "choice"
    SEVERAL = "several"
    """Of the options, any."""
    TEXT = "text"
    NUMBER = "number"


@dataclass(frozen=True)
class Option:
    """One of the values to choose from."""

    value: str
    label: str


@dataclass(frozen=True)
class Field:
    """One setting on a page."""

    key: str
    kind: Kind
    label: str
    help: str
    typed: str
    """What the field shows: the user's own text, or what was typed and could not be taken."""
    effective: str
    """The value that counts, in words."""
    inherited: str
    """What would count without an own value, in words."""
    origin: Origin
    options: tuple[Option, ...] = ()
    error: str = ""

    @property
    def chosen(self) -> tuple[str, ...]:
        """Of a field for several values: those that are typed."""
        return tuple(word for word in re.split("[, ]+", self.typed) if word)

    @property
    def own(self) -> bool:
        """Has the user a value of his own?"""
        return self.origin is Origin.USER


@dataclass(frozen=True)
class Form:
    """The settings of one page, as they are or as they were typed."""

    fields: tuple[Field, ...]
    changes: Mapping[str, str | None] = field(default_factory=dict)
    """What is to be stored; None removes the own value."""

    @property
    def errors(self) -> tuple[Field, ...]:
        """Fields that cannot be taken; then nothing is stored."""
        return tuple(one for one in self.fields if one.error)


@dataclass(frozen=True)
class Described:
    """How settings look in one language.

    *choices* are further possible values, by key; *checks* what else must hold, by key.
    """

    words: Words
    layers: Layers
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)

    def form(self, settings: Iterable[Setting[Any]]) -> Form:
        """As everything is now."""
        return Form(tuple(self._field(setting) for setting in settings))

    def typed(self, settings: Iterable[Setting[Any]], sent: Mapping[str, str]) -> Form:
        """As it was sent: every field that was sent is judged, the others stay."""
        fields, changes = [], dict[str, str | None]()
        for setting in settings:
            if setting.key not in sent:
                fields.append(self._field(setting))
                continue
            text, error = _text_of(setting, sent[setting.key]), ""
            if text != self.layers.user.get(setting.key, ""):
                try:
                    changes[setting.key] = self._checked(setting, text) if text else None
                except ValueError as refused:
                    error = self._why(setting, text, refused)
            fields.append(self._field(setting, text, error))
        return Form(tuple(fields), changes)

    def _checked(self, setting: Setting[Any], text: str) -> str:
        stored = setting.format(setting.parse(text))
        check = self.checks.get(setting.key)
        possible = self.choices.get(setting.key)
        if possible is not None and stored not in possible:
            raise BadSetting(stored)
        return check(stored) if check else stored

    def _why(self, setting: Setting[Any], text: str, refused: ValueError) -> str:
        if not isinstance(refused, BadSetting):
            return str(refused)
        wanted = self._text(setting, "expects") or setting.form.expects
        return self.words("forms.not-possible", typed=text[:60], wanted=wanted)

    def _field(self, setting: Setting[Any], typed: str | None = None, error: str = "") -> Field:
        now = effective(setting, self.layers)
        above = effective(setting, Layers({}, self.layers.organisation, self.layers.site))
        own = self.layers.user.get(setting.key, "")
        options = self._options(setting)
        return Field(
            key=setting.key,
            kind=_kind(setting, options),
            label=self._text(setting, "label") or setting.key.replace("_", " "),
            help=self._text(setting, "help") or setting.doc,
            typed=own if typed is None else typed,
            effective=self.said(setting, now),
            inherited=self.said(setting, above),
            origin=now.origin,
            options=tuple(Option(value, self._label(setting, value)) for value in options),
            error=error,
        )

    def said(self, setting: Setting[Any], value: Effective[Any]) -> str:
        """A value in words."""
        return self._label(setting, setting.form.write(value.value))

    def _text(self, setting: Setting[Any], part: str) -> str:
        """Settings of each profile or topic share their words. Empty where there are none."""
        key = f"settings.{setting.key}.{part}"
        if self.words.has(key):
            return self.words(key)
        name, of = _FAMILIES.get(setting.key, ("", ""))
        key = f"settings.{name}.{part}"
        return self.words(key, of=self.words(f"values.{of}")) if self.words.has(key) else ""

    def _label(self, setting: Setting[Any], value: str) -> str:
        if setting in NOTIFY.values() and ", " in value:
            return ", ".join(self._label(setting, one) for one in value.split(", "))
        for key in (f"settings.{setting.key}.is.{value}", f"values.{value}"):
            if re.fullmatch("[a-z0-9-]+", value) and self.words.has(key):
                return self.words(key)
        if setting is LANGUAGE and self.words.has(f"languages.{value}"):
            return self.words(f"languages.{value}")
        return value or self.words("values.none")

    def _options(self, setting: Setting[Any]) -> tuple[str, ...]:
        if setting.key in self.choices:
            return tuple(self.choices[setting.key])
        if isinstance(setting.default, bool):
            return ("yes", "no")
        if setting in NOTIFY.values():
            return tuple(Channel)
        if setting in TAKES_MESSAGES_IN.values():
            return ("yes", "no", "same")
        if isinstance(setting.default, Enum):
            return tuple(str(one.value) for one in type(setting.default))
        return ()


def _text_of(setting: Setting[Any], given: str) -> str:
    """What a field has sent; of check-boxes, none at all means that none is wanted."""
    text = given.strip()
    if setting not in NOTIFY.values():
        return text
    words = [word for word in text.split(", ") if word]
    return "" if BY_DEFAULT in words else ", ".join(words) or NONE


def _kind(setting: Setting[Any], options: Sequence[str]) -> Kind:
    if setting in NOTIFY.values():
        return Kind.SEVERAL
    if options:
        return Kind.CHOICE
    plain = isinstance(setting.default, int) and not isinstance(setting.default, bool)
    return Kind.NUMBER if plain else Kind.TEXT
