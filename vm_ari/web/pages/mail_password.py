"""The user's password for the mail server, where the site needs it (MAIL-03)."""

from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.portal_rights import Feature
from vm_ari.ports import MailboxUnavailable, UnknownUser
from vm_ari.services.mail_passwords import LONGEST, MailPasswords, Outcome
from vm_ari.web.page import Page
from vm_ari.web.parts import Parts
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


async def show(visit: Visit) -> Response:
    """The form; what is stored is never shown."""
    return await _shown(visit)


async def change(visit: Visit) -> Response:
    """Try the password and keep it, or forget the one that is stored."""
    passwords = _passwords(visit.parts)
    if passwords is None:
        return await _shown(visit)
    try:
        if visit.typed("what") == "remove":
            await passwords.remove(visit.owner.id)
            log.info("mail password removed", user=visit.user.id, by=visit.me.entry.id)
            return await visit.done("mail-password.removed", "mail-password")
        outcome = await passwords.keep(visit.user, visit.typed("password"))
    except MailboxUnavailable as error:
        log.warning("mail password not tried", user=visit.user.id, reason=str(error))
        return await _shown(visit, "away")
    except (UnknownUser, Unstorable) as error:
        log.warning("mail password not stored", user=visit.user.id, reason=type(error).__name__)
        return await _shown(visit, "not-stored")
    log.info("mail password tried", user=visit.user.id, by=visit.me.entry.id, outcome=outcome)
    if outcome is not Outcome.KEPT:
        return await _shown(visit, outcome.value)
    saved = "saved-by-directory" if passwords.trial.by_directory else "saved"
    return await visit.done(f"mail-password.{saved}", "mail-password")


def is_wanted(parts: Parts) -> bool:
    """Do users' own passwords open mailboxes here?"""
    return _passwords(parts) is not None


def _passwords(parts: Parts) -> MailPasswords | None:
    found = parts.part(UserParts)
    return found.mail_passwords if found else None


async def _shown(visit: Visit, why: str = "") -> Response:
    passwords = _passwords(visit.parts)
    try:
        stored = await passwords.is_stored(visit.owner.id) if passwords else False
    except UnknownUser:
        stored = False
    return visit.page(
        "mail-password.html",
        visit.words("mail-password.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK,
        wanted=passwords is not None,
        by_directory=passwords is not None and passwords.trial.by_directory,
        stored=stored,
        longest=LONGEST,
        why=why,
    )


PAGES = (
    Page(
        "mail-password",
        show,
        change,
        feature=Feature.MAIL_PASSWORD,
        menu=95,
        offered=is_wanted,
    ),
)
