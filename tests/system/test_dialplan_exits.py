"""How a call goes on in the dialplan that called us: status, operator, assistant, login."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.system.callers import BEEP, Caller, assert_kept, babble, calling
from tests.system.mails import arrived, mails
from tests.system.worlds import NewWorld, somebody
from vm_ari.demo.world import World

# a spoken digit tells where the dialplan went:
# 1 SUCCESS, 2 USEREXIT, 3 FAILED, 4 o, 5 a, 6 back, 7 NOMAILBOX
OFFICE = """
[office]
exten => _0.,1,Gosub(vm-ari,${FILTER(0-9,${EXTEN:1})},1)
 same => n,ExecIf($["${VM_ARI_STATUS}"="SUCCESS"]?Playback(${VM_ARI_SOUNDS}/de/digits/1))
 same => n,ExecIf($["${VM_ARI_STATUS}"="USEREXIT"]?Playback(${VM_ARI_SOUNDS}/de/digits/2))
 same => n,ExecIf($["${VM_ARI_STATUS}"="FAILED"]?Playback(${VM_ARI_SOUNDS}/de/digits/3))
 same => n,ExecIf($["${VM_ARI_STATUS}"="NOMAILBOX"]?Playback(${VM_ARI_SOUNDS}/de/digits/7))
 same => n,Playback(${VM_ARI_SOUNDS}/de/digits/6)
 same => n,Hangup()
exten => _1.,1,Set(VM_ARI_CONTEXT=both)
 same => n,Goto(vm-ari,${EXTEN:1},1)
exten => _2.,1,Gosub(both,${EXTEN:1},1)
 same => n,Playback(${VM_ARI_SOUNDS}/de/digits/6)
 same => n,Hangup()
exten => 700,1,Goto(vm-ari-login,s,1)
[both]
exten => _X.,1,Gosub(vm-ari,${EXTEN},1)
 same => n,Return()
exten => o,1,Playback(${VM_ARI_SOUNDS}/de/digits/4)
 same => n,Hangup()
exten => a,1,Playback(${VM_ARI_SOUNDS}/de/digits/5)
 same => n,Hangup()
"""


@pytest.fixture(scope="module")
def office(new_world: NewWorld) -> Iterator[World]:
    """A world whose trunk leads into a dialplan of the site's own."""
    shared = new_world(trunk_context="office", extra_configuration={"extensions.conf": OFFICE})
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


def test_after_a_message_the_dialplan_goes_on_with_success(office: World) -> None:
    async def scenario() -> None:
        person, said = await somebody(office), babble(2.5, 1)
        async with (
            office.outside_phone() as phone,
            calling(phone, f"0{person.extension}") as caller,
        ):
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(said)
            await caller.presses("#1")
            await caller.hears("thank-you-goodbye", "digits/1", "digits/6")
            await caller.is_hung_up_on()
        [mail] = await arrived(office, person)
        assert_kept(said, mail.audio)

    asyncio.run(scenario())


async def _ending(office: World, target: str, keys: str) -> list[str]:
    """What is heard last by a caller who presses keys during the greeting."""
    async with office.outside_phone() as phone, calling(phone, target) as caller:
        await caller.hears("you-have-reached")
        await caller.presses(keys)
        await caller.is_hung_up_on()
        return caller.told()


@pytest.mark.feature_part("CALL-12", "the key leads to the dialplan's operator extension")
def test_keys_lead_to_operator_and_assistant_where_the_dialplan_has_them(office: World) -> None:
    async def scenario() -> None:
        person = await somebody(office)
        ways = [("1", "9"), ("1", "*"), ("2", "9"), ("2", "*")]
        told = await asyncio.gather(
            *(_ending(office, digit + person.extension, key) for digit, key in ways)
        )
        assert [heard[-1] for heard in told] == ["digits/4", "digits/5"] * 2
        assert all(BEEP not in heard for heard in told)
        assert mails(office, person) == []

    asyncio.run(scenario())


def test_without_such_extensions_the_operator_key_is_not_used(office: World) -> None:
    async def scenario() -> None:
        person = await somebody(office)
        async with (
            office.outside_phone() as phone,
            calling(phone, f"0{person.extension}") as caller,
        ):
            await caller.presses("9")
            await caller.hears("you-have-reached", "leave-a-message", BEEP)

    asyncio.run(scenario())


@pytest.mark.feature_part("CALL-09", "the dialplan is told that there is no such mailbox")
def test_a_mailbox_that_does_not_exist_is_told_to_the_dialplan(office: World) -> None:
    async def scenario() -> None:
        async with office.outside_phone() as phone, calling(phone, "0999") as caller:
            await caller.hears("unknown-mailbox", "goodbye", "digits/7", "digits/6")

    asyncio.run(scenario())


@pytest.mark.feature_part("CALL-08", "the common number asks for mailbox and PIN")
def test_the_common_number_asks_for_mailbox_and_pin(office: World) -> None:
    async def scenario() -> None:
        person = await somebody(office, "en")
        async with office.outside_phone() as phone, calling(phone, "700") as caller:
            await caller.hears("enter-mailbox")
            await caller.presses(f"{person.extension}#")
            await caller.hears("enter-pin")
            await caller.presses(f"{person.pin}#")
            english = Caller(caller.call, "en", caller.number)
            await english.hears("you-have", "new-voice-message/none")
            await english.presses("#")
            await english.hears("goodbye")
            await english.is_hung_up_on()

    asyncio.run(scenario())
