"""Users from and to files (DIR-06): an import with a dry run, and an export of whom one may see."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from starlette.datastructures import UploadFile
from starlette.responses import Response

from vm_ari.domain.portal_rights import Role
from vm_ari.ports import BadRecord, DirectoryReadOnly
from vm_ari.services.scoped_register import RegisterWithStrangers
from vm_ari.services.user_import import Fate, Imported, UserImport
from vm_ari.services.users import Refused, Users
from vm_ari.web.admin_parts import Reader, admin_parts, has_room, may_be, scoped_users
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

LARGEST = 5_000_000
"""Bytes; more comes in by “vm-ari users import”, which may take its time."""
LONGEST_WAIT = 120.0
"""Seconds."""
MOST_SHOWN = 500
FORMATS = ("csv", "ldif")


@dataclass(frozen=True)
class Report:
    """What an import has done, or would do."""

    dry: bool
    added: int
    changed: int
    unchanged: int
    items: tuple[tuple[str, str, tuple[str, ...]], ...]
    """Id, fate, and what becomes different; the first of them."""
    more: int
    notes: tuple[str, ...]


async def show(visit: Visit) -> Response:
    """The forms."""
    return _shown(visit)


async def bring(visit: Visit) -> Response:
    """Check a file, and import it where it is no dry run."""
    given, kind = visit.form.get("file"), visit.typed("format")
    if not isinstance(given, UploadFile) or not given.filename:
        return _shown(visit, error=visit.words("user-files.no-file"))
    ending = given.filename.rpartition(".")[2].lower()
    reader = admin_parts(visit).readers.get(kind or ending)
    if reader is None:
        return _shown(visit, error=visit.words("user-files.no-format"))
    try:
        report = await _imported(visit, reader, await given.read())
    except DirectoryReadOnly:
        return _shown(visit, error=visit.words("account.read-only"))
    except (BadRecord, Refused, _Full) as error:
        return _shown(visit, error=visit.words("user-files.refused"), reason=str(error))
    return _shown(visit, report=report)


async def export(visit: Visit) -> Response:
    """All users whom the visitor may see, as a file; no PIN is in it."""
    kind = visit.request.query_params.get("format", "csv")
    writer = admin_parts(visit).writers.get(kind)
    if writer is None:
        return visit.see("/users/files")
    found = await scoped_users(visit).register.all_entries()
    log.info("users exported", by=visit.me.entry.id, users=len(found), format=kind)
    text = await asyncio.to_thread(lambda: "".join(writer(found)))
    headers = {"content-disposition": f'attachment; filename="users.{kind}"'}
    return Response(text, headers=headers, media_type="text/plain; charset=utf-8")


class _Full(Exception):
    """An organisation has not so many packages. The text is for the admin."""


async def _imported(visit: Visit, reader: Reader, raw: bytes) -> Report:
    whole = visit.parts.users.register
    register = RegisterWithStrangers(whole, visit.may_act_in, may_be(visit))
    work = UserImport(Users(register, visit.parts.users.house), update=bool(visit.typed("update")))
    found = await work.check(await asyncio.to_thread(lambda: list(reader(raw))))
    await _must_be_possible(visit, found)
    dry = visit.typed("do") != "import"
    if not dry:
        await work.write(found, lambda _done: None)
        admin_parts(visit).users.changed()
        log.info("users imported", by=visit.me.entry.id, users=len(found.items))
    return _report(found, dry=dry)


async def _must_be_possible(visit: Visit, found: Imported) -> None:
    """Every user, before and after, is one whom the visitor may change. Raises `BadRecord`."""
    more: dict[str, int] = {}
    for item in found.items:
        before = item.old.organisation if item.old else item.new.organisation
        if not (visit.may_act_in(item.new.organisation) and visit.may_act_in(before)):
            raise BadRecord(item.line, visit.words("account.fault.organisation"))
        if item.fate is not Fate.UNCHANGED and not may_be(visit)(item.new.id):
            raise BadRecord(item.line, visit.words("account.fault.reserved"))
        if item.old is None or before != item.new.organisation:
            more[item.new.organisation] = more.get(item.new.organisation, 0) + 1
    for organisation, count in more.items():
        if not await has_room(visit, organisation, count):
            raise _Full(f"{organisation}: {visit.words('users.full')}")


def _report(found: Imported, *, dry: bool) -> Report:
    added, changed, same = (len(found.of(fate)) for fate in Fate)
    shown = tuple(
        (item.new.id, item.fate.value, tuple(f"{c.field}: {c.old} → {c.new}" for c in item.changes))
        for item in found.items[:MOST_SHOWN]
    )
    more = max(0, len(found.items) - MOST_SHOWN)
    return Report(dry, added, changed, same, shown, more, found.notes[:MOST_SHOWN])


def _shown(
    visit: Visit, *, report: Report | None = None, error: str = "", reason: str = ""
) -> Response:
    return visit.page(
        "user-files.html",
        visit.words("user-files.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        report=report,
        error=error,
        reason=reason,
        formats=FORMATS,
        megabytes=LARGEST // 1_000_000,
    )


_ADMIN = Role.ADMINISTRATOR
PAGES = (
    Page(
        "users/files",
        show,
        bring,
        role=_ADMIN,
        scope=Scope.HOUSE,
        most_bytes=LARGEST,
        patience=LONGEST_WAIT,
    ),
    Page("users/export", export, role=_ADMIN, scope=Scope.HOUSE, patience=LONGEST_WAIT),
)
