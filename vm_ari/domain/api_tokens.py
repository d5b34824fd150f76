"""Tokens of the JSON API: what a program may do in a user's name, and how long (UM-02).

A token never gives a right: it takes some of its owner's away. `narrowed` says which are left, and
is asked with the owner's rights as they are at the time of use.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vm_ari.domain.portal_rights import Rights, Role

MOST_OF_ONE = 20
"""Tokens that a user can have at the same time."""
LONGEST_NAME = 60
LONGEST_DAYS = 366
USUAL_DAYS = 90


class Reach(StrEnum):
    """How far a token reaches."""

    ME = "me"
    """Its owner's own mailbox."""
    ADMINISTRATOR = "admin"
    """That, and the users of one organisation."""
    OPERATOR = "operator"
    """Everything that its owner may do."""


@dataclass(frozen=True)
class Scope:
    """What a token is good for."""

    reach: Reach = Reach.ME
    organisation: str = ""
    """Of an administrator's token: whose users."""
    read_only: bool = False

    @property
    def words(self) -> str:
        """As it is written in lists: ``admin:north read``."""
        reach = f"{self.reach.value}:{self.organisation}" if self.organisation else self.reach.value
        return f"{reach} read" if self.read_only else reach


@dataclass(frozen=True)
class ApiToken:
    """One token, as far as it is stored; its secret is not."""

    id: str
    """Public: the first part of the token itself, by which lists and logs name it."""
    fingerprint: str = field(repr=False)
    user_id: str
    name: str
    """What its owner calls it, such as *backup script*."""
    scope: Scope
    made: datetime
    """UTC, as the others."""
    ends: datetime
    used: datetime | None = None
    """To the minute; None: never."""

    def is_over(self, now: datetime) -> bool:
        """Is it good no longer?"""
        return now >= self.ends


class BadToken(ValueError):
    """Such a token cannot be made. The text says why, and what to do."""


def checked_name(typed: str) -> str:
    """What a token may be called. Raises `BadToken`."""
    name = " ".join(typed.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadToken(f"Give it a name of 1 to {LONGEST_NAME} characters, such as backup script.")
    return name


def checked_days(days: int) -> timedelta:
    """How long a token may be good. Raises `BadToken`."""
    if not 1 <= days <= LONGEST_DAYS:
        raise BadToken(f"A token is good for 1 to {LONGEST_DAYS} days.")
    return timedelta(days=days)


def possible_scopes(rights: Rights, user_id: str) -> tuple[Scope, ...]:
    """What tokens of that user can be good for now, the narrowest first."""
    found = [Scope()]
    for organisation in sorted({*rights.administrators, *rights.agreements} - {""}):
        if rights.may_act_in(user_id, organisation):
            found.append(Scope(Reach.ADMINISTRATOR, organisation))
    if rights.role_of(user_id) is Role.OPERATOR:
        found.append(Scope(Reach.OPERATOR))
    return tuple(found)


def narrowed(rights: Rights, user_id: str, scope: Scope) -> Rights:
    """The site's rights, as if that user had only those that *scope* leaves him."""
    match scope.reach:
        case Reach.OPERATOR:
            return rights
        case Reach.ADMINISTRATOR if rights.may_act_in(user_id, scope.organisation):
            kept = scope.organisation
        case _:
            kept = ""
    return replace(
        rights,
        operators=frozenset(rights.operators) - {user_id},
        administrators=_administrators(rights.administrators, user_id, kept),
    )


def _administrators(
    there: Mapping[str, AbstractSet[str]], user_id: str, kept: str
) -> Mapping[str, AbstractSet[str]]:
    """With that user in the *kept* organisation alone; empty: in none."""
    others = {organisation: frozenset(those) - {user_id} for organisation, those in there.items()}
    return {**others, kept: others.get(kept, frozenset()) | {user_id}} if kept else others
