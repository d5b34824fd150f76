"""Faxes that a user sends: written, listed, looked at, cancelled, sent again (UM-04)."""

from collections.abc import Sequence
from http import HTTPStatus

import structlog
from starlette.datastructures import UploadFile
from starlette.responses import Response

from vm_ari.domain.callers import printable
from vm_ari.domain.fax_orders import Cover, FaxOrder, sender_number
from vm_ari.domain.orders import NotAllowed, Way
from vm_ari.domain.portal_rights import Feature
from vm_ari.ports.fax_sending import Paper, Unprintable
from vm_ari.services.ordering import OrderRefused
from vm_ari.web.door import problem
from vm_ari.web.fax_parts import (
    ACCEPTS,
    LARGEST_FORM,
    PATIENCE,
    fax_parts,
    is_offered,
)
from vm_ari.web.form_fault import Fault
from vm_ari.web.order_forms import asked_order, refused, rows, typed_number
from vm_ari.web.page import Page
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

LONGEST_LINE, LONGEST_TEXT = 150, 20_000
_FIELDS = ("number", "to", "subject", "text")


async def show(visit: Visit) -> Response:
    """The form, and everything that was sent."""
    return await _shown(visit)


async def send(visit: Visit) -> Response:
    """A fax is ordered."""
    try:
        order = await _ordered(visit)
    except Fault as fault:
        return await _shown(visit, fault)
    log.info("fax ordered by portal", user=visit.user.id, by=visit.me.entry.id, fax=order.id)
    return await visit.done("faxes.saved", f"faxes/{order.id}")


async def show_one(visit: Visit) -> Response:
    """How far it is."""
    order = await asked_order(visit, fax_parts(visit).ordering)
    pages = await fax_parts(visit).ordering.pages(order) if order else None
    if order is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    title = visit.words("faxes.one", number=order.number)
    return visit.page("fax.html", title, order=order, has_pages=pages is not None)


async def change(visit: Visit) -> Response:
    """Cancel it, or send it again."""
    order = await asked_order(visit, fax_parts(visit).ordering)
    if order is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    try:
        sentence = await _changed(visit, order)
    except OrderRefused as error:
        return await _shown(visit, _refused(visit, error.refusal, order.number))
    return await visit.done(f"faxes.{sentence}", f"faxes/{order.id}")


async def document(visit: Visit) -> Response:
    """Its pages as PDF."""
    parts = fax_parts(visit)
    order = await asked_order(visit, parts.ordering)
    pages = await parts.ordering.pages(order) if order else None
    if order is None or pages is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    headers = {
        "content-disposition": f'attachment; filename="fax-{order.id}.pdf"',
        "x-content-type-options": "nosniff",
    }
    return Response(await parts.as_pdf(pages), media_type="application/pdf", headers=headers)


async def _changed(visit: Visit, order: FaxOrder) -> str:
    """The sentence that says what is done. Raises `OrderRefused`."""
    ordering, what = fax_parts(visit).ordering, visit.typed("what")
    log.info("fax changed", user=visit.user.id, by=visit.me.entry.id, fax=order.id, what=what[:20])
    match what:
        case "cancel" if not order.state.is_over:
            await ordering.cancel(order)
            return "cancelled"
        case "again" if await ordering.again(visit.user, order):
            return "again"
        case _:
            return "not-possible"


async def _ordered(visit: Visit) -> FaxOrder:
    """Raises `Fault`."""
    number, ordering = typed_number(visit), fax_parts(visit).ordering
    if isinstance(judged := ordering.judge(visit.user, number), NotAllowed):
        raise _refused(visit, judged, number)
    cover = Cover(
        printable(visit.typed("to"), LONGEST_LINE),
        printable(visit.typed("subject"), LONGEST_LINE),
        visit.typed("text").strip()[:LONGEST_TEXT],
    )
    papers = await _papers(visit)
    if not papers and not cover:
        raise Fault("document", visit.words("faxes.fault.nothing"))
    try:
        return await ordering.place(visit.user, number, papers, way=Way.PORTAL, cover=cover)
    except OrderRefused as error:
        raise _refused(visit, error.refusal, number) from None
    except Unprintable as error:
        text = visit.words("faxes.fault.unprintable", why=str(error))
        raise Fault("document", text) from None


async def _papers(visit: Visit) -> Sequence[Paper]:
    """Raises `Fault`."""
    parts, found = fax_parts(visit), list[Paper]()
    for sent in visit.form.getlist("document"):
        if not isinstance(sent, UploadFile) or not sent.size:
            continue
        name = printable(sent.filename or "", 60)
        if sent.size > parts.limits.octets:
            most = parts.limits.octets // 1_000_000
            raise Fault("document", visit.words("faxes.fault.large", name=name, most=most))
        content = await sent.read()
        kind = parts.kind_of(content, sent.content_type or "")
        if kind is None:
            raise Fault("document", visit.words("faxes.fault.kind", name=name))
        found.append(Paper(kind, content, name))
    return found


async def _shown(visit: Visit, fault: Fault | None = None) -> Response:
    parts = fax_parts(visit)
    orders = await parts.ordering.of_user(visit.user.id)
    return visit.page(
        "faxes.html",
        visit.words("faxes.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        **rows(orders),
        fault=fault,
        typed={name: visit.typed(name) for name in _FIELDS},
        sender=sender_number(visit.user),
        accepts=ACCEPTS,
        limits=parts.limits,
    )


def _refused(visit: Visit, refusal: NotAllowed, number: str) -> Fault:
    """A number of the sender, or too many pages, is said in a sentence about faxes."""
    if refusal.refused is None and refusal.denied is None:
        return Fault("number", visit.words("faxes.fault.refused", why=refusal.reason))
    return refused(visit, refusal, number)


PAGES = (
    Page(
        "faxes",
        show,
        send,
        feature=Feature.FAXES,
        menu=18,
        offered=is_offered,
        patience=PATIENCE,
        most_bytes=LARGEST_FORM,
    ),
    Page("faxes/{order}", show_one, change, feature=Feature.FAXES),
    Page("faxes/{order}/pages", document, patience=60.0),
)
