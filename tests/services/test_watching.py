"""Changes become counts: at once, not too often, never lost; what cannot be counted is retried."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.adapters.test_lamps_keeper import Shelf, a_message
from tests.clock import run_virtually
from tests.fakes import FakeDirectory, FakeMailbox, FakeMailboxes
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, MailboxUnavailable
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.watching import USUAL, Tempo, Watch


def person(number: int) -> User:
    return User(f"u{number}", f"User {number}", str(number), (f"+4989{number}",), f"u{number}@x.de")


ANNA, BERT = person(101), person(102)


@dataclass
class Mailboxes(FakeMailboxes):
    """Says how often each was opened, and takes its time."""

    opened: list[tuple[float, str]] = field(default_factory=list)
    seconds: float = 0.0
    open_now: int = 0
    most_open: int = 0
    broken: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def open(self, user: User, folder: str = "") -> AsyncIterator[FakeMailbox]:
        self.opened.append((asyncio.get_running_loop().time(), user.id))
        if user.id in self.broken:
            raise MailboxUnavailable("no way in")
        async with super().open(user) as mailbox:
            self.open_now += 1
            self.most_open = max(self.most_open, self.open_now)
            try:
                yield mailbox
                await asyncio.sleep(self.seconds)
            finally:
                self.open_now -= 1

    def times(self, user: User) -> list[float]:
        """When that mailbox was counted."""
        return [round(when, 2) for when, user_id in self.opened if user_id == user.id]


class Directory(FakeDirectory):
    """One that may be down."""

    down = False

    async def all_users(self) -> Sequence[User]:
        if self.down:
            raise DirectoryUnavailable("nobody answers")
        return await super().all_users()

    async def user_by_id(self, user_id: str) -> User | None:
        if self.down:
            raise DirectoryUnavailable("nobody answers")
        return await super().user_by_id(user_id)


@dataclass
class Witness:
    """A watcher that only notes what it hears."""

    met: list[int] = field(default_factory=list)
    heard: list[tuple[str, Counts]] = field(default_factory=list)

    def meet(self, users: Sequence[User]) -> None:
        self.met.append(len(users))

    def counted(self, user: User, counts: Counts) -> None:
        self.heard.append((user.id, counts))


@dataclass
class House:
    """A watch over mailboxes in memory."""

    users: Sequence[User] = (ANNA, BERT)
    tempo: Tempo = USUAL
    mailboxes: Mailboxes = field(default_factory=Mailboxes)
    shelf: Shelf = field(default_factory=Shelf)
    witness: Witness = field(default_factory=Witness)
    directory: Directory = field(init=False)
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.directory = Directory(*self.users)

    def tell(self, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a story beside the watch, on the virtual clock."""

        async def whole() -> None:
            keeper = LampKeeper(self.shelf, self.mailboxes, self.directory)
            self.watch = Watch(keeper, self.directory, self.tempo, chance=lambda: 0.5)
            self.watch.tell(self.witness)
            running = asyncio.create_task(self.watch.run())
            try:
                await story()
            finally:
                running.cancel()
                await asyncio.wait([running])

        run_virtually(whole())


def test_after_the_start_every_lamp_shows_what_is_there() -> None:
    house = House()
    house.mailboxes.put(BERT, a_message("a"))

    async def story() -> None:
        await asyncio.sleep(0.1)
        assert house.shelf.lamps == {"101": (0, 0), "102": (1, 0)}
        assert house.witness.met == [2]
        assert dict(house.witness.heard)["u102"].new_voice == 1

    house.tell(story)


def test_a_change_is_counted_at_once_and_a_burst_of_them_rarely_and_once_after_the_last() -> None:
    house = House(users=[ANNA])

    async def story() -> None:
        await asyncio.sleep(10)
        house.mailboxes.opened.clear()
        for number in range(100):
            house.mailboxes.put(ANNA, a_message(f"m{number}"))
            house.watch.changed("u101")
            await asyncio.sleep(0.01)
        await house.watch.settled()
        assert house.mailboxes.times(ANNA) == [10.0, 10.3, 10.6, 10.9, 11.2]
        assert house.shelf.lamps["101"] == (100, 0)

    house.tell(story)


def test_what_changes_while_it_is_counted_is_counted_again() -> None:
    house = House(users=[ANNA])
    house.mailboxes.seconds = 2.0

    async def story() -> None:
        await asyncio.sleep(10)
        house.watch.changed("u101")
        await asyncio.sleep(1)
        house.mailboxes.put(ANNA, a_message("a"))
        house.watch.changed("u101")
        await house.watch.settled()
        assert house.shelf.lamps["101"] == (1, 0)

    house.tell(story)
    assert house.mailboxes.most_open == 1


def test_a_slow_mailbox_does_not_hold_up_others_and_not_too_many_are_open_at_once() -> None:
    users = [person(number) for number in range(100, 200)]
    house = House(users=users, tempo=Tempo(at_once=6, behind=4))
    house.mailboxes.seconds = 1.0

    async def story() -> None:
        await asyncio.sleep(0.1)
        assert house.mailboxes.open_now == 4, "a round leaves places to changes"
        house.watch.changed("u150")
        house.watch.changed("u151")
        house.watch.changed("u152")
        await asyncio.sleep(0.1)
        assert house.mailboxes.open_now == 6
        await house.watch.settled()

    house.tell(story)
    assert house.mailboxes.most_open == 6
    assert len(house.shelf.lamps) == 100


