"""What is remembered of notices: durable, and right with several controllers at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from vm_ari.adapters.notification_state import DatabaseNoticeBook
from vm_ari.domain.messages import Counts
from vm_ari.domain.notifications import Announcement, Channel, State, Tally, Topic, Wishes, judge
from vm_ari.ports import NoticeBookUnavailable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = Announcement(
    "0" * 24,
    "anna",
    "here",
    NOW,
    Counts(new_voice=2, urgent_voice=1, new_other=1, new_fax=1),
    {Channel.MAIL: {Topic.VOICE: 2, Topic.FAX: 1}, Channel.SMS: {Topic.VOICE: 2}},
)
FIRST: State = {Topic.VOICE: Tally(seen=2, base=1, ahead=1, dark=True), Topic.FAX: Tally()}


def on_book(*urls: str, story: Callable[..., Awaitable[None]]) -> None:
    """Run a story on the books of several controllers."""

    async def run() -> None:
        books = [DatabaseNoticeBook(url) for url in urls]
        try:
            await story(*books)
        finally:
            for book in books:
                await book.close()

    asyncio.run(run())


async def keep(book: DatabaseNoticeBook, state: State, *made: Announcement) -> None:
    one = next(iter(made), None)
    await book.note("anna", lambda _: (state, one))


async def remembered(book: DatabaseNoticeBook, user_id: str = "anna") -> State | None:
    """Without changing it."""
    found: list[State | None] = []

    def look(before: State | None) -> tuple[State, None]:
        found.append(before)
        return before or {}, None

    await book.note(user_id, look)
    return found[0]


class BookContract:
    """The promises of the port."""

    def test_what_is_noted_is_there_after_a_restart(self, url: str) -> None:
        async def first(book: DatabaseNoticeBook) -> None:
            assert await remembered(book, "bert") is None
            await keep(book, FIRST, ONE)

        async def second(book: DatabaseNoticeBook) -> None:
            assert await remembered(book) == FIRST
            assert await book.unfinished("here", NOW) == [ONE]

        on_book(url, story=first)
        on_book(url, story=second)

    def test_an_announcement_is_forgotten_with_its_last_channel(self, url: str) -> None:
        async def story(book: DatabaseNoticeBook) -> None:
            await keep(book, FIRST, ONE)
            await book.taken(ONE.id, Channel.SMS)
            await book.taken(ONE.id, Channel.SMS)
            [left] = await book.unfinished("here", NOW)
            assert set(left.due) == {Channel.MAIL}
            await book.taken(ONE.id, Channel.MAIL)
            await book.taken(ONE.id, Channel.MAIL)
            assert await book.unfinished("here", NOW) == []

        on_book(url, story=story)

    def test_what_another_controller_has_left_is_seen_later(self, url: str) -> None:
        async def story(book: DatabaseNoticeBook) -> None:
            await keep(book, FIRST, ONE)
            assert await book.unfinished("there", NOW - timedelta(minutes=1)) == []
            assert await book.unfinished("there", NOW + timedelta(minutes=1)) == [ONE]

        on_book(url, story=story)

    def test_of_two_controllers_that_count_the_same_one_announces(self, url: str) -> None:
        wishes = {Topic.VOICE: Wishes((Channel.MAIL,))}
        rounds = 8

        async def count(book: DatabaseNoticeBook, node: str, number: int) -> None:
            counts = Counts(new_voice=number)

            def decide(before: State | None) -> tuple[State, Announcement | None]:
                outcome = judge(before, counts, wishes)
                name = f"{number}-{node}"
                made = Announcement(name, "anna", node, NOW, counts, outcome.due)
                return outcome.state, made if outcome.due else None

            await book.note("anna", decide)

        async def story(one: DatabaseNoticeBook, other: DatabaseNoticeBook) -> None:
            await count(one, "one", 0)
            for number in range(1, rounds + 1):
                await asyncio.gather(count(one, "one", number), count(other, "other", number))
            told = await one.unfinished("one", NOW + timedelta(days=1))
            numbers = sorted(each.counts.new_voice for each in told)
            assert numbers == list(range(1, rounds + 1))

        on_book(url, url, story=story)

    def test_a_change_of_many_is_seen_by_all_controllers(self, url: str) -> None:
        async def story(one: DatabaseNoticeBook, other: DatabaseNoticeBook) -> None:
            for user in ("anna", "bert", "carl"):
                await one.note(user, lambda _: (FIRST, None))
            mark, _users = await other.changed_since(0)
            assert await one.change(Tally.reset, ["anna", "carl", "nobody"]) == 2
            now, users = await other.changed_since(mark)
            assert (now > mark, users) == (True, ["anna", "carl"])
            assert await other.changed_since(now) == (now, ())
            state = await remembered(other, "carl")
            assert state
            assert state[Topic.VOICE] == Tally(seen=2, base=2, ahead=1, dark=True)
            assert await remembered(other, "bert") == FIRST
            assert await one.change(Tally.switched_off) == 3

        on_book(url, url, story=story)


class TestOnSqlite(BookContract):
    """The contract on SQLite."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/notices.db"


class TestOnPostgres(BookContract):
    """The contract on PostgreSQL."""

    @pytest.fixture
    def url(self, postgres_url: str) -> str:
        engine = create_engine(postgres_url)
        with engine.begin() as db:
            for table in ("notification_states", "notification_announcements"):
                db.execute(text(f"DROP TABLE IF EXISTS {table}"))
        engine.dispose()
        return postgres_url


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "notices.db").mkdir()

    async def story(book: DatabaseNoticeBook) -> None:
        with pytest.raises(NoticeBookUnavailable, match="database of notices"):
            await keep(book, FIRST)

    on_book(f"sqlite:///{tmp_path}/notices.db", story=story)


def test_a_damaged_row_is_a_first_look(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/notices.db"
    on_book(url, story=lambda book: keep(book, FIRST))
    engine = create_engine(url)
    with engine.begin() as db:
        db.execute(text("UPDATE notification_states SET topics = 'x'"))
    engine.dispose()

    async def story(book: DatabaseNoticeBook) -> None:
        assert await remembered(book) is None
        await keep(book, FIRST)
        assert await remembered(book) == FIRST

    on_book(url, story=story)
