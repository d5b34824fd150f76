"""Greetings as they are stored: whose, for which profile, in which language."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from vm_ari.domain.profiles import ProfileName

SITE = ""
"""The owner of the global greeting."""


class Slot(StrEnum):
    """What a recording is for; the value is its name in files and commands."""

    WORK = ProfileName.WORK.value
    MOBILE = ProfileName.MOBILE.value
    HOME = ProfileName.HOME.value
    VACATION = ProfileName.VACATION.value
    CUSTOM_1 = ProfileName.CUSTOM_1.value
    CUSTOM_2 = ProfileName.CUSTOM_2.value
    INTERNAL = ProfileName.INTERNAL.value
    NAME = "name"
    """The user's spoken name, for personalised greetings (GREET-04)."""
    GLOBAL = "global"
    """The one greeting of the site (GREET-07)."""


class Source(StrEnum):
    """How a recording was made."""

    PHONE = "phone"
    UPLOAD = "upload"
    SPEECH = "speech"
    """Synthesised from a text."""


class GreetingType(StrEnum):
    """What a user's greetings are made of (GREET-04); the value is its name in settings."""

    INDIVIDUAL = "individual"
    """Whatever was recorded."""
    PERSONALISED = "personalised"
    """A sentence of the system with the recorded name."""


class GlobalMode(StrEnum):
    """When callers hear the global greeting."""

    OFF = "off"
    IF_NONE = "if-none"
    """Where the mailbox has no greeting of its own."""
    ALWAYS = "always"


@dataclass(frozen=True)
class GreetingKey:
    """Names one recording."""

    owner: str
    """A user's id; `SITE` for the global greeting."""
    slot: Slot
    language: str
    """Such as ``de``."""


@dataclass(frozen=True)
class Greeting:
    """A recording that callers can hear."""

    key: GreetingKey
    path: Path
    """Of its files ``.wav`` (8 kHz) and ``.wav16`` (16 kHz), without suffix."""
    seconds: float
    recorded: datetime
    """UTC."""
    source: Source
    expires: datetime | None = None
    """From then on (UTC) it is as if it were not there (GREET-10)."""

    def plays_at(self, now: datetime) -> bool:
        """Is it still good at that moment?"""
        return self.expires is None or now < self.expires
