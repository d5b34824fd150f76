"""The site's defaults, written into users as values of their own, or taken away again (DIR-07)."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.preferences import SETTINGS, BadSetting
from vm_ari.ports import DirectoryReadOnly, Taken, UnknownUser
from vm_ari.services.distribution import distributed, inheriting, site_values
from vm_ari.services.mass_work import Progress
from vm_ari.services.users import Refused, Users
from vm_ari.web.admin_parts import admin_parts, said, scoped_users, seen_organisations
from vm_ari.web.fields import Option
from vm_ari.web.page import Page, Scope
from vm_ari.web.settings_page import described
from vm_ari.web.visit import Visit

KIND = "defaults"
WAYS = {"distribute": distributed, "inherit": inheriting}


async def show(visit: Visit) -> Response:
    """Which settings there are, and how far a run is."""
    return await _shown(visit)


async def change(visit: Visit) -> Response:
    """Begin, where the number of users was typed rightly; it goes on without the browser."""
    way, desk, parts = visit.typed("way"), scoped_users(visit), admin_parts(visit)
    keys = [one for one in visit.form.getlist("keys") if isinstance(one, str) and one in SETTINGS]
    if way not in WAYS or not keys:
        return await _shown(visit, visit.words("user-defaults.nothing"))
    if visit.typed("count").strip() != str(await count_seen(visit)):
        return await _shown(visit, visit.words("user-defaults.other-count"))
    everybody = await desk.register.all_entries()
    progress = Progress(KIND, visit.me.entry.id, len(everybody))

    async def work(now: Progress) -> None:
        await _distribute(desk, everybody, way, keys, now)
        parts.users.changed()

    if not parts.work.start(progress, work):
        return await _shown(visit, visit.words("user-defaults.busy"))
    return await said(visit, "user-defaults.begun", "/users/defaults")


async def count_seen(visit: Visit) -> int:
    """Of the users whom the visitor may change."""
    seen = seen_organisations(visit)
    counts = await admin_parts(visit).users.counts()
    return sum(count for organisation, count in counts.items() if organisation in seen)


async def _distribute(
    desk: Users, everybody: Sequence[Entry], way: str, keys: Sequence[str], now: Progress
) -> None:
    values = site_values(desk.house, keys)
    for entry in everybody:
        try:
            if changes := WAYS[way](entry, values):
                await desk.apply(entry, changes)
                now.changed += 1
        except DirectoryReadOnly:
            raise
        except (Refused, BadSetting, Taken, UnknownUser, Unstorable) as error:
            now.failed_at(entry.id, str(error))
        now.done += 1


async def _shown(visit: Visit, error: str = "") -> Response:
    form = (await described(_of_oneself(visit))).form(SETTINGS.values())
    set_ = visit.parts.users.house.defaults
    options = [Option(one.key, f"{one.label}: {one.inherited}") for one in form.fields]
    return visit.page(
        "user-defaults.html",
        visit.words("user-defaults.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        error=error,
        options=[one for one in options if one.value in set_],
        others=[one for one in options if one.value not in set_],
        count=await count_seen(visit),
        progress=admin_parts(visit).work.of(visit.me.entry.id),
    )


def _of_oneself(visit: Visit) -> Visit:
    """Settings are described for somebody; here only what the site says of them is shown."""
    bare = Entry("", "", organisation="")
    return replace(visit, owned=(bare, visit.me.user))


PAGES = (Page("users/defaults", show, change, role=Role.ADMINISTRATOR, scope=Scope.HOUSE),)
