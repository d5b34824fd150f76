"""A user's conference rooms: who is there, the two PINs, how conferences are (UM-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.login_state import RoomPins
from vm_ari.domain.number_services import numbers_for
from vm_ari.domain.packages import Service
from vm_ari.domain.pin_rules import LONGEST_PIN, pin_fault
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.preferences import (
    CONFERENCE_ALONE,
    CONFERENCE_ANNOUNCEMENT,
    CONFERENCE_BEGIN,
    CONFERENCE_MINUTES,
    CONFERENCE_PARTIES,
    CONFERENCE_RECORDED,
    CONFERENCE_RECORDING_ANNOUNCED,
)
from vm_ari.ports import UnknownUser
from vm_ari.ports.conference import ConferencesUnavailable, LiveConference, Verb
from vm_ari.services.conference_pins import SHORTEST, is_open, set_room_pins
from vm_ari.web.conference_parts import (
    conference_parts,
    has_conferences,
    ordered,
    seen_conferences,
)
from vm_ari.web.fields import Form
from vm_ari.web.page import Page
from vm_ari.web.settings_page import described, sent, store
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

SETTINGS = (
    CONFERENCE_BEGIN,
    CONFERENCE_ANNOUNCEMENT,
    CONFERENCE_ALONE,
    CONFERENCE_RECORDED,
    CONFERENCE_RECORDING_ANNOUNCED,
    CONFERENCE_PARTIES,
    CONFERENCE_MINUTES,
)
LONGEST_ORDER = 40


@dataclass(frozen=True)
class Seen:
    """What goes on at one moment."""

    rows: Sequence[tuple[LiveConference, str]] = ()
    away: bool = False
    """It cannot be found out just now."""


@dataclass(frozen=True)
class Where:
    """Addresses of a list of conferences."""

    orders: str
    lists: str
    may: bool = True
    """Has the visitor the buttons?"""


@dataclass(frozen=True)
class PinFields:
    """What is wrong with the PINs that were typed."""

    why: str = ""
    where: str = ""


async def show(visit: Visit) -> Response:
    """As everything is now; no PIN is ever shown."""
    return await _shown(visit, (await described(visit)).form(SETTINGS))


async def change(visit: Visit) -> Response:
    """Settings, or PINs: whichever form was sent."""
    if visit.typed("form") == "pins":
        return await _change_pins(visit)
    form = (await described(visit)).typed(SETTINGS, sent(visit))
    if form.errors:
        return await _shown(visit, form)
    if error := await store(visit, form.changes):
        return await _shown(visit, form, error=error)
    return await visit.done("conferences.saved", "conferences")


async def refreshed(visit: Visit) -> Response:
    """The list alone, which the page asks for again and again."""
    return visit.page("conferences-list.html", "", seen=await seen(visit), where=_where(visit))


async def order(visit: Visit) -> Response:
    """What a button of the list wants."""
    sentence = await obeyed(visit)
    return await visit.done(sentence, "conferences")


async def seen(visit: Visit) -> Seen:
    """What the visitor may decide about."""
    try:
        return Seen(await seen_conferences(visit))
    except ConferencesUnavailable as error:
        log.warning("conferences are not known", reason=str(error))
        return Seen(away=True)


async def obeyed(visit: Visit) -> str:
    """Leave the order that was sent; the sentence that says what has come of it."""
    verb, party = _order(visit.typed("order")[:LONGEST_ORDER])
    if verb is None:
        return "conferences.gone"
    try:
        done = await ordered(visit, visit.typed("conference")[:LONGEST_ORDER], verb, party)
    except ConferencesUnavailable as error:
        log.error("nothing ordered", reason=str(error))
        return "conferences.away"
    return "conferences.ordered" if done else "conferences.gone"


def _order(text: str) -> tuple[Verb | None, int]:
    """``mute:3``, ``lock``; None: nothing that there is."""
    name, _, number = text.partition(":")
    party = int(number) if number.isascii() and number.isdigit() else 0
    return (Verb(name) if name in set(Verb) else None), party


async def _change_pins(visit: Visit) -> Response:
    pins = RoomPins(visit.typed("participant").strip(), visit.typed("moderator").strip())
    settings = (await described(visit)).form(SETTINGS)
    records, numbers = conference_parts(visit).records, (*visit.user.numbers, visit.user.mailbox)
    try:
        fault = await set_room_pins(records, visit.owner.id, pins, numbers)
    except (UnknownUser, Unstorable) as error:
        log.warning("PINs not changed", user=visit.owner.id, reason=str(error))
        return await _shown(visit, settings, PinFields("not-stored", "participant"))
    if fault:
        same = pins.participant == pins.moderator
        where = "moderator" if same or _is_good(pins.participant) else "participant"
        return await _shown(visit, settings, PinFields("same" if same else fault.value, where))
    log.info("conference PINs changed", user=visit.owner.id, by=visit.me.entry.id)
    return await visit.done("conferences.pins-saved", "conferences")


def _is_good(pin: str) -> bool:
    """Is the other one the faulty one? Good enough to put the sentence beside the right field."""
    return not pin or pin_fault(pin, shortest=SHORTEST) is None


async def _shown(
    visit: Visit, form: Form, pins: PinFields | None = None, *, error: str = ""
) -> Response:
    wrong = bool(form.errors or error or pins)
    room = (await conference_parts(visit).records.login_state(visit.owner.id)).room
    allowed = visit.parts.logins.rules.failures_before_lock
    return visit.page(
        "conferences.html",
        visit.words("conferences.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        form=form,
        error=error,
        pins=pins or PinFields(),
        room=room,
        is_open=is_open(room, allowed),
        numbers=numbers_for(visit.user, Service.CONFERENCE),
        shortest=SHORTEST,
        longest=LONGEST_PIN,
        seen=await seen(visit),
        where=_where(visit),
    )


def _where(visit: Visit) -> Where:
    may = visit.acting or visit.parts.rights.may_change_own(Feature.CONFERENCES)
    return Where(visit.link("conferences/order"), visit.link("conferences/live"), may)


PAGES = (
    Page(
        "conferences",
        show,
        change,
        feature=Feature.CONFERENCES,
        menu=65,
        offered=has_conferences,
    ),
    Page("conferences/live", refreshed, passive=True),
    Page("conferences/order", None, order, feature=Feature.CONFERENCES),
)
