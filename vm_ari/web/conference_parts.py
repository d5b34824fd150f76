"""What the pages and operations of conferences need, beside `parts.Parts`; and who may what."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from vm_ari.ports import LoginRecords
from vm_ari.ports.conference import LiveConference, Verb
from vm_ari.services.conference_view import ConferenceView
from vm_ari.web.overview_parts import seen_people
from vm_ari.web.parts import Parts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


@dataclass(frozen=True)
class ConferenceParts:
    """One of `Parts.more`."""

    view: ConferenceView
    records: LoginRecords


def conference_parts(visit: Visit) -> ConferenceParts:
    """Those of this portal."""
    found = visit.part(ConferenceParts)
    assert found
    return found


def has_conferences(parts: Parts) -> bool:
    """Is there such a thing here?"""
    return parts.part(ConferenceParts) is not None


async def seen_conferences(visit: Visit) -> Sequence[tuple[LiveConference, str]]:
    """Those that go on and that the visitor may decide about, with the names of their owners.

    On a user's own page: in that user's rooms. Else of all users for whom the visitor may act.
    Raises `ConferencesUnavailable`, `DirectoryUnavailable`.
    """
    view = conference_parts(visit).view
    if visit.owned:
        return [(one, visit.user.name) for one in await view.of(visit.owner.id)]
    found = await view.all()
    people = await seen_people(visit, (one.conference.owner for one in found))
    named = ((one, people.get(one.conference.owner)) for one in found)
    return [(one, owner.name or owner.id) for one, owner in named if owner]


async def ordered(visit: Visit, conference_id: str, verb: Verb, party: int) -> bool:
    """Leave an order for a conference that the visitor may decide about; False: there is none.

    Raises `ConferencesUnavailable`, `DirectoryUnavailable`.
    """
    seen = [one for one, _ in await seen_conferences(visit)]
    live = next((one for one in seen if one.conference.id == conference_id), None)
    if live is None or (verb.about_somebody and not _is_there(live, party)):
        return False
    await conference_parts(visit).view.order(live, verb, party=party, by=visit.me.entry.id)
    log.info("conference order", by=visit.me.entry.id, room=conference_id, verb=verb.value)
    return True


def _is_there(live: LiveConference, party: int) -> bool:
    return any(one.number == party for one in live.conference.parties)
