"""Passwords of the portal, where the directory has none: by a one-time link, and another one."""

from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.login_state import stamp
from vm_ari.domain.portal_rights import Feature, Role
from vm_ari.domain.portal_sessions import Method
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import MailNotQueued
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages.sign_in import admit
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


async def by_link(visit: Visit) -> Response:
    """The form behind a link; looking at it does not use it up."""
    passwords = visit.parts.passwords
    token = str(visit.request.path_params["token"])[:100]
    known = await passwords.owner_of_link(token) if passwords else ""
    return _shown(visit, "password.choose", "" if known else "over")


async def set_by_link(visit: Visit) -> Response:
    """Set it, and sign in."""
    passwords = visit.parts.passwords
    token, new = str(visit.request.path_params["token"])[:100], visit.typed("new")
    if passwords is None:
        return _shown(visit, "password.choose", "over")
    if new != visit.typed("again"):
        return _shown(visit, "password.choose", "differ")
    try:
        user_id = await passwords.use_link(token, new)
    except ValueError:
        return _shown(visit, "password.choose", "weak")
    entry = await visit.parts.users.register.entry_by_id(user_id) if user_id else None
    if entry is None:
        return _shown(visit, "password.choose", "over")
    await visit.parts.sessions.end_all(entry.id)
    log.info("password set by link", user=entry.id)
    await _tell(visit, await visit.parts.user_of(entry))
    return await admit(visit, entry, Method.LINK, "")


async def show(visit: Visit) -> Response:
    """The form for another password."""
    return _shown(visit, "password.title", "" if visit.parts.passwords else "elsewhere")


async def change(visit: Visit) -> Response:
    """With the present one; who acts for somebody sends a link instead."""
    passwords, judge = visit.parts.passwords, visit.parts.sign_in
    if passwords is None or judge is None:
        return _shown(visit, "password.title", "elsewhere")
    if visit.acting:
        return _shown(visit, "password.title", "by-link")
    if visit.typed("new") != visit.typed("again"):
        return _shown(visit, "password.title", "differ")
    client = visit.request.client
    address = client.host if client else ""
    if await judge.sign_in(visit.owner.id, visit.typed("present"), address) is None:
        return _shown(visit, "password.title", "wrong")
    try:
        await passwords.set_password(visit.owner.id, visit.typed("new"))
    except ValueError:
        return _shown(visit, "password.title", "weak")
    await visit.parts.sessions.end_all(visit.owner.id, but=[visit.me.session.key])
    log.info("password changed", user=visit.owner.id)
    await _tell(visit, visit.user)
    return await visit.done("password.saved", "password")


async def _tell(visit: Visit, user: User) -> None:
    """That nobody else has done it: it counts already, whatever becomes of the mail."""
    if visit.parts.notices is None:
        return
    now = visit.parts.clock.now()
    values = {"when": now, "by_admin": False, "login": user.id}
    try:
        await visit.parts.notices.tell(
            user, SystemMail.PASSWORD_CHANGED, values, occasion=stamp(now)
        )
    except MailNotQueued as error:
        log.error("nobody is told of the new password", user=user.id, reason=str(error))


def _shown(visit: Visit, title: str, why: str) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK
    if why == "elsewhere" and visit.request.method == "GET":
        status = HTTPStatus.OK
    return visit.page(
        "password.html",
        visit.words(title),
        status=status,
        why=why,
        with_present=visit.page_.scope is Scope.OWN,
    )


PAGES = (
    Page("password", show, change, feature=Feature.PASSWORD, menu=85),
    Page("password/{token}", by_link, set_by_link, role=Role.ANYONE, scope=Scope.HOUSE),
)
