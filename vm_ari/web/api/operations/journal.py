"""The journal: of one user, and of everybody for whom one may act (STORE-05)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from vm_ari.domain.journal import BadSearch, JournalEntry, Kind, Result, Search, Viewer, as_record
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import JournalUnavailable
from vm_ari.services.journal import Journals
from vm_ari.web.api.models import Line, Listed, Moment, Paged, Told, following
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem, invalid, not_there
from vm_ari.web.overview_parts import seen_people
from vm_ari.web.page import Scope
from vm_ari.web.pages.house_journal import MOST_PEOPLE, is_seen, viewer_for
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit, written_id

USUAL, MOST = 50, 200
_MOST_READ = 1000
"""Entries that one request looks at: of some, nothing may be shown."""


class EntryTold(Told):
    """One call, message or notice; all times are UTC."""

    id: str = Field(description="For addresses, as it is written there.")
    kind: Kind
    started: datetime
    ended: datetime | None
    result: Result
    user: str = Field(description="Whose it is; empty: nobody's.")
    mailbox: str
    caller_number: str
    caller_name: str
    withheld: bool
    called: str
    redirected_from: str
    greeting: str
    profile: str
    why: str
    connected_with: str
    message_id: str
    seconds: float
    partial: bool
    delivered: bool
    node: str
    cost_centre: str


class EntryList(Listed[EntryTold]):
    """Entries, the newest first; a page can hold fewer than asked for, and still have a *next*."""


class MessageLink(Told):
    """Where a message lies now."""

    message: str = Field(description="The id of the message, for /messages/{uid}.")
    folder: str = Field(description="Empty: where new ones come.")


class JournalSearch(Paged):
    """What is looked for: everything that is given must be true."""

    number: Line = Field(default="", description="Of the other side, in any spelling.")
    name: Line = Field(default="", description="Beginnings of words of the caller's name.")
    kind: Kind | None = None
    result: Result | None = None
    since: Moment | None = Field(default=None, description="With its offset, such as Z.")
    until: Moment | None = Field(default=None, description="Before this time.")
    with_message: bool = Field(default=False, description="Only where a message was left.")
    limit: Annotated[int, Field(ge=1, le=MOST)] = USUAL

    def search(self, user_id: str) -> Search:
        """As the service knows it."""
        return Search(
            user_id=user_id,
            number=self.number,
            name=self.name,
            kind=self.kind,
            result=self.result,
            since=_utc(self.since),
            until=_utc(self.until),
            with_message=self.with_message,
        )


class WholeSearch(JournalSearch):
    """The same, of everybody."""

    user: Line = Field(default="", description="Only of the user of that id.")


async def listed(ask: Ask) -> Answer:
    """Of the owner."""
    asked, owner = ask.asked(JournalSearch), ask.visit.owner.id
    try:
        page = await _journals(ask.visit).entries_for(
            _viewer(ask.visit), asked.search(owner), after=asked.after, limit=asked.limit
        )
    except BadSearch as error:
        raise invalid("query", str(error)) from None
    except JournalUnavailable as error:
        raise _away(error) from None
    return EntryList(items=[_told(one) for one in page.entries], next=following(page.older))


async def show(ask: Ask) -> Answer:
    """One of them."""
    return _told(await _entry(ask))


async def message(ask: Ask) -> Answer:
    """Where its message lies now."""
    place = await _journals(ask.visit).place_of(await _entry(ask))
    if place is None:
        raise not_there("message")
    folder, uid = place
    return MessageLink(message=written_id(uid), folder=folder)


async def listed_whole(ask: Ask) -> Answer:
    """Of everybody for whom the visitor may act; operators see nobody's entries, too."""
    visit, asked = ask.visit, ask.asked(WholeSearch)
    journals, search, place = _journals(visit), asked.search(asked.user), asked.after
    if asked.user and asked.user not in await _seen(visit, [asked.user]):
        return EntryList(items=[])
    viewer = await viewer_for(visit, asked.user)
    if viewer is None:
        text = f"More than {MOST_PEOPLE} users: ask for one of them."
        raise invalid("query.user", text)
    found, read = list[JournalEntry](), 0
    try:
        while len(found) < asked.limit and read < _MOST_READ:
            most = asked.limit - len(found)
            page = await journals.entries_for(viewer, search, after=place, limit=most)
            seen = await _seen(visit, {one.user_id for one in page.entries})
            found += [one for one in page.entries if is_seen(visit, one, seen)]
            read, place = read + most, page.older
            if not place:
                break
    except BadSearch as error:
        raise invalid("query", str(error)) from None
    except JournalUnavailable as error:
        raise _away(error) from None
    return EntryList(items=[_told(one) for one in found], next=following(place))


async def _seen(visit: Visit, user_ids: Iterable[str]) -> frozenset[str]:
    """Of these, the users for whom the visitor may act. Raises `DirectoryUnavailable`."""
    rights, actor = visit.parts.rights, visit.me.entry.id
    found = await seen_people(visit, user_ids)
    return frozenset(one for one in found if rights.may_act_as(actor, one))


async def _entry(ask: Ask) -> JournalEntry:
    """The one that the address names, if it is the owner's. Raises `Problem`."""
    try:
        name = ask.part("entry")
        entry = await _journals(ask.visit).entry_for(_viewer(ask.visit), name) if name else None
    except JournalUnavailable as error:
        raise _away(error) from None
    if entry is None or entry.user_id != ask.visit.owner.id:
        raise not_there("entry")
    return entry


def _viewer(visit: Visit) -> Viewer:
    """Who acts for the owner sees his entries, but those that were entrusted to him alone."""
    return Viewer(visit.me.entry.id, frozenset({visit.owner.id}) if visit.acting else frozenset())


def _journals(visit: Visit) -> Journals:
    """Raises `Problem`."""
    parts = visit.part(UserParts)
    if parts is None or parts.journals is None:
        raise Problem("switched-off", "There is no journal here.")
    return parts.journals


def _told(entry: JournalEntry) -> EntryTold:
    record = as_record(replace(entry, id=written_id(entry.id)))
    return EntryTold.model_validate({key: record[key] for key in EntryTold.model_fields})


def _utc(moment: datetime | None) -> datetime | None:
    """Raises `Problem` for one beyond the calendar."""
    try:
        return moment.astimezone(UTC) if moment else None
    except OverflowError:
        raise invalid("query", f"{moment} is no time.") from None


def _away(error: JournalUnavailable) -> Problem:
    return Problem("away", str(error), headers={"retry-after": "60"})


OPERATIONS = (
    Operation(
        "listJournal",
        "GET",
        "journal",
        listed,
        "Calls, messages and notices, the newest first",
        EntryList,
        asks=JournalSearch,
    ),
    Operation("showEntry", "GET", "journal/{entry}", show, "One entry", EntryTold),
    Operation(
        "findMessageOfEntry",
        "GET",
        "journal/{entry}/message",
        message,
        "Where the message of a call lies now",
        MessageLink,
    ),
    Operation(
        "listWholeJournal",
        "GET",
        "journal",
        listed_whole,
        "Calls, messages and notices of all users for whom one may act",
        EntryList,
        asks=WholeSearch,
        role=Role.ADMINISTRATOR,
        scope=Scope.HOUSE,
    ),
)
