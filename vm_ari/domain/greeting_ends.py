"""Ends of greetings and profiles, of which their owners are told (GREET-10)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from vm_ari.domain.active_profile import profile_has_ended
from vm_ari.domain.greetings import Greeting, GreetingKey
from vm_ari.domain.users import User

PROFILE = "profile"


@dataclass(frozen=True)
class GreetingEnd:
    """When a recording ends."""

    key: GreetingKey
    at: datetime
    """UTC."""


@dataclass(frozen=True)
class End:
    """Something of one user that ends: all languages of a greeting, or the active profile."""

    user_id: str
    what: str
    """`PROFILE`, or the slot of a greeting."""
    at: datetime
    """UTC."""
    written: str
    """The moment as it was set: another one is another occasion, another time zone is not."""
    languages: tuple[str, ...] = ()
    """Of a greeting."""

    @property
    def occasion(self) -> str:
        """The same whoever finds it, whenever."""
        return f"{self.what} {self.written}"


def profile_end(user: User) -> End | None:
    """When the user's profile ends; None where it does not, or the same one follows."""
    if user.profile_until is None or user.profile is user.profile_after:
        return None
    try:
        at = user.profile_until.replace(tzinfo=ZoneInfo(user.time_zone)).astimezone(UTC)
    except (KeyError, ValueError, OSError, OverflowError):
        return None
    return End(user.id, PROFILE, at, user.profile_until.isoformat())


def greeting_ends(found: Iterable[GreetingEnd]) -> list[End]:
    """What ends at the same moment for the same purpose is one end."""
    languages: dict[tuple[str, str, datetime], list[str]] = {}
    for one in found:
        which = one.key.owner, one.key.slot.value, one.at
        languages.setdefault(which, []).append(one.key.language)
    return [
        End(owner, slot, at, at.isoformat(), tuple(sorted(codes)))
        for (owner, slot, at), codes in languages.items()
    ]


def has_ended(
    end: End, user: User, greetings: Mapping[GreetingKey, Greeting], now: datetime
) -> bool:
    """Is it still so, and over at *now* (UTC)? Somebody may have changed it meanwhile."""
    if end.what == PROFILE:
        return profile_end(user) == end and profile_has_ended(
            user, now.astimezone(ZoneInfo(user.time_zone))
        )
    there = greeting_ends(
        GreetingEnd(key, one.expires)
        for key, one in greetings.items()
        if one.expires is not None and key.owner == user.id
    )
    return end in there and end.at <= now
