"""Texts that a user has read to somebody: ordered, listed, looked at, cancelled (SPEECH-04)."""

from datetime import datetime

import structlog
from pydantic import Field

from vm_ari.domain.orders import Way
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.spoken_orders import Cause, SpokenOrder, SpokenState
from vm_ari.services.ordering import OrderRefused
from vm_ari.services.spoken_ordering import NothingToSay, WrongTime
from vm_ari.web.api.models import Given, Line, Listed, Moment, Paged, Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.orders import asked_order, cancel_order, occasion_of, orders_page, refused
from vm_ari.web.api.problems import Problem, invalid
from vm_ari.web.spoken_parts import SpokenParts, is_offered, spoken_parts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

LONGEST_TEXT = 10_000


class SpokenTold(Told):
    """A message that was ordered."""

    id: str
    number: str
    ordered: datetime
    way: Way
    language: str
    confirm: bool
    state: SpokenState
    calls: int
    seconds: float = Field(description="That somebody listened.")
    cause: Cause | None = Field(description="Why the last call came to nothing.")
    next_call: datetime | None
    ended: datetime | None


class SpokenList(Listed[SpokenTold]):
    """Messages, the newest first."""


class SpokenGiven(Given):
    """What is said, and to whom."""

    number: Line = Field(description="In any spelling; E.164 is never misunderstood.")
    text: str = Field(max_length=LONGEST_TEXT)
    language: Line = Field(default="", description="Such as de; empty: as the text shows.")
    later: Moment | None = Field(default=None, strict=False, description="Not before that time.")
    confirm: bool = Field(default=False, description="Has who listens to press a key?")
    occasion: Line = Field(
        default="", description="The same is ordered once, however often it is sent."
    )


async def listed(ask: Ask) -> Answer:
    """A page."""
    shown, after = await orders_page(ask, _parts(ask.visit).ordering)
    return SpokenList(items=[_told(one) for one in shown], next=after)


async def show(ask: Ask) -> Answer:
    """One."""
    return _told(await _asked(ask))


async def send(ask: Ask) -> Answer:
    """Order it."""
    visit, given = ask.visit, ask.given(SpokenGiven)
    try:
        order = await _parts(visit).ordering.place(
            visit.user,
            given.number,
            given.text,
            way=Way.API,
            language=given.language,
            later=given.later,
            confirm=given.confirm,
            occasion=occasion_of(given.occasion),
        )
    except OrderRefused as error:
        raise refused(error, "body.number") from None
    except NothingToSay as error:
        raise invalid("body.text", str(error)) from None
    except WrongTime as error:
        raise invalid("body.later", str(error)) from None
    log.info("spoken message by API", user=visit.user.id, by=visit.me.entry.id, order=order.id)
    return _told(order)


async def cancel(ask: Ask) -> Answer:
    """A call that goes on is ended, too."""
    order = await _asked(ask)
    await cancel_order(_parts(ask.visit).ordering, order)
    return _told(order)


def _told(order: SpokenOrder) -> SpokenTold:
    waits = not order.state.is_over
    return SpokenTold(
        id=order.id,
        number=order.number,
        ordered=order.made,
        way=order.way,
        language=order.language,
        confirm=order.confirm,
        state=order.state,
        calls=order.calls,
        seconds=order.seconds,
        cause=order.cause,
        next_call=(order.not_before or order.due) if waits else None,
        ended=order.ended,
    )


async def _asked(ask: Ask) -> SpokenOrder:
    """Raises `Problem`."""
    return await asked_order(ask, _parts(ask.visit).ordering, "spoken", "message")


def _parts(visit: Visit) -> SpokenParts:
    """Raises `Problem`."""
    if not is_offered(visit.parts):
        raise Problem("switched-off", "No messages are spoken here (spoken_messages.enabled).")
    return spoken_parts(visit)


_ONE = "spoken-messages/{spoken}"
OPERATIONS = (
    Operation(
        "listSpokenMessages",
        "GET",
        "spoken-messages",
        listed,
        "Texts that were to be spoken, the newest first",
        SpokenList,
        asks=Paged,
    ),
    Operation("showSpokenMessage", "GET", _ONE, show, "How far a spoken message is", SpokenTold),
    Operation(
        "sendSpokenMessage",
        "POST",
        "spoken-messages",
        send,
        "Have a text read to somebody on the telephone",
        SpokenTold,
        takes=SpokenGiven,
        status=202,
        feature=Feature.SPOKEN,
    ),
    Operation(
        "cancelSpokenMessage",
        "POST",
        f"{_ONE}/cancel",
        cancel,
        "Stop a spoken message",
        SpokenTold,
        status=202,
        feature=Feature.SPOKEN,
    ),
)