def test_a_store_that_is_down_leaves_lamps_as_they_are_and_is_asked_less_and_less_often() -> None:
    users = [person(number) for number in range(100, 150)]
    house = House(users=users)
    for user in users:
        house.mailboxes.put(user, a_message("a"))

    async def story() -> None:
        await asyncio.sleep(10)
        assert set(house.shelf.lamps.values()) == {(1, 0)}
        house.shelf.lamps.clear()
        house.mailboxes.unavailable = True
        for user in users:
            house.watch.changed(user.id)
        await asyncio.sleep(120)
        assert house.shelf.lamps == {}, "unknown is not zero"
        house.mailboxes.opened.clear()
        await asyncio.sleep(120)
        assert len(house.mailboxes.opened) < 50
        house.mailboxes.put(users[7], a_message("b"))
        house.mailboxes.unavailable = False
        await asyncio.sleep(40)
        assert len(house.shelf.lamps) == 50, "all are right within a minute"
        assert house.shelf.lamps["107"] == (2, 0)

    house.tell(story)


def test_after_a_store_was_down_mailboxes_of_which_nothing_was_heard_are_looked_at_too() -> None:
    house = House()

    async def story() -> None:
        await asyncio.sleep(100)
        house.mailboxes.unavailable = True
        house.watch.changed("u101")
        await asyncio.sleep(5)
        house.mailboxes.put(BERT, a_message("a"))  # and nobody could tell
        house.mailboxes.unavailable = False
        await asyncio.sleep(31)
        assert house.shelf.lamps == {"101": (0, 0), "102": (1, 0)}

    house.tell(story)


def test_one_mailbox_that_never_opens_costs_the_others_nothing() -> None:
    house = House()
    house.mailboxes.broken.add("u101")

    async def story() -> None:
        await asyncio.sleep(600)
        assert house.shelf.lamps == {"102": (0, 0)}
        assert len(house.mailboxes.times(BERT)) == 1
        assert len(house.mailboxes.times(ANNA)) < 30
        house.mailboxes.broken.clear()
        await asyncio.sleep(40)
        assert house.shelf.lamps["101"] == (0, 0)

    house.tell(story)


@pytest.mark.parametrize("down_for", [1, 30, 300])
def test_a_directory_that_is_down_at_the_start_is_asked_until_it_answers(down_for: int) -> None:
    house = House()
    house.directory.down = True

    async def story() -> None:
        await asyncio.sleep(down_for)
        assert house.shelf.lamps == {}
        house.directory.down = False
        await asyncio.sleep(40)
        assert house.shelf.lamps == {"101": (0, 0), "102": (0, 0)}

    house.tell(story)


def test_a_change_while_the_directory_is_down_is_not_forgotten() -> None:
    house = House()

    async def story() -> None:
        await asyncio.sleep(10)
        house.directory.down = True
        house.mailboxes.put(ANNA, a_message("a"))
        house.watch.changed("u101")
        await asyncio.sleep(10)
        house.directory.down = False
        await asyncio.sleep(20)
        assert house.shelf.lamps["101"] == (1, 0)

    house.tell(story)


def test_every_mailbox_is_counted_again_in_rounds_that_are_spread_over_their_time() -> None:
    users = [person(number) for number in range(100, 200)]
    house = House(users=users, tempo=Tempo(round=900))

    async def story() -> None:
        await asyncio.sleep(890)
        house.mailboxes.opened.clear()
        house.mailboxes.put(users[0], a_message("a"))
        await asyncio.sleep(920)
        counted = [when for when, _ in house.mailboxes.opened]
        assert len(counted) in range(98, 103)
        assert counted[60] - counted[10] == pytest.approx(450, abs=1)
        assert house.shelf.lamps["100"] == (1, 0)

    house.tell(story)


def test_after_asterisk_was_away_every_mailbox_is_counted_but_not_all_the_time() -> None:
    """What it is told again at once may be old: another node has counted meanwhile."""
    house = House()

    async def story() -> None:
        house.watch.connected()  # for the first time: everybody is being counted anyway
        await asyncio.sleep(100)
        assert house.witness.met == [2]
        for _ in range(50):
            house.watch.connected()
            await asyncio.sleep(0.1)
        assert house.witness.met == [2, 2]
        await asyncio.sleep(60)
        assert house.witness.met == [2, 2, 2]
        await asyncio.sleep(100)
        assert house.witness.met == [2, 2, 2]

    house.tell(story)


def test_a_round_of_very_many_takes_longer_instead_of_more_power() -> None:
    users = [person(number) for number in range(100, 300)]
    house = House(users=users, tempo=Tempo(round=2, most_a_second=25))

    async def story() -> None:
        await asyncio.sleep(3)
        house.mailboxes.opened.clear()
        await asyncio.sleep(4)
        assert len(house.mailboxes.opened) in range(90, 102)

    house.tell(story)


def test_a_user_who_is_gone_is_forgotten() -> None:
    house = House()

    async def story() -> None:
        house.watch.changed("nobody")
        await house.watch.settled()
        assert house.watch._failed.all() == []

    house.tell(story)


def test_one_that_breaks_unexpectedly_does_not_end_the_watch() -> None:
    class Odd(Mailboxes):
        @asynccontextmanager
        async def open(self, user: User, folder: str = "") -> AsyncIterator[FakeMailbox]:
            if user is ANNA:
                raise RuntimeError("nobody thought of this")
            async with super().open(user) as mailbox:
                yield mailbox

    house = House(mailboxes=Odd())

    async def story() -> None:
        await asyncio.sleep(1)
        house.mailboxes.put(BERT, a_message("a"))
        house.watch.changed("u102")
        await house.watch.settled()
        assert house.shelf.lamps == {"102": (1, 0)}

    house.tell(story)
