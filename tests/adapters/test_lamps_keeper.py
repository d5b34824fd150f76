"""Counts that overlap: whichever way they end, the lamp shows what was counted last."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from tests.clock import run_virtually
from tests.fakes import FakeDirectory, FakeMailbox, FakeMailboxes
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import Counts, MessageKind, StoredMessage
from vm_ari.domain.notifications import Shown
from vm_ari.domain.users import User
from vm_ari.services.lamps import LampKeeper

ANNA = User("anna", "Anna", "101", ("+4989101",), "anna@example.org")
BERT = User("bert", "Bert", "102", ("+4989102",), "bert@example.org")


def a_message(uid: str) -> StoredMessage:
    return StoredMessage(uid, MessageKind.VOICE, datetime(2025, 1, 1, tzinfo=UTC), Caller("1"))


@dataclass
class Shelf:
    """The lamps of all phones."""

    lamps: dict[str, tuple[int, int]] = field(default_factory=dict)

    async def show(self, mailbox: str, new: int, old: int) -> None:
        """See `Lamps`."""
        self.lamps[mailbox] = new, old


@dataclass
class SlowMailboxes(FakeMailboxes):
    """Sessions that take their time to close, each as long as the test says."""

    farewells: list[float] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, user: User, folder: str = "") -> AsyncIterator[FakeMailbox]:
        async with super().open(user) as mailbox:
            yield mailbox
        if self.farewells:
            await asyncio.sleep(self.farewells.pop(0))


def test_a_count_that_began_earlier_does_not_overtake() -> None:
    mailboxes, shelf = SlowMailboxes(farewells=[5, 1]), Shelf()
    keeper = LampKeeper(shelf, mailboxes, FakeDirectory(ANNA))

    async def story() -> None:
        early = asyncio.create_task(keeper.refresh(ANNA))
        await asyncio.sleep(0.5)
        mailboxes.put(ANNA, a_message("a"))
        await keeper.refresh(ANNA)
        assert shelf.lamps == {"101": (1, 0)}
        await early
        assert shelf.lamps == {"101": (1, 0)}
        await keeper.refresh(ANNA)
        assert shelf.lamps == {"101": (1, 0)}

    run_virtually(story())


def test_what_was_shown_during_a_call_stays() -> None:
    mailboxes, shelf = SlowMailboxes(farewells=[5]), Shelf()
    keeper = LampKeeper(shelf, mailboxes, FakeDirectory(ANNA))
    mailboxes.put(ANNA, a_message("a"))

    async def story() -> None:
        early = asyncio.create_task(keeper.refresh(ANNA))
        await asyncio.sleep(0.5)
        await keeper.show(ANNA, Counts(new_voice=0, heard_voice=1))
        await early
        assert shelf.lamps == {"101": (0, 1)}

    run_virtually(story())


def test_an_earlier_count_is_shown_where_the_later_one_fails() -> None:
    mailboxes, shelf = SlowMailboxes(farewells=[5]), Shelf()
    keeper = LampKeeper(shelf, mailboxes, FakeDirectory(ANNA))
    mailboxes.put(ANNA, a_message("a"))

    async def story() -> None:
        early = asyncio.create_task(keeper.refresh(ANNA))
        await asyncio.sleep(0.5)
        mailboxes.unavailable = True
        await keeper.refresh(ANNA)
        await early
        assert shelf.lamps == {"101": (1, 0)}

    run_virtually(story())


def test_a_delivery_is_told_to_a_count_that_began_after_it() -> None:
    mailboxes, news = SlowMailboxes(farewells=[5]), list[tuple[int, int, int]]()

    async def rule(_user: User, counts: Counts, delivered: int, returned: int) -> Shown:
        news.append((counts.new_voice, delivered, returned))
        return Shown("101", counts.new_voice, 0)

    keeper = LampKeeper(Shelf(), mailboxes, FakeDirectory(ANNA), rule)

    async def story() -> None:
        early = asyncio.create_task(keeper.refresh(ANNA))
        await asyncio.sleep(0.5)
        mailboxes.put(ANNA, a_message("a"))
        keeper.delivered("anna")
        mailboxes.unavailable = True
        await keeper.refresh(ANNA)
        mailboxes.unavailable = False
        await keeper.refresh(ANNA)
        await early
        await keeper.refresh(ANNA)
        with keeper.by_owner("anna"):
            await keeper.refresh(ANNA)
        assert news == [(1, 1, 0), (1, 0, 0), (1, 0, 1)]

    run_virtually(story())


@pytest.mark.feature_part("CALL-09", "the default recipient has no lamp")
def test_who_has_no_mailbox_number_has_no_lamp() -> None:
    mailboxes, shelf = FakeMailboxes(), Shelf()
    nobody = User("default-recipient", "", "", (), "office@example.org")
    mailboxes.put(nobody, a_message("a"))
    run_virtually(LampKeeper(shelf, mailboxes, FakeDirectory(ANNA)).refresh(nobody))
    assert shelf.lamps == {}
