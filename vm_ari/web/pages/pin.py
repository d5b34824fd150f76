"""Another PIN (LOGIN-05): with the present one, or shortly after signing in; a mail tells of it."""

from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.login_state import stamp
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.pin_rules import LONGEST_PIN
from vm_ari.domain.portal_rights import Feature
from vm_ari.domain.system_mails import SystemMail
from vm_ari.ports import MailNotQueued, UnknownUser
from vm_ari.web.page import Page
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


async def show(visit: Visit) -> Response:
    """The form; nobody's PIN is ever shown."""
    return _shown(visit)


async def change(visit: Visit) -> Response:
    """Judge and set it, and tell the owner."""
    new, again = visit.typed("new").strip(), visit.typed("again").strip()
    if not _is_fresh(visit) and (why := await _wrong_present(visit)):
        return _shown(visit, why, "present")
    if new != again:
        return _shown(visit, "differ", "again")
    if len(new) > 4 * LONGEST_PIN:
        return _shown(visit, "too-long", "new")
    try:
        fault = await visit.parts.logins.change_pin(visit.user, new, one_time=visit.acting)
    except (UnknownUser, Unstorable) as error:
        log.warning("PIN not changed", user=visit.user.id, reason=str(error))
        return _shown(visit, "not-stored", "new")
    if fault:
        return _shown(visit, fault.value, "new")
    log.info("PIN changed", user=visit.user.id, by=visit.me.entry.id)
    await _tell(visit)
    return await visit.done("pin.saved", "pin")


def _is_fresh(visit: Visit) -> bool:
    """Who acts for somebody does not know his PIN."""
    return visit.parts.sessions.is_fresh(visit.me.session)


async def _wrong_present(visit: Visit) -> str:
    """Why it does not count; empty: it is right. Wrong ones count like those by telephone."""
    present = visit.typed("present").strip()
    if visit.acting or not present or len(present) > LONGEST_PIN:
        return "sign-in-again" if visit.acting else "present-missing"
    match await visit.parts.directory.check_pin(visit.user.id, present):
        case PinCheck.RIGHT:
            return ""
        case PinCheck.LOCKED:
            return "locked"
        case _:
            return "present-wrong"


async def _tell(visit: Visit) -> None:
    """That nobody else has done it: the PIN counts already, whatever becomes of the mail."""
    if visit.parts.notices is None:
        return
    now = visit.parts.clock.now()
    values = {"when": now, "by_admin": visit.acting}
    try:
        await visit.parts.notices.tell(
            visit.user, SystemMail.PIN_CHANGED, values, occasion=stamp(now)
        )
    except MailNotQueued as error:
        log.error("nobody is told of the new PIN", user=visit.user.id, reason=str(error))


def _shown(visit: Visit, why: str = "", where: str = "") -> Response:
    return visit.page(
        "pin.html",
        visit.words("pin.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK,
        fresh=_is_fresh(visit),
        shortest=visit.parts.logins.rules.shortest_pin,
        longest=LONGEST_PIN,
        why=why,
        where=where,
    )


PAGES = (Page("pin", show, change, feature=Feature.PIN, menu=80),)
