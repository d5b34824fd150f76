"""One entry of many tales, whoever tells them first; words and numbers that are looked for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce

import pytest

from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import (
    BadSearch,
    JournalEntry,
    Kind,
    Result,
    Teller,
    merged,
    name_terms,
    number_terms,
    terms_of,
    words,
)
from vm_ari.domain.numbers import Site

START = datetime(2026, 3, 4, 12, tzinfo=UTC)
BEGUN = JournalEntry("n/1", Kind.CALL, START, caller=Caller("+49301234567"), called="101")
GREETED = replace(BEGUN, user_id="anna", mailbox="101", greeting="default", why="So.")
OVER = replace(GREETED, ended=START + timedelta(seconds=40))
FOUND = replace(
    BEGUN,
    result=Result.MESSAGE_LEFT,
    message_id="<1@pbx>",
    seconds=3.0,
    user_id="anna",
    told_by=Teller.OUTBOX,
)
GIVEN = replace(FOUND, user_id="bert", mailbox="102", delivered=True, entrusted=True)


def interleaved(
    first: Sequence[JournalEntry], second: Sequence[JournalEntry]
) -> Iterator[tuple[JournalEntry, ...]]:
    """Every order in which both can be told."""
    if not first or not second:
        yield (*first, *second)
        return
    for rest in interleaved(first[1:], second):
        yield (first[0], *rest)
    for rest in interleaved(first, second[1:]):
        yield (second[0], *rest)


@pytest.mark.parametrize("result", list(Result))
def test_the_order_of_the_tales_does_not_matter(result: Result) -> None:
    call = (BEGUN, GREETED, replace(OVER, result=result))
    [entry] = {reduce(merged, order) for order in interleaved(call, (FOUND, GIVEN, FOUND))}
    assert entry == replace(
        OVER,
        result=Result.MESSAGE_LEFT,
        user_id="bert",
        mailbox="102",
        entrusted=True,
        delivered=True,
        message_id="<1@pbx>",
        seconds=3.0,
    )


def test_a_call_that_was_broken_off_keeps_what_is_known() -> None:
    for order in interleaved((BEGUN, GREETED), (FOUND, GIVEN)):
        entry = reduce(merged, order)
        assert (entry.greeting, entry.user_id, entry.ended) == ("default", "bert", None)
        assert entry.result is Result.MESSAGE_LEFT
    assert merged(BEGUN, GREETED) == GREETED
    assert merged(GREETED, OVER) == OVER
    assert merged(OVER, OVER) == OVER


def test_an_orphan_that_said_nothing_does_not_take_the_greeting_away() -> None:
    orphan = replace(BEGUN, result=Result.NOTHING_SAID, ended=START, told_by=Teller.OUTBOX)
    entry = merged(GREETED, orphan)
    assert entry == replace(GREETED, result=Result.NOTHING_SAID, ended=START)


def test_an_orphan_of_whom_nothing_is_known_does_not_take_the_caller_away() -> None:
    orphan = JournalEntry("n/1", Kind.CALL, START + timedelta(seconds=9), told_by=Teller.OUTBOX)
    over = replace(orphan, result=Result.LEFT_TO_DIALPLAN, ended=START + timedelta(seconds=10))
    for order in interleaved((orphan, over), (FOUND, GIVEN)):
        assert reduce(merged, order) == replace(GIVEN, ended=over.ended)


def test_names_are_found_whatever_their_accents() -> None:
    assert words("  Jörg MÜLLER-Lüdenscheidt, Åse ") == (
        *("jorg", "muller", "ludenscheidt", "ase"),
    )
    entry = replace(BEGUN, caller=Caller("", "Jörg Müller"), called="+4930555101")
    assert terms_of(entry) == {"w jorg", "w muller", "n +4930555101"}
    assert name_terms("MÜL jor") == ("w mul", "w jor")
    assert name_terms(" ") == ()
    for short in ("mu", "jorg m", "…"):
        with pytest.raises(BadSearch, match="at least 3 letters"):
            name_terms(short)
    assert len(words("a" * 10 + " b" * 500)) <= 12


def test_numbers_are_found_in_any_spelling() -> None:
    sites = (Site(base_number="+4930555"), Site(region="AT", base_number="+431555"))
    for text in ("030 555-101", "+49 30 555101", "0049 (0)30 555 101"):
        assert {"n +4930555101", "n 101"} <= number_terms(text, sites), text
    assert {"n +4930555101", "n +431555101", "n 101"} <= number_terms("101", sites)
    with pytest.raises(BadSearch, match="no telephone number"):
        number_terms("Anna", sites)
