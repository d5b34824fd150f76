"""Conferences that go on: seen, and decided about; the PINs of a room (UM-04)."""

from datetime import datetime

import structlog
from pydantic import Field

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.login_state import RoomPins
from vm_ari.domain.pin_rules import LONGEST_PIN, sentence
from vm_ari.domain.portal_rights import Feature, Role
from vm_ari.ports import UnknownUser
from vm_ari.ports.conference import ConferencesUnavailable, LiveConference, Verb
from vm_ari.services.conference_pins import SHORTEST, set_room_pins
from vm_ari.web.api.models import Given, Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem, invalid, not_there
from vm_ari.web.conference_parts import conference_parts, ordered, seen_conferences
from vm_ari.web.page import Scope

log = structlog.get_logger("vm_ari.portal")


class PartyTold(Told):
    """Somebody who takes part."""

    number: int = Field(description="For orders: the how many-th to come in.")
    caller_number: str = Field(description="Empty where it is withheld.")
    caller_name: str
    moderates: bool
    joined: datetime
    muted: bool
    talks: bool = Field(description="Is the voice heard just now?")


class ConferenceTold(Told):
    """One that goes on."""

    id: str
    number: str = Field(description="Of the room.")
    owner: str
    node: str
    started: datetime
    begun: bool = Field(description="Can those who are there hear each other?")
    locked: bool
    hushed: bool = Field(description="Is everybody muted but the moderators?")
    recorded: bool
    parties: list[PartyTold]


class ConferenceList(Told):
    """The oldest first."""

    conferences: list[ConferenceTold]


class OrderGiven(Given):
    """What shall be done."""

    verb: Verb = Field(strict=False)
    party: int = Field(
        default=0, ge=0, le=100_000, description="Whom: for mute, unmute and remove."
    )


class OrderTold(Told):
    """It is done within two seconds."""

    ordered: Verb


class PinsGiven(Given):
    """Both; an empty one is taken away."""

    participant: str = Field(max_length=LONGEST_PIN)
    moderator: str = Field(max_length=LONGEST_PIN)


class PinsTold(Told):
    """Which of them are set; no PIN is ever told."""

    participant: bool
    moderator: bool


async def listed(ask: Ask) -> Answer:
    """Those that one may decide about."""
    try:
        found = await seen_conferences(ask.visit)
    except ConferencesUnavailable as error:
        raise _away(ask, error) from None
    return ConferenceList(conferences=[_told(one) for one, _ in found])


async def order(ask: Ask) -> Answer:
    """One order for one of them."""
    given = ask.given(OrderGiven)
    try:
        done = await ordered(ask.visit, ask.part("conference"), given.verb, given.party)
    except ConferencesUnavailable as error:
        raise _away(ask, error) from None
    if not done:
        raise not_there("conference or participant")
    return OrderTold(ordered=given.verb)


async def set_pins(ask: Ask) -> Answer:
    """Both PINs of the user's room."""
    given, visit = ask.given(PinsGiven), ask.visit
    pins, numbers = RoomPins(given.participant, given.moderator), visit.user.numbers
    try:
        fault = await set_room_pins(
            conference_parts(visit).records, visit.owner.id, pins, (*numbers, visit.user.mailbox)
        )
    except (UnknownUser, Unstorable) as error:
        log.warning("PINs not changed", user=visit.owner.id, reason=str(error))
        raise Problem("away", visit.words("forms.not-stored")) from None
    if fault:
        raise invalid("body", sentence(fault, shortest=SHORTEST))
    log.info("conference PINs changed", user=visit.owner.id, by=visit.me.entry.id)
    return PinsTold(participant=bool(pins.participant), moderator=bool(pins.moderator))


def _away(ask: Ask, error: Exception) -> Problem:
    log.warning("conferences are not known", reason=str(error))
    return Problem("away", ask.visit.words("conferences.away"))


def _told(live: LiveConference) -> ConferenceTold:
    one = live.conference
    return ConferenceTold(
        id=one.id,
        number=one.number,
        owner=one.owner,
        node=live.node,
        started=one.started,
        begun=one.begun,
        locked=one.locked,
        hushed=one.hushed,
        recorded=bool(one.recording),
        parties=[
            PartyTold(
                number=party.number,
                caller_number="" if party.withheld else party.caller.number,
                caller_name="" if party.withheld else party.caller.name,
                moderates=party.moderates,
                joined=party.joined,
                muted=party.muted,
                talks=party.number in live.talking,
            )
            for party in one.parties
        ],
    )


_LIST = "Conferences that go on"
_ORDER = "Mute, remove, lock, record or end: done within two seconds"
OPERATIONS = (
    Operation("listConferences", "GET", "conferences", listed, _LIST, ConferenceList),
    Operation(
        "orderInConference",
        "POST",
        "conferences/{conference}/orders",
        order,
        _ORDER,
        OrderTold,
        takes=OrderGiven,
        feature=Feature.CONFERENCES,
    ),
    Operation(
        "setConferencePins",
        "PUT",
        "conference-pins",
        set_pins,
        "Set the PINs of the user's conference room",
        PinsTold,
        takes=PinsGiven,
        feature=Feature.CONFERENCES,
    ),
    Operation(
        "listAllConferences",
        "GET",
        "conferences",
        listed,
        f"{_LIST}, of all users for whom one may act",
        ConferenceList,
        role=Role.ADMINISTRATOR,
        scope=Scope.HOUSE,
    ),
    Operation(
        "orderInAnyConference",
        "POST",
        "conferences/{conference}/orders",
        order,
        _ORDER,
        OrderTold,
        takes=OrderGiven,
        role=Role.ADMINISTRATOR,
        scope=Scope.HOUSE,
    ),
)
