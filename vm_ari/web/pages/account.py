"""One user's account, for admins: details, numbers, login and welcome mail, removal (DIR-07)."""

from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry
from vm_ari.domain.login_state import LoginState, state_of
from vm_ari.domain.pin import is_locked
from vm_ari.domain.portal_rights import Feature, Role
from vm_ari.domain.welcome import standing
from vm_ari.ports import DirectoryReadOnly, MailNotQueued, UnknownUser
from vm_ari.services.welcome import Outcome
from vm_ari.web.admin_parts import admin_parts, has_room, said, scoped_users
from vm_ari.web.api.parts import end_tokens
from vm_ari.web.own_account import change_own, show_own
from vm_ari.web.page import Page
from vm_ari.web.pages.users import organisation_names
from vm_ari.web.people import judged_beside_others, stored
from vm_ari.web.people_forms import (
    PersonForm,
    edited,
    examples,
    form_of,
    form_sent,
    switched,
)
from vm_ari.web.visit import Visit, own_address

log = structlog.get_logger("vm_ari.portal")

ACTIONS = {
    "resend": (False, False),
    "reset": (True, False),
    "unlock-resend": (False, True),
    "unlock-reset": (True, True),
}
"""What asks for the welcome mail again (WELCOME-05): with a new PIN? unlocking?"""
UNLOCK = "unlock"


async def show(visit: Visit) -> Response:
    """As everything is now; who may change his account like others', does it under that right."""
    if not visit.acting:
        if visit.may_act_in(visit.owner.organisation):
            return visit.see(own_address("account", visit.owner.id))
        return await show_own(visit)
    return await _shown(visit, form_of(visit.owner))


async def change(visit: Visit) -> Response:
    """Store the details and numbers, all or none."""
    old = visit.owner
    if not visit.acting:
        return await change_own(visit)
    sent = form_sent(visit, old)
    form = PersonForm({**sent.typed, "id": old.id}, sent.faults)
    moves = form.typed["organisation"] != old.organisation
    if moves and not form.faults and not await has_room(visit, form.typed["organisation"]):
        form = form.with_fault("organisation", visit.words("users.full"))
    if form.faults:
        return await _shown(visit, form)
    new = switched(edited(old, form, scoped_users(visit).house), visit)
    form = await judged_beside_others(visit, new, form)
    if form.faults:
        return await _shown(visit, form)
    if error := await stored(visit, old, new):
        return await _shown(visit, form, error)
    return await said(visit, "account.saved", own_address("account", old.id))


async def act(visit: Visit) -> Response:
    """Unlock, or have the welcome mail sent again (WELCOME-05)."""
    action, welcome = visit.typed("what"), admin_parts(visit).welcome
    back = own_address("account", visit.owner.id)
    if not visit.may_act_in(visit.owner.organisation) or action not in {*ACTIONS, UNLOCK}:
        return visit.see(back)
    try:
        if action == UNLOCK:
            await scoped_users(visit).register.unlock(visit.owner.id)
            outcome = "unlocked"
        elif welcome is None or not welcome.rules.enabled:
            outcome = _words_of(Outcome.SWITCHED_OFF)
        else:
            new_pin, unlock = ACTIONS[action]
            now = bool(visit.typed("now"))
            ended = await welcome.ask_again(visit.user, new_pin=new_pin, unlock=unlock, now=now)
            outcome = _words_of(ended) if ended else "with-next-call"
    except DirectoryReadOnly:
        return await _shown(visit, form_of(visit.owner), visit.words("account.read-only"))
    except (UnknownUser, Unstorable, MailNotQueued) as error:
        log.warning("welcome mail not asked for", user=visit.owner.id, reason=str(error))
        return await _shown(visit, form_of(visit.owner), visit.words("forms.not-stored"))
    log.info("login reset", user=visit.owner.id, by=visit.me.entry.id, what=action, end=outcome)
    admin_parts(visit).users.changed()
    return await said(visit, f"account.outcome.{outcome}", back)


async def ask_removal(visit: Visit) -> Response:
    """What is lost, and whose id is to be typed."""
    return _removal(visit)


async def remove(visit: Visit) -> Response:
    """Forget the user; the id was typed, so that nobody else is meant."""
    owner = visit.owner
    if owner.id == visit.me.entry.id:
        return _removal(visit, "account.fault.oneself")
    if visit.typed("id").strip() != owner.id:
        return _removal(visit, "account.fault.other-id")
    try:
        await scoped_users(visit).register.remove_user(owner.id)
    except DirectoryReadOnly:
        return _removal(visit, "account.read-only")
    except UnknownUser:
        log.info("user was removed meanwhile", user=owner.id)
    await visit.parts.sessions.end_all(owner.id)
    await end_tokens(visit.parts, owner.id)
    admin_parts(visit).users.changed()
    log.info("user removed", user=owner.id, by=visit.me.entry.id)
    return await said(visit, "users.removed", "/users")


def _removal(visit: Visit, fault: str = "") -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
    title = visit.words("account.remove")
    error = visit.words(fault) if fault else ""
    return visit.page("account-remove.html", title, status=status, error=error)


async def _shown(visit: Visit, form: PersonForm, error: str = "") -> Response:
    entry: Entry = visit.owner
    state: LoginState = state_of(entry)
    welcome, house = admin_parts(visit).welcome, visit.parts.users.house
    name, mail = examples(form.typed, house)
    return visit.page(
        "account.html",
        visit.words("account.title", name=entry.name or entry.id),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.faults or error else HTTPStatus.OK,
        form=form,
        error=error,
        name=name,
        mail=mail,
        organisations=await organisation_names(visit),
        enabled=visit.user.voice_mail_enabled,
        state=state,
        standing=standing(state).name.lower(),
        locked=is_locked(entry.pin_failures, house.allowed_failures),
        mails=bool(welcome and welcome.rules.enabled),
        oneself=entry.id == visit.me.entry.id,
    )


def _words_of(outcome: Outcome) -> str:
    return outcome.name.lower().replace("_", "-")


PAGES = (
    Page("account", show, change, feature=Feature.ACCOUNT, menu=75),
    Page("account/login", None, act, role=Role.ADMINISTRATOR),
    Page("account/remove", ask_removal, remove, role=Role.ADMINISTRATOR),
)
