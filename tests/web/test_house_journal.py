"""The journal of administrators, and what was left for nobody (STORE-02, STORE-05, UM-02)."""

from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.portal_house import ADAM, ANNA, BERT, CORA, OLGA, House, config_of, in_house
from tests.web.test_matrix import signed_in
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.services.message_records import MessageRecords
from vm_ari.web.visit import own_address
from vm_ari.wiring.journal import open_journal_store

BEGAN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)


async def noted(home: Path, *entries: JournalEntry) -> None:
    store = open_journal_store(config_of(home))
    try:
        await store.write(list(entries))
    finally:
        await store.close()


def call_of(user_id: str) -> JournalEntry:
    return JournalEntry(
        id=f"node/1.{user_id}",
        kind=Kind.CALL,
        started=BEGAN,
        result=Result.HUNG_UP,
        user_id=user_id,
        caller=Caller("+4989123456", f"Caller of {user_id or 'nobody'}"),
    )


@pytest.mark.feature_part("STORE-05", "administrators see the entries of their own users only")
@pytest.mark.feature_part("UM-02", "the journal of all is that of those one may act for")
def test_administrators_see_the_journal_of_their_users_and_of_nobody_else(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await noted(tmp_path, *map(call_of, (ANNA, BERT, CORA, "")))
        seen = {ADAM: {BERT}, OLGA: {ANNA, BERT, ""}}
        for who, theirs in seen.items():
            browser = await signed_in(house, who)
            page = (await browser.sees("/journal")).text
            for user_id in (ANNA, BERT, CORA, ""):
                told = f"Caller of {user_id or 'nobody'}" in page
                assert told is (user_id in theirs), (who, user_id)
            assert own_address("journal", BERT) in page
            chosen = (await browser.sees(f"/journal?user={CORA}")).text
            assert "Caller of" not in chosen
        browser = await signed_in(house, ANNA)
        assert (await browser.sees("/journal")).status_code == HTTPStatus.FORBIDDEN
        bad = await (await signed_in(house, OLGA)).sees("/journal?name=x")
        assert bad.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    in_house(tmp_path, story)


class Notes:
    """A journal that is written at once."""

    def __init__(self, home: Path) -> None:
        self.home = home

    async def note(self, entry: JournalEntry) -> None:
        """See `Journal`."""
        await noted(self.home, entry)


def left_for_nobody() -> VoiceMessage:
    """At a number that no user has."""
    facts = CallFacts(
        id="a" * 16,
        message_id=f"<{'a' * 16}@pbx.example>",
        channel_id="1700000000.7",
        called="+49814247999",
        user_id=None,
        caller=Caller("+4989123456", "Eva Eder"),
        started=BEGAN,
    )
    return VoiceMessage(facts, "", 2.5)


@pytest.mark.feature("STORE-02")
def test_what_was_left_for_nobody_is_in_its_recipients_journal_alone(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        records, message = MessageRecords(Notes(tmp_path), "node"), left_for_nobody()
        operator = await signed_in(house, OLGA)
        await records.found(message)
        for address in ("/journal", own_address("journal", ANNA)):
            assert "Eva Eder" not in (await operator.sees(address)).text
        user = await house.directory.user_by_id(ANNA)
        assert user
        await records.delivered(message, replace(user))
        for address in ("/journal", f"/journal?user={ANNA}", own_address("journal", ANNA)):
            assert "Eva Eder" not in (await operator.sees(address)).text, address
        anna = await signed_in(house, ANNA)
        assert "Eva Eder" in (await anna.sees("/me/journal")).text
        found = await operator.sees(own_address("journal/message?of=node/1700000000.7", ANNA))
        assert found.status_code == HTTPStatus.NOT_FOUND

    in_house(tmp_path, story)
