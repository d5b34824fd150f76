"""What the pages of administrators need, beside `parts.Parts`; and whom they may see."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from starlette.responses import Response

from vm_ari.domain.entries import Entry
from vm_ari.domain.mass_reset import Item, Order
from vm_ari.domain.packages import stock_of
from vm_ari.ports import UserList, UserRecord
from vm_ari.services.mass_reset import Journal
from vm_ari.services.mass_work import MassWork
from vm_ari.services.scoped_register import ScopedRegister
from vm_ari.services.users import Users
from vm_ari.services.waiting_list import WaitingList
from vm_ari.services.welcome import WelcomeMails
from vm_ari.web.people_parts import people_parts
from vm_ari.web.visit import Visit

Reader = Callable[[bytes], Iterable[UserRecord]]
"""Raises `BadRecord`."""
Writer = Callable[[Sequence[Entry]], Iterable[str]]


class Finding(Protocol):
    """What an examination has found."""

    @property
    def good(self) -> bool:
        """Is all well?"""
        ...

    @property
    def part(self) -> str:
        """What was examined."""
        ...

    @property
    def text(self) -> str:
        """What is there, or what is wrong."""
        ...

    @property
    def advice(self) -> str:
        """What to do."""
        ...


class ResetJournal(Journal, Protocol):
    """Of a mass reset; locked until it is closed."""

    @property
    def items(self) -> Sequence[Item]:
        """Everybody who is meant."""
        ...

    @property
    def name(self) -> str:
        """Of its file."""
        ...

    def close(self) -> None:
        """Let others have it."""
        ...


class Software(Protocol):
    """A program of which this one is made."""

    @property
    def name(self) -> str:
        """As it is installed."""
        ...

    @property
    def version(self) -> str:
        """As it says itself."""
        ...

    @property
    def licence(self) -> str:
        """As it says itself."""
        ...


@dataclass(frozen=True)
class AdminParts:
    """One of `Parts.more`; None: there is no such thing here."""

    users: UserList
    readers: Mapping[str, Reader]
    """Of files with users, by format."""
    writers: Mapping[str, Writer]
    work: MassWork
    waiting: WaitingList
    software: Callable[[], Sequence[Software]]
    examine: Callable[[], Awaitable[Sequence[Finding]]]
    """As ``vm-ari check`` does."""
    new_journal: Callable[[Order, Sequence[str]], ResetJournal]
    """Blocks. Raises `JournalUnusable`."""
    started: datetime
    welcome: WelcomeMails | None = None
    """None: mails cannot be sent."""
    examining: asyncio.Lock = field(default_factory=asyncio.Lock)


def admin_parts(visit: Visit) -> AdminParts:
    """Those of this portal."""
    found = visit.part(AdminParts)
    assert found
    return found


def seen_organisations(visit: Visit) -> frozenset[str]:
    """Whose users the visitor may see and change; the empty one stands for none."""
    rights = visit.parts.rights
    possible = {"", *rights.administrators, *rights.agreements}
    return frozenset(one for one in possible if visit.may_act_in(one))


def scoped_users(visit: Visit) -> Users:
    """The users whom the visitor may see, as if there were no others."""
    whole = visit.parts.users
    return Users(ScopedRegister(whole.register, visit.may_act_in, may_be(visit)), whole.house)


def may_be(visit: Visit) -> Callable[[str], bool]:
    """Of a user's id: has he no rights that the visitor has not?"""
    rights, actor = visit.parts.rights, visit.me.entry.id
    return lambda user_id: rights.may_act_as(actor, user_id)


async def said(visit: Visit, sentence: str, address: str) -> Response:
    """A change is stored: that page of the house comes next, and says that sentence."""
    await visit.parts.sessions.say(visit.me.session, sentence)
    return visit.see(address)


async def has_room(visit: Visit, organisation: str, more: int = 1) -> bool:
    """May the organisation have so many users more? (UM-01)

    The whole site's packages are judged where users are written (`limited_register`).
    """
    limits = people_parts(visit.parts).limits()
    if not limits.organisations.get(organisation):
        return True
    stock = stock_of(organisation, await admin_parts(visit).users.counts(), limits)
    return stock.free is None or more <= stock.free
