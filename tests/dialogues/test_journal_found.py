"""The journal's entry of a message whose call nobody saw to its end."""

import asyncio
from datetime import timedelta

import pytest

from tests.dialogues.exchange import CALLER, START, Exchange, tell
from tests.dialogues.test_journal import HEIR, leaves, only_entry
from tests.dialogues.test_reception import dies_during, finishes
from tests.fakes import FakeCourier
from tests.phone import Phone
from vm_ari.domain.delivery import FallbackFile
from vm_ari.domain.journal import Kind, Result
from vm_ari.domain.recording import Take
from vm_ari.services.message_records import MessageRecords
from vm_ari.services.outbox import Outbox


def outbox_of(site: Exchange) -> Outbox:
    return Outbox(
        site.spool,
        site.directory,
        FakeCourier(site.mailboxes),
        site.clock,
        rules=site.rules,
        host="pbx.example",
        records=MessageRecords(site.notes, "node", site.rules.site),
    )


async def delivers(site: Exchange) -> None:
    """A controller that finishes what the last one has left."""

    async def gone(_: str) -> bool:
        return False

    site.spool.new_controller()
    outbox = outbox_of(site)
    await outbox.adopt(gone)
    running = asyncio.create_task(outbox.run())
    await asyncio.sleep(70)
    running.cancel()
    await asyncio.wait([running])


@pytest.mark.feature_part("STORE-05", "a message that was found after a crash has its entry, once")
@pytest.mark.parametrize("known", [True, False])
def test_a_message_found_after_a_crash_completes_the_entry_of_its_call(known: bool) -> None:
    site = Exchange()

    async def story() -> None:
        line = site.line()
        await dies_during(site, line, 5, 4)
        if known:
            await site.notes.close()
        else:  # the process died before the journal was written
            site.notes._waiting.clear()
        line.caller_hangs_up()
        await delivers(site)

    tell(story())
    entry = only_entry(site)
    assert (entry.kind, entry.result, entry.user_id) == (Kind.CALL, Result.MESSAGE_LEFT, "bert")
    assert entry.delivered
    assert entry.seconds > 3
    assert entry.message_id
    assert entry.caller == CALLER
    assert entry.greeting == ("default" if known else "")
    assert entry.mailbox == "102"


@pytest.mark.feature_part("STORE-05", "a message that the dialplan took alone has its entry, once")
@pytest.mark.parametrize("known", [True, False])
def test_a_message_of_the_dialplan_belongs_to_the_call_that_we_had_begun(known: bool) -> None:
    site = Exchange()
    name = f"{int(START.timestamp())}_fake1_102_030123456_+4930500_Q2FybGE=.wav"

    async def story() -> None:
        if known:  # the controller dies in the greeting, and the call goes to the dialplan
            call = asyncio.create_task(site.call(Phone.hears_the_end, dialled="102"))
            await asyncio.sleep(0.5)
            call.cancel()
            await asyncio.wait([call])
        file = FallbackFile(name, 48_000, START - timedelta(minutes=1))
        site.spool.fallbacks[name] = (file, Take(4, 4))
        await delivers(site)

    tell(story())
    entry = only_entry(site)
    assert (entry.id, entry.result, entry.user_id) == ("node/fake1", Result.MESSAGE_LEFT, "bert")
    assert entry.delivered
    assert entry.caller.number == (CALLER.number if known else "+4930123456")
    assert entry.greeting == ("default" if known else "")


def test_a_caller_who_talks_through_a_restart_has_one_entry() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        await phone.waits(2)
        phone.presses("#")
        await phone.hears_the_end()

    async def story() -> None:
        line = site.line()
        await dies_during(site, line, 5, 4)
        await finishes(site, line, caller, "de")
        await delivers(site)

    tell(story())
    entry = only_entry(site)
    assert (entry.result, entry.user_id, entry.delivered) == (Result.MESSAGE_LEFT, "bert", True)


@pytest.mark.feature_part("STORE-02", "what was left for nobody is the default recipient's")
@pytest.mark.parametrize("away", [True, False])
def test_a_message_for_nobody_is_the_default_recipients(away: bool) -> None:
    site = Exchange(rules=HEIR)

    async def story() -> None:
        site.directory.unavailable = away
        await site.call(leaves, dialled="199" if not away else "101")
        site.directory.unavailable = False
        await delivers(site)

    tell(story())
    entry = only_entry(site)
    wanted = ("anna", False) if away else ("bert", True)
    assert (entry.user_id, entry.entrusted) == wanted
    assert (entry.result, entry.delivered) == (Result.MESSAGE_LEFT, True)
    assert entry.called == ("101" if away else "199")
