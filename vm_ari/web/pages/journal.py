"""The journal of a user: calls, messages and notices, searched by page (STORE-05)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from http import HTTPStatus
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import structlog
from starlette.responses import Response

from vm_ari.domain.journal import BadSearch, Kind, Search, Viewer
from vm_ari.ports import JournalUnavailable, MailboxUnavailable
from vm_ari.services.journal import JournalPage, Journals
from vm_ari.web.door import problem
from vm_ari.web.page import Page
from vm_ari.web.user_parts import UserParts, kept
from vm_ari.web.visit import Visit, written_id

log = structlog.get_logger("vm_ari.portal")

PAGE = 30
LONGEST = 100
_FIELDS = ("number", "name", "kind", "since", "until", "with_message")


@dataclass(frozen=True)
class Asked:
    """What was put into the form."""

    texts: Mapping[str, str]
    after: str = ""

    @property
    def is_search(self) -> bool:
        """Is anything looked for, but all there is?"""
        return any(self.texts.values())

    def search(self, user_id: str, zone: str) -> Search:
        """What is looked for. Raises `BadSearch`."""
        text = self.texts
        return Search(
            user_id=user_id,
            number=text["number"],
            name=text["name"],
            kind=Kind(text["kind"]) if text["kind"] in set(Kind) else None,
            since=_begin(_day(text["since"]), zone),
            until=_begin(_day(text["until"]), zone, after=1),
            with_message=bool(text["with_message"]),
        )


async def show(visit: Visit) -> Response:
    """What happened, the newest first."""
    asked = asked_in(visit)
    page, error = await _found(visit, asked)
    link = {**asked.texts, "after": page.older} if page and page.older else {}
    return visit.page(
        "journal.html",
        visit.words("journal.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        page=page,
        typed=asked.texts,
        kinds=tuple(Kind),
        older=urlencode(link),
        first=not asked.after,
        error=error,
        searched=asked.is_search,
        house=False,
        whom="",
        here=visit.link("journal"),
        zone=visit.user.time_zone,
        people={},
        kept=kept(visit),
    )


def asked_in(visit: Visit) -> Asked:
    """What the address says."""
    query = visit.request.query_params
    return Asked({key: query.get(key, "")[:LONGEST] for key in _FIELDS}, query.get("after", ""))


async def message(visit: Visit) -> Response:
    """To the message of an entry, where it lies now."""
    journals = _journals(visit)
    if journals is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "message-gone")
    try:
        entry = await journals.entry_for(_viewer(visit), visit.request.query_params.get("of", ""))
        ours = entry is not None and entry.user_id == visit.owner.id
        place = await journals.place_of(entry) if entry and ours else None
    except (JournalUnavailable, MailboxUnavailable) as error:
        log.warning("message of the journal not found", user=visit.user.id, reason=str(error))
        return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")
    if place is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "message-gone")
    folder, uid = place
    where = f"?{urlencode({'in': folder})}" if folder else ""
    return visit.see(visit.link(f"messages/{written_id(uid)}{where}"))


async def _found(visit: Visit, asked: Asked) -> tuple[JournalPage | None, str]:
    """A page, or why there is none."""
    journals = _journals(visit)
    if journals is None:
        return None, ""
    try:
        search = asked.search(visit.owner.id, visit.user.time_zone)
        return await journals.entries_for(_viewer(visit), search, after=asked.after, limit=PAGE), ""
    except BadSearch:
        return JournalPage(()), visit.words("journal.bad-search")
    except JournalUnavailable as error:
        log.warning("journal not searched", user=visit.user.id, reason=str(error))
        return None, ""


def _viewer(visit: Visit) -> Viewer:
    """Who acts for the owner sees his entries, but those that were entrusted to him alone."""
    return Viewer(visit.me.entry.id, frozenset({visit.owner.id}) if visit.acting else frozenset())


def _journals(visit: Visit) -> Journals | None:
    parts = visit.part(UserParts)
    return parts.journals if parts else None


def _day(text: str) -> date | None:
    """Raises `BadSearch`."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadSearch(text) from None


def _begin(day: date | None, zone: str, *, after: int = 0) -> datetime | None:
    """Of a day, or of one so many days *after*, where the user is. Raises `BadSearch`."""
    if day is None:
        return None
    try:
        there = datetime.combine(day + timedelta(days=after), time(), ZoneInfo(zone))
        return there.astimezone(UTC)
    except OverflowError:
        raise BadSearch(str(day)) from None


PAGES = (
    Page("journal", show, menu=14),
    Page("journal/message", message),
)
