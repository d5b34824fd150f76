"""Texts that are read to somebody on the telephone: written, listed, cancelled (SPEECH-04)."""

import re
from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from starlette.responses import Response

from vm_ari.domain.fax_orders import Way
from vm_ari.domain.fax_rights import NotAllowed
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.rights import shown_number
from vm_ari.domain.spoken_orders import SpokenOrder
from vm_ari.domain.users import User
from vm_ari.services.spoken_ordering import NothingToSay, SpokenRefused, WrongTime
from vm_ari.web.door import problem
from vm_ari.web.page import Page
from vm_ari.web.rights_words import refused_words
from vm_ari.web.spoken_parts import is_offered, spoken_parts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

PAGE = 50
LONGEST_NUMBER = 60
LARGEST_FORM = 100_000
_FIELDS = ("number", "text", "language", "later", "confirm")


class _Fault(Exception):
    """What was sent cannot be spoken; the text is for the user, *where* names the field."""

    def __init__(self, where: str, text: str) -> None:
        super().__init__(text)
        self.where = where


async def show(visit: Visit) -> Response:
    """The form, and everything that was sent."""
    return await _shown(visit)


async def send(visit: Visit) -> Response:
    """A message is ordered."""
    try:
        order = await _ordered(visit)
    except _Fault as fault:
        return await _shown(visit, fault)
    log.info("spoken message by portal", user=visit.user.id, by=visit.me.entry.id, order=order.id)
    return await visit.done("spoken.saved", f"spoken/{order.id}")


async def show_one(visit: Visit) -> Response:
    """How far it is."""
    order = await _asked(visit)
    if order is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    return visit.page(
        "spoken-one.html", visit.words("spoken.one", number=order.number), order=order
    )


async def cancel(visit: Visit) -> Response:
    """No more calls."""
    order = await _asked(visit)
    if order is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    if order.state.is_over:
        return await visit.done("spoken.not-possible", f"spoken/{order.id}")
    log.info("spoken message cancelled", user=visit.user.id, by=visit.me.entry.id, order=order.id)
    await spoken_parts(visit).ordering.cancel(order)
    return await visit.done("spoken.cancelled", f"spoken/{order.id}")


async def _ordered(visit: Visit) -> SpokenOrder:
    """Raises `_Fault`."""
    number = visit.typed("number").strip()[:LONGEST_NUMBER]
    try:
        return await spoken_parts(visit).ordering.place(
            visit.user,
            number,
            visit.typed("text"),
            way=Way.PORTAL,
            language=visit.typed("language"),
            later=_later(visit),
            confirm=bool(visit.typed("confirm")),
        )
    except SpokenRefused as error:
        raise _refused(visit, error.refusal, number) from None
    except NothingToSay as error:
        raise _Fault("text", visit.words("spoken.fault.text", why=str(error))) from None
    except WrongTime:
        raise _Fault("later", visit.words("spoken.fault.later")) from None


def _later(visit: Visit) -> datetime | None:
    """As a browser writes it, in the user's own time. Raises `_Fault`."""
    if not (typed := visit.typed("later").strip()):
        return None
    try:
        moment = datetime.fromisoformat(typed)
        return moment if moment.tzinfo else moment.replace(tzinfo=_zone(visit.user))
    except (ValueError, OverflowError):
        raise _Fault("later", visit.words("spoken.fault.later")) from None


def _zone(user: User) -> ZoneInfo:
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


async def _asked(visit: Visit) -> SpokenOrder | None:
    """The order that the address names, where it is the owner's."""
    name = str(visit.request.path_params["order"])
    if not re.fullmatch("[a-z0-9]{1,64}", name):
        return None
    return await spoken_parts(visit).ordering.find(visit.user.id, name)


async def _shown(visit: Visit, fault: _Fault | None = None) -> Response:
    ordering = spoken_parts(visit).ordering
    orders = await ordering.of_user(visit.user.id)
    return visit.page(
        "spoken.html",
        visit.words("spoken.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        orders=orders[:PAGE],
        more=max(0, len(orders) - PAGE),
        fault=fault,
        typed={name: visit.typed(name) for name in _FIELDS},
        sender=shown_number(visit.user),
        languages=ordering.languages,
        most=ordering.rights.letters,
        always_confirmed=ordering.confirm,
    )


def _refused(visit: Visit, refusal: NotAllowed, number: str) -> _Fault:
    if (right := refusal.refused) is not None:
        return _Fault("number", refused_words(visit.words, right))
    if refusal.denied is None:
        return _Fault("number", refusal.reason)
    why = f"dialling.{refusal.denied.why.name.lower()}"
    return _Fault("number", visit.words(why, number=number))


PAGES = (
    Page(
        "spoken",
        show,
        send,
        feature=Feature.SPOKEN,
        menu=19,
        offered=is_offered,
        most_bytes=LARGEST_FORM,
    ),
    Page("spoken/{order}", show_one, cancel, feature=Feature.SPOKEN),
)
