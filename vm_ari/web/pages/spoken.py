"""Texts that are read to somebody on the telephone: written, listed, cancelled (SPEECH-04)."""

from datetime import datetime
from http import HTTPStatus
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog
from starlette.responses import Response

from vm_ari.domain.orders import Way
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.rights import shown_number
from vm_ari.domain.spoken_orders import SpokenOrder
from vm_ari.domain.users import User
from vm_ari.services.ordering import OrderRefused
from vm_ari.services.spoken_ordering import NothingToSay, WrongTime
from vm_ari.web.door import problem
from vm_ari.web.form_fault import Fault
from vm_ari.web.order_forms import asked_order, refused, rows, typed_number
from vm_ari.web.page import Page
from vm_ari.web.spoken_parts import is_offered, spoken_parts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

LARGEST_FORM = 100_000
_FIELDS = ("number", "text", "language", "later", "confirm")


async def show(visit: Visit) -> Response:
    """The form, and everything that was sent."""
    return await _shown(visit)


async def send(visit: Visit) -> Response:
    """A message is ordered."""
    try:
        order = await _ordered(visit)
    except Fault as fault:
        return await _shown(visit, fault)
    log.info("spoken message by portal", user=visit.user.id, by=visit.me.entry.id, order=order.id)
    return await visit.done("spoken.saved", f"spoken/{order.id}")


async def show_one(visit: Visit) -> Response:
    """How far it is."""
    order = await asked_order(visit, spoken_parts(visit).ordering)
    if order is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    return visit.page(
        "spoken-one.html", visit.words("spoken.one", number=order.number), order=order
    )


async def cancel(visit: Visit) -> Response:
    """No more calls."""
    order = await asked_order(visit, spoken_parts(visit).ordering)
    if order is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    if order.state.is_over:
        return await visit.done("spoken.not-possible", f"spoken/{order.id}")
    log.info("spoken message cancelled", user=visit.user.id, by=visit.me.entry.id, order=order.id)
    await spoken_parts(visit).ordering.cancel(order)
    return await visit.done("spoken.cancelled", f"spoken/{order.id}")


async def _ordered(visit: Visit) -> SpokenOrder:
    """Raises `Fault`."""
    number = typed_number(visit)
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
    except OrderRefused as error:
        raise refused(visit, error.refusal, number) from None
    except NothingToSay as error:
        raise Fault("text", visit.words("spoken.fault.text", why=str(error))) from None
    except WrongTime:
        raise Fault("later", visit.words("spoken.fault.later")) from None


def _later(visit: Visit) -> datetime | None:
    """As a browser writes it, in the user's own time. Raises `Fault`."""
    if not (typed := visit.typed("later").strip()):
        return None
    try:
        moment = datetime.fromisoformat(typed)
        return moment if moment.tzinfo else moment.replace(tzinfo=_zone(visit.user))
    except (ValueError, OverflowError):
        raise Fault("later", visit.words("spoken.fault.later")) from None


def _zone(user: User) -> ZoneInfo:
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


async def _shown(visit: Visit, fault: Fault | None = None) -> Response:
    ordering = spoken_parts(visit).ordering
    orders = await ordering.of_user(visit.user.id)
    return visit.page(
        "spoken.html",
        visit.words("spoken.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        **rows(orders),
        fault=fault,
        typed={name: visit.typed(name) for name in _FIELDS},
        sender=shown_number(visit.user),
        languages=ordering.languages,
        most=ordering.rights.letters,
        always_confirmed=ordering.confirm,
    )


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
