"""Whose value of a setting counts (DIR-03).

The user's own value wins over the organisation's, that over the site's, that over the default.
A value that cannot be understood is passed over as if it were not there, and named as a problem: a
typing error must not close a mailbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from vm_ari.domain.preferences.setting import BadSetting, Setting

T = TypeVar("T")


class Origin(Enum):
    """Whose value it is."""

    USER = "user"
    ORGANISATION = "organisation"
    SITE = "site"
    DEFAULT = "default"


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


def _nearest_first(layers: Layers) -> tuple[tuple[Origin, Mapping[str, str]], ...]:
    return (
        (Origin.USER, layers.user),
        (Origin.ORGANISATION, layers.organisation),
        (Origin.SITE, layers.site),
    )
