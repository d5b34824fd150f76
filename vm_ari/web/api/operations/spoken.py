"""Texts that a user has read to somebody: ordered, listed, looked at, cancelled (SPEECH-04)."""

from datetime import datetime

import structlog
from pydantic import Field

from vm_ari.domain.fax_orders import Way
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.spoken_orders import Cause, SpokenOrder, SpokenState
from vm_ari.services.spoken_ordering import NothingToSay, SpokenRefused, WrongTime
from vm_ari.web.api.models import Cursor, Given, Line, Listed, Moment, Paged, Told, following
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem, invalid, not_there
from vm_ari.web.spoken_parts import SpokenParts, is_offered, spoken_parts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

PAGE = 100
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
    after = ask.asked(Paged).after
    orders = list(await _parts(ask.visit).ordering.of_user(ask.visit.user.id))
    begin = _place(orders, after)
    shown = orders[begin : begin + PAGE]
    last = shown[-1].id if begin + PAGE < len(orders) else ""
    return SpokenList(items=[_told(one) for one in shown], next=following(last))


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
            occasion=f"api {given.occasion}" if given.occasion else "",
        )
    except SpokenRefused as error:
        raise _refused(error) from None
    except NothingToSay as error:
        raise invalid("body.text", str(error)) from None
    except WrongTime as error:
        raise invalid("body.later", str(error)) from None
    log.info("spoken message by API", user=visit.user.id, by=visit.me.entry.id, order=order.id)
    return _told(order)


async def cancel(ask: Ask) -> Answer:
    """A call that goes on is ended, too."""
    order = await _asked(ask)
    if order.state.is_over:
        raise Problem("busy", "It is over already.")
    await _parts(ask.visit).ordering.cancel(order)
    return _told(order)


def _refused(error: SpokenRefused) -> Problem:
    """A right of the user has a code of its own, for another day may bring another answer."""
    refused = error.refusal.refused
    if refused is None:
        return invalid("body.number", str(error))
    code = "over-limit" if refused.why.passes else "no-right"
    return Problem(code, str(error), where="body.number")


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


def _place(orders: list[SpokenOrder], after: Cursor) -> int:
    """Raises `Problem`."""
    if not after:
        return 0
    for place, order in enumerate(orders, start=1):
        if order.id == after:
            return place
    raise invalid("query.after", "There is no such page; begin with the first one.")


async def _asked(ask: Ask) -> SpokenOrder:
    """Raises `Problem`."""
    found = await _parts(ask.visit).ordering.find(ask.visit.user.id, ask.part("spoken"))
    if found is None:
        raise not_there("message")
    return found


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
