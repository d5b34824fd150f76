"""Faxes that a user sends: ordered, listed, looked at, cancelled, begun anew (UM-04)."""

from datetime import datetime

import structlog
from pydantic import Field
from starlette.responses import Response

from vm_ari.domain.callers import printable
from vm_ari.domain.fax_orders import Cause, Cover, FaxOrder, FaxState
from vm_ari.domain.orders import Way
from vm_ari.domain.portal_rights import Feature
from vm_ari.ports.fax_sending import Paper, Unprintable
from vm_ari.services.ordering import OrderRefused
from vm_ari.web.api.bodies import must_be, pieces
from vm_ari.web.api.models import Asked, Line, Listed, Paged, Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.orders import asked_order, cancel_order, occasion_of, orders_page, refused
from vm_ari.web.api.problems import Problem, invalid, not_there
from vm_ari.web.fax_parts import LARGEST_FORM, PATIENCE, FaxParts, fax_parts, is_offered
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

DOCUMENTS = ("application/pdf", "image/png", "image/jpeg", "image/tiff", "text/plain")
PDF = "application/pdf"


class FaxTold(Told):
    """A fax that was ordered."""

    id: str
    number: str
    ordered: datetime
    way: Way
    state: FaxState
    pages: int = Field(description="0: not known yet.")
    confirmed: int = Field(description="Pages that the other machine has.")
    calls: int
    seconds: float = Field(description="That the other side was connected.")
    station: str = Field(description="How the other machine calls itself.")
    cause: Cause | None = Field(description="Why the last call came to nothing.")
    next_call: datetime | None
    ended: datetime | None


class FaxList(Listed[FaxTold]):
    """Faxes, the newest first."""


class FaxAsked(Asked):
    """Where it goes, and what stands on its cover page."""

    number: Line = Field(description="In any spelling; E.164 is never misunderstood.")
    to: Line = ""
    subject: Line = ""
    text: Line = Field(default="", description="A cover page is made where this or one above is.")
    occasion: Line = Field(
        default="", description="The same is ordered once, however often it is sent."
    )


async def listed(ask: Ask) -> Answer:
    """A page."""
    shown, after = await orders_page(ask, _parts(ask.visit).ordering)
    return FaxList(items=[_told(one) for one in shown], next=after)


async def show(ask: Ask) -> Answer:
    """One."""
    return _told(await _asked(ask))


async def send(ask: Ask) -> Answer:
    """The document is the body."""
    visit, asked = ask.visit, ask.asked(FaxAsked)
    parts = _parts(visit)
    must_be(visit.request, DOCUMENTS)
    body = b"".join([piece async for piece in pieces(visit.request, parts.limits.octets)])
    claimed = visit.request.headers.get("content-type", "")
    if not body or (kind := parts.kind_of(body, claimed)) is None:
        raise invalid("body", "Send a PDF, PNG, JPEG, TIFF or a text.")
    cover = Cover(*(printable(one, 150) for one in (asked.to, asked.subject, asked.text)))
    try:
        order = await parts.ordering.place(
            visit.user,
            asked.number,
            [Paper(kind, body)],
            way=Way.API,
            cover=cover,
            occasion=occasion_of(asked.occasion),
        )
    except OrderRefused as error:
        raise refused(error, "query.number") from None
    except Unprintable as error:
        raise invalid("body", f"It cannot be sent: {error}.") from None
    log.info("fax ordered by API", user=visit.user.id, by=visit.me.entry.id, fax=order.id)
    return _told(order)


async def cancel(ask: Ask) -> Answer:
    """What is on the line is ended, too."""
    order = await _asked(ask)
    await cancel_order(_parts(ask.visit).ordering, order)
    return _told(order)


async def again(ask: Ask) -> Answer:
    """From the first page that the other machine has not confirmed."""
    order = await _asked(ask)
    try:
        if not await _parts(ask.visit).ordering.again(ask.visit.user, order):
            raise Problem("busy", "It is not over, or its documents are gone.")
    except OrderRefused as error:
        raise refused(error) from None
    return _told(await _asked(ask))


async def pages(ask: Ask) -> Answer:
    """As they are sent, without the line above each."""
    order, parts = await _asked(ask), _parts(ask.visit)
    printed = await parts.ordering.pages(order)
    if printed is None:
        raise not_there("document")
    return Response(await parts.as_pdf(printed), media_type=PDF)


def _told(order: FaxOrder) -> FaxTold:
    return FaxTold(
        id=order.id,
        number=order.number,
        ordered=order.made,
        way=order.way,
        state=order.state,
        pages=order.pages,
        confirmed=order.confirmed,
        calls=order.calls,
        seconds=order.seconds,
        station=order.station,
        cause=order.cause,
        next_call=order.not_before,
        ended=order.ended,
    )


async def _asked(ask: Ask) -> FaxOrder:
    """Raises `Problem`."""
    return await asked_order(ask, _parts(ask.visit).ordering, "fax", "fax")


def _parts(visit: Visit) -> FaxParts:
    """Raises `Problem`."""
    if not is_offered(visit.parts):
        raise Problem("switched-off", "No faxes are sent here (fax_sending.enabled).")
    return fax_parts(visit)


_ONE = "faxes/{fax}"
OPERATIONS = (
    Operation(
        "listFaxes", "GET", "faxes", listed, "Sent faxes, the newest first", FaxList, asks=Paged
    ),
    Operation("showFax", "GET", _ONE, show, "How far a fax is", FaxTold),
    Operation(
        "sendFax",
        "POST",
        "faxes",
        send,
        "Send a document as a fax",
        FaxTold,
        asks=FaxAsked,
        sends=DOCUMENTS,
        status=202,
        feature=Feature.FAXES,
        most_bytes=LARGEST_FORM,
        patience=PATIENCE,
    ),
    Operation(
        "cancelFax",
        "POST",
        f"{_ONE}/cancel",
        cancel,
        "Stop a fax",
        FaxTold,
        status=202,
        feature=Feature.FAXES,
    ),
    Operation(
        "repeatFax",
        "POST",
        f"{_ONE}/again",
        again,
        "Begin a fax anew that is over",
        FaxTold,
        status=202,
        feature=Feature.FAXES,
    ),
    Operation("showFaxPages", "GET", f"{_ONE}/pages", pages, "The pages of a fax", media=PDF),
)
