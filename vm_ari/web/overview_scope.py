"""Whose calls and notices an overview shows at once, and how a user is chosen for more."""

from collections.abc import Sequence

from vm_ari.domain.entries import Entry
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.user_queries import LONGEST_SEARCH, UserQuery, words_of
from vm_ari.web.admin_parts import admin_parts, seen_organisations
from vm_ari.web.visit import Visit

MOST_PEOPLE = 200
"""An administrator of more users chooses one first: nobody asks for what so many have in common."""
FOUND = 20


async def people_at_once(visit: Visit) -> frozenset[str] | None:
    """Ids of the users of an administrator; None: everybody (an operator), as far as he may see.

    Raises `TooMany`.
    """
    if visit.role >= Role.OPERATOR:
        return None
    query = UserQuery(seen_organisations(visit), most=MOST_PEOPLE + 1)
    found = await admin_parts(visit).users.page(query)
    if len(found) > MOST_PEOPLE:
        raise TooMany
    return frozenset(one.id for one in found)


class TooMany(Exception):
    """So many users have too much in common to be shown at once."""


async def found_people(visit: Visit) -> tuple[str, Sequence[Entry]]:
    """What was typed into the search for a user, and who that may be."""
    typed = visit.request.query_params.get("q", "")[:LONGEST_SEARCH].strip()
    if not typed:
        return "", ()
    query = UserQuery(seen_organisations(visit), words_of(typed), most=FOUND)
    return typed, await admin_parts(visit).users.page(query)
