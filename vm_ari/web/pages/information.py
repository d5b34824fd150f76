"""The mail about the functions for many users, and reading out what users need (STORE-03)."""

from collections.abc import Sequence
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.settings import Hideable
from vm_ari.ports import DirectoryReadOnly, MailNotQueued, UnknownUser
from vm_ari.services.information import InformationMails, Outcome, ReadOut
from vm_ari.services.logins import renew_pin
from vm_ari.services.mass_work import Progress
from vm_ari.web.admin_parts import admin_parts, said, scoped_users
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

KIND = "information"
LONGEST_NAME = 60


async def show(visit: Visit) -> Response:
    """To whom it can be sent, and how far a mailing is."""
    return _shown(visit)


async def change(visit: Visit) -> Response:
    """First say who is meant; with that number typed, begin."""
    mails, name = _mails(visit), visit.typed("mailing").strip()[:LONGEST_NAME]
    if mails is None or not mails.wanted:
        return _shown(visit, error=visit.words("information.switched-off"))
    if not name:
        return _shown(visit, error=visit.words("information.no-name"))
    entries = await _meant(visit, visit.typed("organisation").strip())
    if visit.typed("do") != "begin":
        return _shown(visit, found=entries)
    if visit.typed("count").strip() != str(len(entries)) or not entries:
        error = visit.words("resets.other-count", count=len(entries))
        return _shown(visit, found=entries, error=error)
    progress = Progress(KIND, visit.me.entry.id, len(entries))

    async def work(now: Progress) -> None:
        for entry in entries:
            await _send(visit, mails, entry, name, now)

    if not admin_parts(visit).work.start(progress, work):
        return _shown(visit, found=entries, error=visit.words("user-defaults.busy"))
    return await said(visit, "information.begun", "/information")


async def _meant(visit: Visit, organisation: str) -> Sequence[Entry]:
    """Everybody whom the visitor may see, or those of one organisation."""
    entries = await scoped_users(visit).register.all_entries()
    return [one for one in entries if not organisation or one.organisation == organisation]


async def _send(
    visit: Visit, mails: InformationMails, entry: Entry, name: str, now: Progress
) -> None:
    """Raises `DirectoryUnavailable`."""
    now.done += 1
    try:
        outcome = await mails.send(await visit.parts.user_of(entry), name)
    except (MailNotQueued, UnknownUser) as error:
        now.failed_at(entry.id, str(error))
        return
    if outcome is Outcome.QUEUED:
        now.changed += 1
    elif outcome is not Outcome.SENT_BEFORE:
        now.failed_at(entry.id, outcome.value)


def _shown(visit: Visit, *, found: Sequence[Entry] | None = None, error: str = "") -> Response:
    mails, today = _mails(visit), visit.parts.clock.now().date().isoformat()
    return visit.page(
        "information.html",
        visit.words("information.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        found=found,
        error=error,
        wanted=bool(mails and mails.wanted),
        mailing=visit.typed("mailing")[:LONGEST_NAME] or today,
        organisation=visit.typed("organisation")[:100],
        progress=admin_parts(visit).work.of(visit.me.entry.id),
    )


# --- reading out


async def read_out(visit: Visit) -> Response:
    """What the user needs to know; without the PIN."""
    return await _told(visit)


async def tell_pin(visit: Visit) -> Response:
    """With the PIN, or a new one: only where no mail brings it."""
    mails = _mails(visit)
    if mails is None or mails.welcome.rules.enabled:
        return await _told(visit, error=visit.words("information.by-mail"))
    if visit.typed("what") == "new":
        try:
            await _renew(visit, mails)
        except (DirectoryReadOnly, UnknownUser, Unstorable) as error:
            log.warning("PIN not renewed", user=visit.owner.id, reason=str(error))
            return await _told(visit, error=visit.words("forms.not-stored"))
    log.warning("PIN read out", user=visit.owner.id, by=visit.me.entry.id)
    return await _told(visit, with_pin=True)


async def _renew(visit: Visit, mails: InformationMails) -> None:
    """The user changes it at the next login."""
    numbers = (*visit.user.numbers, visit.user.mailbox, visit.user.mobile)
    register, welcome = scoped_users(visit).register, mails.welcome
    await renew_pin(register, visit.owner.id, welcome.login_rules, numbers, welcome.clock)
    log.info("PIN renewed", user=visit.owner.id, by=visit.me.entry.id)


async def _told(visit: Visit, *, with_pin: bool = False, error: str = "") -> Response:
    mails = _mails(visit)
    told: ReadOut | None = await mails.read_out(visit.user) if mails else None
    return visit.page(
        "read-out.html",
        visit.words("information.read-out-title", name=visit.user.name or visit.owner.id),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        told=told,
        pin=told.state.pin if told and with_pin else "",
        by_mail=bool(mails and mails.welcome.rules.enabled),
        error=error,
    )


def _mails(visit: Visit) -> InformationMails | None:
    """None: mails cannot be sent."""
    welcome, parts = admin_parts(visit).welcome, visit.parts
    if welcome is None:
        return None
    transfers = parts.own_settings.rules.shows(Hideable.TRANSFER)
    return InformationMails(welcome, parts.settings.base_url(), transfers)


PAGES = (
    Page("information", show, change, role=Role.ADMINISTRATOR, scope=Scope.HOUSE, menu=45),
    Page("account/read-out", read_out, tell_pin, role=Role.ADMINISTRATOR),
)
