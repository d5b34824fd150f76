"""Whatever a caller claims to be, the PIN is asked; only the owner's own telephone needs none."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.system.callers import NotHeard, babble, calling, side_by_side
from tests.system.mails import arrived
from tests.system.test_redirection import COMMON, OFFICE
from tests.system.test_remote_inquiry import leave
from tests.system.worlds import NewWorld
from vm_ari.adapters.softphone import CallRefused
from vm_ari.demo.world import World
from vm_ari.domain.login_phones import ListedPhone, LoginFrom, PhoneLogin

MOBILE, HOME = "+4915112345678", "+4930998877"
REMOTE_INQUIRY = "700"
TELEPHONES = {"101", "102"}
TRUNK = OFFICE.replace("[office]", "[office]\nexten => 700,1,Goto(vm-ari-login,s,1)")
TRUSTING = {
    "login_from": LoginFrom.NOWHERE,
    "login_office": PhoneLogin.NO_PIN,
    "login_mobile": PhoneLogin.NO_PIN,
    "login_numbers": (ListedPhone(HOME, PhoneLogin.NO_PIN), ListedPhone("102", PhoneLogin.NO_PIN)),
    "mobile": MOBILE,
}
"""Whoever is believed to call from one of these telephones is in."""
Header = tuple[str, str]


@pytest.fixture(scope="module")
def office(new_world: NewWorld) -> Iterator[World]:
    """A world whose trunk and phones reach remote inquiry; Anna needs no PIN from her telephones,
    and Ben none from his."""
    shared = new_world(trunk_context="office", extra_configuration={"extensions.conf": TRUNK})
    anywhere = {**TRUSTING, "login_from": LoginFrom.ANYWHERE}
    shared.anna = replace(shared.anna, settings=anywhere)
    shared.ben = replace(shared.ben, language="de", settings=TRUSTING | {"login_numbers": ()})
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


def claims(number: str) -> dict[str, dict[str, Any]]:
    """Every place where a call can name a number."""

    def header(*lines: Header) -> dict[str, Any]:
        return {"headers": list(lines)}

    uri = f"<sip:{number}@localhost>"
    asserted = ("P-Asserted-Identity", uri)
    return {
        "From": {"number": number},
        "From with a name": {"number": number, "from_name": number},
        "P-Asserted-Identity": header(asserted),
        "P-Preferred-Identity": header(("P-Preferred-Identity", uri)),
        "Remote-Party-ID": header(("Remote-Party-ID", f"{uri};party=calling;screen=yes")),
        "Diversion": header(("Diversion", f"{uri};reason=unconditional;screen=yes")),
        "all of them": {
            "number": number,
            "headers": [
                asserted,
                ("Remote-Party-ID", f"{uri};party=calling;screen=yes;privacy=off"),
                ("Contact-Info", uri),
                ("X-VM-ARI-Phone", number),
                ("VM_ARI_PHONE", number),
            ],
        },
    }


async def gets_in(world: World, target: str, how: dict[str, Any]) -> bool:
    """A stranger behind the trunk wants to get into Anna's mailbox, and must type the PIN; has he
    heard anything of it before?"""
    async with world.outside_phone() as phone, calling(phone, target, **how) as caller:
        if target == world.anna.number:
            await caller.presses("*")
        else:
            await caller.hears("enter-mailbox")
            await caller.presses(f"{world.anna.extension}#")
        await caller.hears("enter-pin")
        return caller.has_heard("you-have")


@pytest.mark.feature("LOGIN-06")
@pytest.mark.parametrize("number", ["101", "+49305550101", MOBILE, HOME, "102"])
def test_whoever_claims_to_be_the_owner_is_asked_for_the_pin(office: World, number: str) -> None:
    async def one(way: str, target: str, how: dict[str, Any]) -> tuple[str, str, bool]:
        try:
            inside = await gets_in(office, target, how)
        except CallRefused as refused:
            if how.get("number") == number in TELEPHONES:
                return way, target, False  # that SIP address needs the telephone's password
            raise AssertionError(f"{way}, {target}: {refused}") from refused
        except NotHeard as error:
            raise AssertionError(f"{way}, {target}: {error}") from error
        return way, target, inside

    wanted = (
        one(way, target, how)
        for way, how in claims(number).items()
        for target in (REMOTE_INQUIRY, office.anna.number)
    )
    assert [each for each in asyncio.run(side_by_side(wanted, at_once=7)) if each[2]] == []


@pytest.mark.feature("LOGIN-06")
def test_a_redirecting_number_opens_nothing(office: World) -> None:
    async def scenario() -> None:
        redirected = [("Diversion", f"<sip:{office.anna.extension}@pbx>;reason=unconditional")]
        async with (
            office.outside_phone() as phone,
            calling(phone, COMMON, number=office.anna.number, headers=redirected) as caller,
        ):
            await caller.hears("you-have-reached")
            await caller.presses("*")
            await caller.hears("enter-pin")

    asyncio.run(scenario())


@pytest.mark.feature("LOGIN-06")
def test_the_owners_own_telephone_needs_no_pin(office: World) -> None:
    async def scenario() -> None:
        for person in office.people:  # Ben may log in from nowhere else
            async with (
                office.phone_of(person) as phone,
                calling(phone, REMOTE_INQUIRY, number=person.extension) as caller,
            ):
                await caller.hears("you-have", "for-new-voice-messages")
                assert "enter-pin" not in caller.told()

    asyncio.run(scenario())


@pytest.mark.feature("LOGIN-06")
def test_an_own_telephone_that_claims_to_be_another_one_is_itself(office: World) -> None:
    """Ben's telephone says that it is Anna's, and gets into Ben's mailbox."""

    async def scenario() -> None:
        asserted = [("P-Asserted-Identity", f"<sip:{office.anna.extension}@localhost>")]
        async with (
            office.phone_of(office.ben) as phone,
            calling(phone, REMOTE_INQUIRY, number=office.ben.extension, headers=asserted) as caller,
        ):
            await caller.hears("you-have", "for-new-voice-messages")
        log = office.controller_log.read_text(errors="replace")
        assert "login without PIN" in log
        assert log.rindex("user=ben") > log.rindex("login without PIN")

    asyncio.run(scenario())


@pytest.mark.feature("LOGIN-06")
def test_who_may_log_in_from_own_telephones_only_is_refused_elsewhere(office: World) -> None:
    async def scenario() -> None:
        async with (
            office.outside_phone() as phone,
            calling(phone, office.ben.number, number=office.ben.number) as caller,
        ):
            await caller.presses("*")
            await caller.hears("login-not-possible", "goodbye")

    asyncio.run(scenario())


@pytest.mark.feature("INBOX-09")
def test_who_needed_no_pin_calls_nobody_back(office: World) -> None:
    async def scenario() -> None:
        await leave(office, office.anna, babble(2.2, 4), office.ben.number)
        await arrived(office, office.anna)
        async with (
            office.phone_of(office.anna) as phone,
            calling(phone, REMOTE_INQUIRY, number=office.anna.extension) as caller,
        ):
            await caller.presses("1##")
            await caller.hears("to-repeat")
            await caller.presses("5")
            await caller.hears("key-not-used", "to-repeat")
            assert "enter-pin" not in caller.told()

    asyncio.run(scenario())
