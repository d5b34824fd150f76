"""Who may do what in the portal (UM-02, WEB-01): roles, acting for others, own changes."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum, StrEnum


class Role(IntEnum):
    """What somebody is to the portal; who has a higher one may open the pages of a lower."""

    ANYONE = 0
    """Not signed in."""
    USER = 1
    ADMINISTRATOR = 2
    """Of an organisation."""
    OPERATOR = 3
    """Of the whole installation."""


class Feature(StrEnum):
    """What the site can let users change by themselves; the value is its name in settings."""

    MESSAGES = "messages"
    """To mark, move and delete them, and to have calls made because of them."""
    PROFILES = "profiles"
    GREETINGS = "greetings"
    TRANSFERS = "transfers"
    OFFICE_HOURS = "office-hours"
    LANGUAGES = "languages"
    PIN = "pin"
    PHONES = "phones"
    CONFERENCES = "conferences"
    """The own room: its PINs and settings."""
    NOTIFICATIONS = "notifications"
    PASSWORD = "password"  # noqa: S105 - a name
    MAIL_PASSWORD = "mail-password"  # noqa: S105
    MAIL_ADDRESS = "mail-address"
    ACCOUNT = "account"
    """The own names."""
    FAXES = "faxes"
    """To send them."""
    SPOKEN = "spoken-messages"
    """To have them spoken."""
    API_TOKENS = "api-tokens"
    """To make tokens for programs; one's own can always be revoked."""


@dataclass(frozen=True)
class DirectoryRoles:
    """Ids of users, to whom a directory gives a role by an attribute or a group."""

    operators: frozenset[str] = frozenset()
    administrators: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """By organisation."""


@dataclass(frozen=True)
class Rights:
    """What the site has decided about roles; ids are those of users.

    Sets and mappings may be views of what is decided elsewhere, and change.
    """

    operators: AbstractSet[str] = frozenset()
    administrators: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    """By organisation."""
    agreements: Mapping[str, date] = field(default_factory=dict)
    """Since when the data-processing agreement with an organisation is recorded."""
    may_change: frozenset[Feature] = frozenset(Feature)
    """By users, for themselves."""

    def role_of(self, user_id: str) -> Role:
        """The highest one."""
        if user_id in self.operators:
            return Role.OPERATOR
        if any(user_id in theirs for theirs in self.administrators.values()):
            return Role.ADMINISTRATOR
        return Role.USER

    def may_act_in(self, actor_id: str, organisation: str) -> bool:
        """May somebody see and change what belongs to the users of an organisation?

        *organisation* is empty for users who belong to the operator's own house.
        """
        if actor_id in self.administrators.get(organisation, ()) and organisation:
            return True
        if actor_id not in self.operators:
            return False
        return not organisation or organisation in self.agreements

    def may_act_as(self, actor_id: str, user_id: str) -> bool:
        """Has that user no rights that the actor has not? Acting for him would lend them."""
        if actor_id in self.operators or actor_id == user_id:
            return True
        theirs = [those for those in self.administrators.values() if user_id in those]
        return user_id not in self.operators and all(actor_id in those for those in theirs)

    def may_change_own(self, feature: Feature | None) -> bool:
        """May users change that for themselves?"""
        return feature is None or feature in self.may_change
