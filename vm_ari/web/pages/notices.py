"""How users are told of new messages: what was told, what waits, what is in the way; resets.

One page for all whom the visitor may see, and one for each user (NOTIFY-04, NOTIFY-06, WEB-02).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry
from vm_ari.domain.journal import JournalEntry, Kind, Search, Viewer
from vm_ari.domain.notifications import Channel
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import (
    DirectoryReadOnly,
    JournalUnavailable,
    NoticeBookUnavailable,
    Taken,
    UnknownUser,
)
from vm_ari.services.mass_work import Progress
from vm_ari.services.notice_desk import NoticeDesk
from vm_ari.services.users import Users
from vm_ari.services.waiting_list import Matter, Waiting
from vm_ari.web.admin_parts import admin_parts, said, scoped_users
from vm_ari.web.overview_parts import overview_parts, seen_people
from vm_ari.web.overview_scope import TooMany, found_people, people_at_once
from vm_ari.web.page import Page, Scope
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit, own_address

log = structlog.get_logger("vm_ari.portal")

KIND = "notices"
LAST = 30
MOST_WAITING = 50
PATH = "notices"


@dataclass(frozen=True)
class Told:
    """One notice of the journal."""

    entry: JournalEntry
    whom: str
    address: str


@dataclass(frozen=True)
class Late:
    """One that is not told yet, or given up."""

    one: Waiting
    whom: str
    address: str


# --- of everybody


async def show(visit: Visit) -> Response:
    """What was told last, and what waits."""
    return await _shown(visit)


async def reset(visit: Visit) -> Response:
    """For everybody whom the visitor may see: first how many that is, then with that number."""
    counters, settings = bool(visit.typed("counters")), bool(visit.typed("settings"))
    if not (counters or settings):
        return await _shown(visit, error=visit.words("notices.nothing"))
    desk = scoped_users(visit)
    everybody = list(await desk.register.all_entries())
    if visit.typed("do") != "begin":
        return await _shown(visit, meant=len(everybody), wanted=(counters, settings))
    if visit.typed("count").strip() != str(len(everybody)) or not everybody:
        error = visit.words("resets.other-count", count=len(everybody))
        return await _shown(visit, meant=len(everybody), wanted=(counters, settings), error=error)
    progress = Progress(KIND, visit.me.entry.id, len(everybody))
    notices = overview_parts(visit).notices
    assert notices

    async def work(now: Progress) -> None:
        await _reset_all(notices, desk, everybody, now, counters=counters, settings=settings)
        admin_parts(visit).users.changed()

    if not admin_parts(visit).work.start(progress, work):
        return await _shown(visit, error=visit.words("user-defaults.busy"))
    return await said(visit, "notices.begun", "/notices")


async def _reset_all(
    notices: NoticeDesk,
    desk: Users,
    everybody: Sequence[Entry],
    now: Progress,
    *,
    counters: bool,
    settings: bool,
) -> None:
    """What has been reset already takes no harm from a second time."""
    if counters:
        await notices.reset_counters([one.id for one in everybody])
    for entry in everybody:
        try:
            own = settings and await notices.reset_settings(desk.register, entry)
            now.changed += bool(own or counters)
        except DirectoryReadOnly:
            raise
        except (UnknownUser, Unstorable, Taken) as error:
            now.failed_at(entry.id, str(error))
        now.done += 1


async def _shown(
    visit: Visit,
    *,
    meant: int = 0,
    wanted: tuple[bool, bool] = (False, False),
    error: str = "",
) -> Response:
    typed, found = await found_people(visit)
    told, complaint = await _last_of_all(visit)
    waiting, unreadable = await _waiting(visit)
    return visit.page(
        "notices.html",
        visit.words("notices.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        error=error,
        typed=typed,
        found=[(one, own_address(PATH, one.id)) for one in found],
        told=told,
        complaint=complaint,
        waiting=waiting[:MOST_WAITING],
        more=max(0, len(waiting) - MOST_WAITING),
        unreadable=unreadable,
        can_reset=overview_parts(visit).notices is not None,
        meant=meant,
        wanted=wanted,
        progress=admin_parts(visit).work.of(visit.me.entry.id),
    )


async def _last_of_all(visit: Visit) -> tuple[Sequence[Told], str]:
    """And why there are none, where something is in the way."""
    parts = visit.part(UserParts)
    if parts is None or parts.journals is None:
        return (), ""
    try:
        people = await people_at_once(visit)
        mine = visit.me.entry.id
        viewer = Viewer(mine, people or frozenset(), everybody=people is None)
        search = Search(kind=Kind.NOTIFICATION)
        page = await parts.journals.entries_for(viewer, search, limit=LAST)
    except TooMany:
        return (), visit.words("notices.too-many")
    except JournalUnavailable as error:
        log.warning("notices of the journal not found", reason=str(error))
        return (), visit.words("journal.away")
    known = await seen_people(visit, (one.user_id for one in page.entries))
    return [
        Told(one, _name(known[one.user_id]), own_address(PATH, one.user_id))
        for one in page.entries
        if one.user_id in known
    ], ""


async def _waiting(visit: Visit) -> tuple[Sequence[Late], bool]:
    """Notices that are not told, of users whom the visitor may see; can all be read?"""
    listed = await admin_parts(visit).waiting.all()
    notices = [one for one in listed.things if one.matter is Matter.NOTICE]
    known = await seen_people(visit, (one.user_id for one in notices))
    return [
        Late(one, _name(known[one.user_id]), own_address(PATH, one.user_id))
        for one in notices
        if one.user_id in known
    ], Matter.NOTICE in listed.unreadable


def _name(entry: Entry) -> str:
    return entry.name or entry.id


# --- of one user


async def show_one(visit: Visit) -> Response:
    """By which ways he is told of what, what he was told last, and what is in the way."""
    return await _one_shown(visit)


async def reset_one(visit: Visit) -> Response:
    """His counters to zero, or his settings to what the site says."""
    notices, what = overview_parts(visit).notices, visit.typed("what")
    if notices is None or what not in {"counters", "settings"}:
        return await _one_shown(visit, visit.words("notices.nothing"))
    try:
        if what == "counters":
            await notices.reset_counters([visit.owner.id])
        else:
            await notices.reset_settings(scoped_users(visit).register, visit.owner)
            admin_parts(visit).users.changed()
    except (NoticeBookUnavailable, DirectoryReadOnly, UnknownUser, Unstorable, Taken) as error:
        log.error("notices not reset", user=visit.owner.id, reason=str(error))
        return await _one_shown(visit, visit.words("forms.not-stored"))
    log.info("notices reset", by=visit.me.entry.id, user=visit.owner.id, what=what)
    return await visit.done(f"notices.done-{what}", PATH)


async def _one_shown(visit: Visit, error: str = "") -> Response:
    notices = overview_parts(visit).notices
    waiting, unreadable = await _waiting(visit)
    return visit.page(
        "notices-of.html",
        visit.words("notices.of", name=visit.user.name or visit.owner.id),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        error=error,
        ways=notices.chosen(visit.user) if notices else (),
        unusable=_by_channel(notices.unusable(visit.user)) if notices else {},
        state=await _state(visit, notices),
        told=await _last_of_one(visit),
        waiting=[one for one in waiting if one.one.user_id == visit.owner.id],
        unreadable=unreadable,
        can_reset=notices is not None,
    )


def _by_channel(reasons: Sequence[tuple[Channel, str]]) -> Mapping[str, str]:
    return {channel.value: reason for channel, reason in reasons}


async def _state(visit: Visit, notices: NoticeDesk | None) -> object:
    """None: nothing was counted, or nobody knows just now."""
    if notices is None:
        return None
    try:
        return await notices.state(visit.owner.id)
    except NoticeBookUnavailable as error:
        log.warning("counters not known", user=visit.owner.id, reason=str(error))
        return None


async def _last_of_one(visit: Visit) -> Sequence[JournalEntry]:
    parts = visit.part(UserParts)
    if parts is None or parts.journals is None:
        return ()
    viewer = Viewer(visit.me.entry.id, frozenset({visit.owner.id}))
    search = Search(user_id=visit.owner.id, kind=Kind.NOTIFICATION)
    try:
        return (await parts.journals.entries_for(viewer, search, limit=LAST)).entries
    except JournalUnavailable as error:
        log.warning("notices of the journal not found", reason=str(error))
        return ()


PAGES = (
    Page(PATH, show, reset, role=Role.ADMINISTRATOR, scope=Scope.HOUSE, menu=42),
    Page(PATH, show_one, reset_one, role=Role.ADMINISTRATOR),
)
