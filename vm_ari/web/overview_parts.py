"""What the overviews of administrators need, beside `admin_parts.AdminParts`."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vm_ari.domain.entries import Entry
from vm_ari.domain.missed_call_records import Record
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.system_facts import SystemFacts
from vm_ari.ports import Logs
from vm_ari.services.known_people import KnownPeople
from vm_ari.services.live_calls import LiveCallsView
from vm_ari.services.notice_desk import NoticeDesk
from vm_ari.web.visit import Visit


class LevelControl(Protocol):
    """Of the log of this machine's programs. Blocks."""

    def present(self) -> tuple[str, datetime | None]:
        """Which counts now, and until when; None: it is the usual one."""
        ...

    def wish(self, level: str, until: datetime) -> None:
        """Another one for a while. Raises OSError."""
        ...

    def forget(self) -> None:
        """The usual one again. Raises OSError."""
        ...


class MissedCallBook(Protocol):
    """What is remembered of calls that rang phones."""

    async def records(
        self,
        *,
        user_ids: Collection[str] | None = None,
        before: datetime | None = None,
        most: int = 1000,
    ) -> Sequence[Record]:
        """The newest first, of these users, or of all. Raises `CallLogUnavailable`."""
        ...


@dataclass(frozen=True)
class OverviewParts:
    """One of `Parts.more`."""

    calls: LiveCallsView
    people: KnownPeople
    logs: Logs
    level: LevelControl
    missed: MissedCallBook
    facts: Callable[[], SystemFacts]
    """Of this machine. Blocks."""
    notices: NoticeDesk | None = None
    """None: no mails leave here, or nobody opens mailboxes."""
    calls_are_followed: bool = False
    """Those that ring phones; without that only silent ones in mailboxes are missed."""


def overview_parts(visit: Visit) -> OverviewParts:
    """Those of this portal."""
    found = visit.part(OverviewParts)
    assert found
    return found


async def seen_people(visit: Visit, user_ids: Iterable[str]) -> Mapping[str, Entry]:
    """Of these, the users for whom the visitor may act. Raises `DirectoryUnavailable`."""
    found = await overview_parts(visit).people.of(user_ids)
    rights, me = visit.parts.rights, visit.me.entry.id
    return {
        key: one
        for key, one in found.items()
        if visit.may_act_in(one.organisation) and rights.may_act_as(me, key)
    }


def sees_nobodys(visit: Visit) -> bool:
    """May the visitor see what belongs to no user, such as a call to a number of nobody?"""
    return visit.role >= Role.OPERATOR
