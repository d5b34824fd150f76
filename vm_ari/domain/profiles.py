"""Profiles: for each situation of a user its own greetings and its own transfer destination."""

from enum import StrEnum


class ProfileName(StrEnum):
    """A situation; the value is its name in settings, files and commands."""

    WORK = "work"
    MOBILE = "mobile"
    HOME = "home"
    VACATION = "vacation"
    CUSTOM_1 = "custom-1"
    CUSTOM_2 = "custom-2"
    INTERNAL = "internal"
    """For callers from the site's own numbers (GREET-02); nobody activates it."""


CHOOSABLE = tuple(name for name in ProfileName if name is not ProfileName.INTERNAL)
"""The profiles that a user can activate (GREET-01), in the order of their keys."""


class TransferOffer(StrEnum):
    """Who tells the caller that a profile can connect to somebody else (XFER-01)."""

    USER = "user"
    """In the greeting that the user has recorded."""
    SYSTEM = "system"
    """A sentence after the greeting."""
