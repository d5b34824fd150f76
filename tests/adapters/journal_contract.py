"""What every store of the journal keeps: inherit and give the *tell*."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fake_journal import FakeJournalStore
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import (
    JournalEntry,
    Kind,
    Result,
    Search,
    Teller,
    Viewer,
    name_terms,
    number_terms,
)
from vm_ari.domain.numbers import Site
from vm_ari.ports import JournalStore

Tell = Callable[[Callable[[JournalStore], Awaitable[Any]]], Any]
"""Runs a story on the store under test, whose content stays from story to story of one test."""

NOON = datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)
SITE = Site(base_number="+4930555")
ANNA, BERT, OPERATOR = Viewer("anna"), Viewer("bert"), Viewer("olga", everybody=True)


def entry(number: int = 1, **facts: Any) -> JournalEntry:
    """A call for Anna; higher numbers are later, by a minute each."""
    return replace(
        JournalEntry(
            id=f"node/{number:06}",
            kind=Kind.CALL,
            started=NOON + timedelta(minutes=number),
            ended=NOON + timedelta(minutes=number, seconds=30),
            result=Result.HUNG_UP,
            user_id="anna",
            mailbox="101",
            caller=Caller("+49891234567", "Jörg Müller"),
            called="+4930555101",
        ),
        **facts,
    )


WHOLE = entry(
    7,
    result=Result.MESSAGE_LEFT,
    withheld=True,
    redirected_from="+4930555102",
    greeting="profile",
    profile="work",
    why="The active profile is work.",
    connected_with="+4930555103",
    message_id="<7@pbx.example>",
    seconds=2.5,
    partial=True,
    delivered=True,
    entrusted=True,
    node="node",
    cost_centre="4711-B",
    told_by=Teller.OUTBOX,
)


class JournalContract:
    """The promises of the port `JournalStore`."""

    @pytest.fixture
    def tell(self) -> Tell:
        raise NotImplementedError

    def test_what_was_written_is_there_as_it_was(self, tell: Tell) -> None:
        async def story(store: JournalStore) -> None:
            assert await store.entry(WHOLE.id) is None
            await store.write([WHOLE, entry(8, ended=None)])
            await store.write([])

        tell(story)
        assert tell(lambda store: store.entry(WHOLE.id)) == WHOLE
        assert tell(lambda store: store.entry(entry(8).id)) == entry(8, ended=None)

    def test_several_tales_of_one_call_make_one_entry(self, tell: Tell) -> None:
        begun = entry(ended=None, result=Result.UNKNOWN, user_id="", mailbox="")
        kept = replace(
            begun,
            result=Result.MESSAGE_LEFT,
            message_id="<1@pbx>",
            told_by=Teller.OUTBOX,
            caller=Caller(),
        )
        got = replace(kept, user_id="bert", mailbox="102", delivered=True, entrusted=True)
        over = entry(result=Result.MESSAGE_LEFT, message_id="<1@pbx>")
        wanted = replace(over, user_id="bert", mailbox="102", delivered=True, entrusted=True)

        async def story(store: JournalStore) -> list[JournalEntry]:
            await store.write([begun, kept])
            await store.write([over])
            await store.write([got])
            await store.write([kept])  # after a restart the outbox finds it again
            return list(await store.page(BERT, Search()))

        assert tell(story) == [wanted]

    def test_pages_go_on_where_the_last_one_ended(self, tell: Tell) -> None:
        entries = [entry(number) for number in range(25)]
        same_moment = [entry(100 + n, started=NOON) for n in range(5)]

        async def story(store: JournalStore) -> list[JournalEntry]:
            await store.write([*entries, *same_moment])
            seen: list[JournalEntry] = []
            while page := await store.page(ANNA, Search(), after=_last(seen), limit=7):
                seen += page
                if len(seen) == 7:  # a newer one comes meanwhile: nothing is seen twice
                    await store.write([entry(200)])
            return seen

        by_place = sorted([*entries, *same_moment], key=lambda e: (e.started, e.id), reverse=True)
        assert tell(story) == by_place

    def test_everybody_sees_only_what_he_may(self, tell: Tell) -> None:
        own, others = entry(1), entry(2, user_id="bert")
        entrusted, nobodys = entry(3, user_id="bert", entrusted=True), entry(4, user_id="")

        async def story(store: JournalStore) -> list[list[str]]:
            await store.write([own, others, entrusted, nobodys])
            viewers = (ANNA, BERT, OPERATOR, Viewer("eve"), Viewer(""), ADMIN)
            return [[e.id[-1] for e in await store.page(who, Search())] for who in viewers]

        assert tell(story) == [["1"], ["3", "2"], ["4", "2", "1"], [], [], ["2", "1"]]

    def test_odd_texts_are_only_texts(self, tell: Tell) -> None:
        odd = entry(
            1, id="node/'; --", user_id="a'%_\0", called="\udcff" * 4, why="x" * 5000, profile="�"
        )

        async def story(store: JournalStore) -> list[str]:
            await store.write([odd])
            seen = await store.page(Viewer(odd.user_id), Search())
            assert await store.remove([odd.id]) == 1
            return [e.id for e in seen]

        assert tell(story) == [odd.id]

    def test_searches_find_what_a_look_at_every_entry_finds(self, tell: Tell) -> None:
        chance = random.Random(7)
        entries = [_random_entry(chance, number) for number in range(300)]
        searches = [_random_search(chance) for _ in range(80)]

        async def story(store: JournalStore) -> list[list[str]]:
            await store.write(entries)
            return [await _ids(store, *search) for search in searches]

        plain = FakeJournalStore(entries={e.id: e for e in entries})
        found = tell(story)
        expected = tell(lambda _: _all_of(plain, searches))
        assert found == expected
        assert sum(map(bool, found)) > 30

    def test_numbers_are_shortened_once_and_found_no_more(self, tell: Tell) -> None:
        end = NOON + timedelta(minutes=3)
        numbers = number_terms("089 1234567", [SITE])

        async def story(store: JournalStore) -> tuple[list[int], list[JournalEntry], list[str]]:
            await store.write([entry(n) for n in range(1, 6)])
            counts = [await store.shorten(end, 1) for _ in range(3)]
            found = await store.page(ANNA, Search(), numbers=numbers)
            return counts, list(await store.oldest(end, 9)), [e.id for e in found]

        counts, short, found = tell(story)
        assert counts == [1, 1, 0]
        assert [e.caller for e in short] == [Caller("…567")] * 2
        assert [e.called for e in short] == ["+4930555101"] * 2
        assert found == [entry(n).id for n in (5, 4, 3)]

    def test_the_oldest_go_first(self, tell: Tell) -> None:
        async def story(store: JournalStore) -> list[JournalEntry]:
            await store.write([entry(n) for n in range(6)])
            oldest = await store.oldest(NOON + timedelta(minutes=4), 3)
            assert await store.remove([e.id for e in oldest] + ["no/such"]) == 3
            return list(await store.page(ANNA, Search()))

        assert tell(story) == [entry(n) for n in (5, 4, 3)]


ADMIN = Viewer("eve", people=frozenset({"anna", "bert"}))


def _last(seen: list[JournalEntry]) -> tuple[datetime, str] | None:
    return (seen[-1].started, seen[-1].id) if seen else None


NAMES = ("Jörg Müller", "Mueller, J.", "MÜLLNER & Söhne", "", "Åse Ærø", "李 小龙")
NUMBERS = ("+49891234567", "+4930555102", "102", "", "+4930555103", "030555104")


def _random_entry(chance: random.Random, number: int) -> JournalEntry:
    return entry(
        number,
        started=NOON + timedelta(minutes=chance.randrange(50)),
        kind=chance.choice(list(Kind)),
        result=chance.choice(list(Result)),
        user_id=chance.choice(("anna", "anna", "bert", "")),
        caller=Caller(chance.choice(NUMBERS), chance.choice(NAMES)),
        called=chance.choice(NUMBERS),
        message_id=chance.choice(("", f"<{number}@pbx>")),
        entrusted=chance.random() < 0.2,
    )


def _random_search(chance: random.Random) -> tuple[Viewer, Search]:
    def maybe(*values: Any) -> Any:
        return chance.choice(values) if chance.random() < 0.3 else None

    search = Search(
        user_id=maybe("anna", "bert", "nobody") or "",
        number=maybe("089/1234567", "102", "103", "+49 30 555 102", "0177") or "",
        name=maybe("jorg", "MÜL", "mueller", "müll joerg", "söh", "ase", "李小龙") or "",
        kind=maybe(*Kind),
        result=maybe(*Result),
        since=maybe(NOON + timedelta(minutes=20)),
        until=maybe(NOON + timedelta(minutes=35)),
        with_message=chance.random() < 0.3,
    )
    return chance.choice((ANNA, BERT, OPERATOR, OPERATOR, ADMIN)), search


async def _ids(store: JournalStore, viewer: Viewer, search: Search) -> list[str]:
    numbers = number_terms(search.number, [SITE]) if search.number else ()
    seen: list[JournalEntry] = []
    for _ in range(3):
        names = name_terms(search.name)
        seen += await store.page(
            viewer, search, numbers=numbers, names=names, after=_last(seen), limit=5
        )
    return [e.id for e in seen]


async def _all_of(store: JournalStore, searches: list[tuple[Viewer, Search]]) -> list[list[str]]:
    return [await _ids(store, *search) for search in searches]
