"""Calls that bring a fax, from both ends on the virtual clock (UM-04)."""

from dataclasses import replace

import pytest

from tests.dialogues.exchange import ANNA, Exchange, tell
from tests.phone import Phone
from vm_ari.domain.journal import JournalEntry, Kind, Result, Teller, merged
from vm_ari.domain.redirection import Hop, Redirection, Source
from vm_ari.domain.users import User

HEARS_FAX = replace(ANNA, fax_on_voice_number=True)
FAX_ONLY = replace(ANNA, fax_numbers=("101",))


async def listens(phone: Phone) -> None:
    await phone.hears_the_end()


async def sends_tone(phone: Phone) -> None:
    await phone.waits(2.5)
    phone.sends_fax_tone()
    await phone.hears_the_end()


async def sends_tone_after_the_beep(phone: Phone) -> None:
    phone.presses("0")
    await phone.is_recorded()
    await phone.waits(0.5)
    phone.sends_fax_tone()
    await phone.hears_the_end()


def the_entry(site: Exchange) -> JournalEntry:
    [entry] = site.noted()
    return entry


def test_a_call_to_a_fax_number_goes_to_the_dialplan_without_a_word() -> None:
    site = Exchange(users=(FAX_ONLY,))
    told = site.phone_call(listens)
    assert told.channel.left == ("FAX", "")
    assert told.channel.listens_for_fax == "101"  # the dialplan knows whose it is
    assert told.phone.heard_names() == []
    entry = the_entry(site)
    assert (entry.kind, entry.result) == (Kind.FAX, Result.LEFT_TO_DIALPLAN)
    assert entry.user_id == "anna"


@pytest.mark.parametrize("machine", [sends_tone, sends_tone_after_the_beep])
def test_a_fax_machine_on_a_voice_number_is_handed_over(machine: object) -> None:
    site = Exchange(users=(HEARS_FAX,))
    told = site.phone_call(machine)  # type: ignore[arg-type]  # one of the two above
    assert told.channel.listens_for_fax == "101"
    assert told.phone.heard_names()
    assert site.messages == []
    entry = the_entry(site)
    assert (entry.kind, entry.result) == (Kind.FAX, Result.LEFT_TO_DIALPLAN)


def test_what_was_said_before_the_tone_is_kept() -> None:
    async def speaks_first(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(7)
        phone.sends_fax_tone()
        await phone.hears_the_end()

    site = Exchange(users=(HEARS_FAX,))
    site.phone_call(speaks_first)
    assert site.messages == [7]
    assert the_entry(site).result is Result.MESSAGE_LEFT


def test_who_has_no_fax_is_not_listened_for() -> None:
    async def machine(phone: Phone) -> None:
        phone.presses("0")
        await phone.is_recorded()
        phone.sends_fax_tone()
        await phone.talks(7)
        phone.hangs_up()

    site = Exchange()
    told = site.phone_call(machine)
    assert told.channel.listens_for_fax == ""
    assert site.messages == [7]


@pytest.mark.parametrize(
    ("user", "status"), [(ANNA, "SUCCESS"), (HEARS_FAX, "FAX"), (FAX_ONLY, "FAX")]
)
def test_the_dialplan_asks_whether_a_heard_fax_is_wanted(user: User, status: str) -> None:
    told = Exchange(users=(user,)).phone_call(listens, purpose="fax")
    assert told.channel.left == (status, "")
    assert told.phone.heard_names() == []


def test_a_directory_that_is_away_costs_no_fax() -> None:
    async def story() -> tuple[str, str] | None:
        site = Exchange()
        site.directory.unavailable = True
        return (await site.call(listens, purpose="fax")).channel.left

    assert tell(story()) == ("FAX", "")


def test_a_call_to_the_common_number_brings_a_fax_for_the_mailbox_that_was_meant() -> None:
    site = Exchange(users=(FAX_ONLY,))
    sent_on = Redirection((Hop("101", Source.DIVERSION),), certain=True)
    told = site.phone_call(listens, dialled="999", purpose="common", redirection=sent_on)
    assert told.channel.left == ("FAX", "")
    assert told.channel.listens_for_fax == "101"


def test_the_outbox_completes_the_entry_of_the_call() -> None:
    site = Exchange(users=(HEARS_FAX,))
    site.phone_call(sends_tone)
    seen = the_entry(site)
    kept = replace(
        seen,
        kind=Kind.FAX,
        result=Result.FAX_RECEIVED,
        why="3 pages, T.38",
        message_id="<x@y>",
        told_by=Teller.OUTBOX,
        user_id="",
        ended=None,
    )
    for entry in (merged(seen, kept), merged(kept, seen)):
        assert (entry.kind, entry.result, entry.why) == (Kind.FAX, Result.FAX_RECEIVED, kept.why)
        assert (entry.user_id, entry.message_id) == ("anna", "<x@y>")
    nothing = replace(kept, result=Result.FAILED, why="0 pages", message_id="")
    assert (merged(nothing, seen).result, merged(seen, nothing).why) == (Result.FAILED, "0 pages")
    voice = replace(seen, kind=Kind.CALL, result=Result.MESSAGE_LEFT)
    assert merged(voice, kept).result is Result.FAX_RECEIVED
