"""Deleted messages: in a folder, or gone for good at the end of the call (INBOX-06)."""

from dataclasses import replace

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, Exchange, logged_in
from tests.dialogues.listening import A, B, C, at_audio, at_heading, at_options, inbox_of
from tests.phone import Phone
from vm_ari.domain.settings import Deletion
from vm_ari.speech.catalogue import P


def deleted(site: Exchange) -> list[str]:
    """Uids in the folder of deleted messages."""
    return sorted(site.mailboxes.deleted.get(ANNA.id, {}))


def left(site: Exchange) -> list[str]:
    """Uids in the inbox."""
    return sorted(message.uid for message in site.mailboxes.of(ANNA))


@pytest.mark.feature_part("INBOX-06", "delete removes for good, at the end of the call")
@pytest.mark.parametrize("deletion", Deletion)
@pytest.mark.parametrize("end", ["hang up", "end key", "silence"])
def test_at_the_end_of_the_call_it_is_decided(deletion: Deletion, end: str) -> None:
    site = inbox_of(deletion=deletion)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        phone.presses("67")
        await phone.hears(P.MESSAGE_DELETED, P.TO_UNDELETE)
        assert deleted(site) == ["a", "b"]
        assert site.lamps.shown == {"101": (1, 0)}, "at once, whatever happens later"
        match end:
            case "hang up":
                phone.hangs_up()
            case "end key":
                phone.presses("*#")
        await phone.hears_the_end()

    logged_in(site, caller)
    assert deleted(site) == (["a", "b"] if deletion is Deletion.FOLDER else [])
    assert left(site) == ["c"]


@pytest.mark.feature_part("INBOX-06", "undelete works although it is for good")
def test_what_was_brought_back_stays() -> None:
    site = inbox_of(deletion=Deletion.FOR_GOOD)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        phone.presses("67")
        await phone.hears(P.MESSAGE_DELETED)
        phone.presses("4")
        await at_heading(phone, 1)
        await at_audio(phone)
        phone.presses("7")
        await phone.hears(P.MESSAGE_RESTORED)
        phone.hangs_up()

    logged_in(site, caller)
    assert left(site) == ["a", "c"]
    assert deleted(site) == []


def test_what_was_deleted_before_the_call_stays_where_it_is() -> None:
    site = inbox_of(deletion=Deletion.FOR_GOOD)
    site.mailboxes.deleted[ANNA.id] = {"old": replace(C, uid="old")}

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        phone.hangs_up()

    logged_in(site, caller)
    assert deleted(site) == ["old"]


@pytest.mark.feature_part("INBOX-06", "nothing is lost when the store is away")
def test_a_store_that_is_away_at_the_end_keeps_the_message(logs: Logs) -> None:
    site = inbox_of(A, B, deletion=Deletion.FOR_GOOD)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        site.mailboxes.unavailable = True
        phone.hangs_up()

    logged_in(site, caller)
    assert deleted(site) == ["a"]
    assert "deleted message not removed" in [entry["event"] for entry in logs]


def test_somebody_else_may_have_removed_it_first(logs: Logs) -> None:
    site = inbox_of(A, B, deletion=Deletion.FOR_GOOD)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        site.mailboxes.lose(ANNA, "a")
        phone.hangs_up()

    logged_in(site, caller)
    assert left(site) == ["b"]
    assert not logs
