"""The mass reset (WELCOME-06): who is meant, then the welcome mail leaves again for them."""

from pydantic import Field

from vm_ari.domain.mass_reset import Order
from vm_ari.domain.portal_rights import Role
from vm_ari.services.mass_reset import Preview
from vm_ari.services.mass_work import Progress
from vm_ari.web.admin_parts import AdminParts, admin_parts
from vm_ari.web.api.models import Given, Line, Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem, invalid, not_there
from vm_ari.web.page import Scope
from vm_ari.web.pages.resets import begin, meant
from vm_ari.web.visit import Visit


class OrderGiven(Given):
    """What is done to each user: the welcome mail leaves again, in any case."""

    organisation: Line = Field(default="", description="Only its users; empty: everybody.")
    new_pin: bool = Field(default=False, description="It brings a new PIN.")
    unlock: bool = False
    now: bool = Field(default=False, description="At once, not with the next call.")


class OrderSure(OrderGiven):
    """The same, by somebody who knows how many are meant."""

    count: int = Field(ge=1, description="How many users the preview has named.")


class PreviewTold(Told):
    """Who is meant; nothing is changed."""

    users: int
    unchanged: int = Field(description="For whom there is nothing to do.")
    locked: int
    without_pin: int
    due: int = Field(description="Whose welcome mail waits for the next call already.")


class ProgressTold(Told):
    """How far it is."""

    kind: str
    total: int
    done: int
    changed: int
    failed: int
    reasons: list[str] = Field(description="Of the first failures.")
    running: bool
    broken: bool = Field(description="It has ended before its end.")
    journal: str = Field(description="From which “vm-ari welcome reset --resume” goes on.")


async def preview(ask: Ask) -> Answer:
    """Who is meant."""
    _parts(ask.visit)
    given = ask.given(OrderGiven)
    found = await meant(ask.visit, _order(given), given.organisation)
    return PreviewTold(
        users=len(found.users),
        unchanged=len(found.unchanged),
        locked=found.locked,
        without_pin=found.without_pin,
        due=found.due,
    )


async def start(ask: Ask) -> Answer:
    """It goes on when this is answered."""
    visit, given = ask.visit, ask.given(OrderSure)
    parts, order = _parts(visit), _order(given)
    found: Preview = await meant(visit, order, given.organisation)
    if given.count != len(found.users):
        text = visit.words("resets.other-count", count=len(found.users))
        raise invalid("body.count", text)
    if error := await begin(visit, parts, found, order):
        raise Problem("busy", error)
    return await progress(ask)


async def progress(ask: Ask) -> Answer:
    """Of what the token's owner has begun last."""
    found = admin_parts(ask.visit).work.of(ask.visit.me.entry.id)
    if found is None:
        raise not_there("reset of yours")
    return _told(found)


def _parts(visit: Visit) -> AdminParts:
    """Raises `Problem` where no welcome mails leave."""
    parts = admin_parts(visit)
    if parts.welcome is None or not parts.welcome.rules.enabled:
        raise Problem("switched-off", visit.words("account.outcome.switched-off"))
    return parts


def _order(given: OrderGiven) -> Order:
    return Order(new_pin=given.new_pin, unlock=given.unlock, now=given.now)


def _told(found: Progress) -> ProgressTold:
    return ProgressTold(
        kind=found.kind,
        total=found.total,
        done=found.done,
        changed=found.changed,
        failed=found.failed,
        reasons=list(found.reasons),
        running=found.running,
        broken=found.broken,
        journal=found.journal,
    )


_OPERATOR = Role.OPERATOR
OPERATIONS = (
    Operation(
        "showReset",
        "GET",
        "resets",
        progress,
        "How far the last mass reset or change of yours is",
        ProgressTold,
        role=_OPERATOR,
        scope=Scope.HOUSE,
    ),
    Operation(
        "previewReset",
        "POST",
        "resets/preview",
        preview,
        "Whom a mass reset would be about; nothing is changed",
        PreviewTold,
        takes=OrderGiven,
        role=_OPERATOR,
        scope=Scope.HOUSE,
    ),
    Operation(
        "beginReset",
        "POST",
        "resets",
        start,
        "Have the welcome mail sent again to everybody who is meant",
        ProgressTold,
        status=202,
        takes=OrderSure,
        role=_OPERATOR,
        scope=Scope.HOUSE,
    ),
)
