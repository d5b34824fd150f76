"""What waits to be delivered and what was refused for good: seen, and tried again (MAIL-08)."""

from datetime import datetime

import structlog
from pydantic import Field

from vm_ari.domain.portal_rights import Role
from vm_ari.ports import MailNotQueued, NoticeNotKept, SpoolFull
from vm_ari.services.waiting_list import Listed as Found
from vm_ari.services.waiting_list import Matter, Waiting
from vm_ari.web.admin_parts import admin_parts
from vm_ari.web.api.models import Cursor, Listed, Paged, Told, following
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem, invalid, not_there
from vm_ari.web.page import Scope
from vm_ari.web.pages.queue import row_of
from vm_ari.web.visit import Visit, read_id, written_id

log = structlog.get_logger("vm_ari.portal")

PAGE = 100
_UNREADABLE = (SpoolFull, MailNotQueued, NoticeNotKept)


class WaitingTold(Told):
    """One thing that is not delivered."""

    key: str = Field(description="For addresses, as it is written there.")
    matter: Matter
    kind: str = Field(description="Of a mail or notice: which; else empty.")
    whom: str = Field(description="Empty: of an organisation whose agreement is not recorded.")
    held: bool = Field(description="Refused for good: it waits for a release.")
    since: datetime
    tries: int
    next_try: datetime | None
    reason: str


class WaitingPage(Listed[WaitingTold]):
    """Refused things first, then the oldest first."""

    unreadable: dict[str, str] = Field(description="Kinds of which not all is known, and why.")


class QueueSearch(Paged):
    """Which things."""

    after: Cursor = ""
    held: bool | None = Field(default=None, description="Only those, or only the others.")


class Released(Told):
    """What is tried again, within a minute."""

    released: int


async def listed(ask: Ask) -> Answer:
    """A page."""
    asked = ask.asked(QueueSearch)
    found = await admin_parts(ask.visit).waiting.all()
    things = sorted((one for one in found.things if asked.held in {None, one.held}), key=_key)
    begin = _place(things, asked.after)
    shown = things[begin : begin + PAGE]
    more = begin + PAGE < len(things)
    return WaitingPage(
        items=[await _told(ask.visit, one) for one in shown],
        next=following(written_id(_name(shown[-1])) if more else ""),
        unreadable={matter.value: why for matter, why in found.unreadable.items()},
    )


async def release(ask: Ask) -> Answer:
    """One thing that was refused."""
    wanted = ask.part("key")
    held = [one for one in (await _all(ask.visit)).things if one.held and one.key == wanted]
    if not held:
        raise not_there("thing that was refused")
    return await _released(ask.visit, held)


async def release_all(ask: Ask) -> Answer:
    """Everything that was refused."""
    held = [one for one in (await _all(ask.visit)).things if one.held]
    return await _released(ask.visit, held)


async def _all(visit: Visit) -> Found:
    return await admin_parts(visit).waiting.all()


async def _released(visit: Visit, held: list[Waiting]) -> Released:
    """Raises `Problem`."""
    try:
        for one in held:
            await admin_parts(visit).waiting.release(one)
    except _UNREADABLE as error:
        log.error("nothing released", reason=str(error))
        raise Problem("away", visit.words("forms.not-stored")) from None
    log.info("released by portal", by=visit.me.entry.id, things=[one.key for one in held][:20])
    return Released(released=len(held))


def _key(one: Waiting) -> tuple[bool, datetime, str]:
    return not one.held, one.since, one.key


def _name(one: Waiting) -> str:
    """Its place in the order of the list."""
    return f"{'' if one.held else '1'} {one.since.isoformat()} {one.key}"


def _place(things: list[Waiting], after: str) -> int:
    """Where the next page begins, also where the last thing of the one before is gone."""
    if not after:
        return 0
    flag, _, rest = read_id(after).partition(" ")
    moment, _, key = rest.partition(" ")
    try:
        last = (bool(flag), datetime.fromisoformat(moment), key)
        return sum(_key(one) <= last for one in things)
    except (TypeError, ValueError):
        raise invalid("query.after", "There is no such page; begin with the first one.") from None


async def _told(visit: Visit, one: Waiting) -> WaitingTold:
    row = await row_of(visit, one)
    return WaitingTold(
        key=written_id(one.key),
        matter=one.matter,
        kind=one.kind,
        whom=row.whom,
        held=one.held,
        since=one.since,
        tries=one.tries,
        next_try=one.next_try,
        reason=one.reason if row.whom else "",
    )


_OPERATOR = Role.OPERATOR
OPERATIONS = (
    Operation(
        "listQueue",
        "GET",
        "queue",
        listed,
        "What waits to be delivered, and what was refused",
        WaitingPage,
        asks=QueueSearch,
        role=_OPERATOR,
        scope=Scope.HOUSE,
    ),
    Operation(
        "releaseOne",
        "POST",
        "queue/{key}/release",
        release,
        "Try one thing again that was refused",
        Released,
        role=_OPERATOR,
        scope=Scope.HOUSE,
    ),
    Operation(
        "releaseAll",
        "POST",
        "queue/release",
        release_all,
        "Try everything again that was refused",
        Released,
        role=_OPERATOR,
        scope=Scope.HOUSE,
    ),
)
