"""One voice number for everybody: calls redirected to it, and calls to itself, over SIP."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.patience import AT_MOST
from tests.system.callers import (
    BEEP,
    Caller,
    assert_kept,
    babble,
    calling,
    digits,
    side_by_side,
)
from tests.system.mails import Mail, arrived, mails, on_their_way
from tests.system.worlds import NewWorld, somebody
from vm_ari.demo.world import Person, World

COMMON, WITHOUT_NUMBER = "900", "901"
OFFICE = """
[office]
exten => 900,1,Goto(vm-ari-common,${EXTEN},1)
exten => 901,1,Goto(vm-ari-common,s,1)
exten => _902X.,1,Set(VM_ARI_REDIRECTED=${FILTER(0-9,${EXTEN:3})})
 same => n,Gosub(vm-ari-common,902,1)
 same => n,Playback(${VM_ARI_SOUNDS}/de/digits/6)
exten => _903X.,1,Set(REDIRECTING(from-num,i)=${FILTER(0-9,${EXTEN:3})})
 same => n,Goto(vm-ari-common,903,1)
include => vm-ari-trunk
[vm-ari-phones]
exten => 900,1,Set(VM_ARI_PHONE=${CHANNEL(endpoint)})
 same => n,Goto(vm-ari-common,${EXTEN},1)
exten => 700,1,Set(VM_ARI_PHONE=${CHANNEL(endpoint)})
 same => n,Goto(vm-ari-login,s,1)
"""
SAID = babble(2.5, 1)
GONE = ["unknown-mailbox", "goodbye"]
Header = tuple[str, str]


@pytest.fixture(scope="module")
def office(new_world: NewWorld) -> Iterator[World]:
    """A world whose trunk and phones reach the common number."""
    shared = new_world(trunk_context="office", extra_configuration={"extensions.conf": OFFICE})
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


async def leave(world: World, target: str, headers: Sequence[Header] = (), **who: Any) -> None:
    """Leave a message at the common number, not listening to the greeting."""
    async with (
        world.outside_phone() as phone,
        calling(phone, target, headers=headers, **who) as caller,
    ):
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(SAID)
        await caller.hangs_up()


async def told(world: World, target: str, headers: Sequence[Header]) -> list[str]:
    """What a caller hears who does nothing, until he is hung up on."""
    async with world.outside_phone() as phone, calling(phone, target, headers=headers) as caller:
        await caller.is_hung_up_on()
        return caller.told()


def diversion(*lines: str) -> list[Header]:
    return [("Diversion", line) for line in lines]


def history(*lines: str) -> list[Header]:
    return [("History-Info", line) for line in lines]


HERE = "<sip:900@pbx;cause=408>;index=1.1"
REDIRECTED: dict[str, list[Header]] = {  # N: the extension, F: the full number
    "one": diversion("<sip:N@pbx>;reason=no-answer"),
    "full number": diversion("<sip:F@provider;user=phone>;privacy=off;screen=yes"),
    "a telephone URI": diversion("<tel:F>;reason=unconditional;counter=1"),
    "quoted": diversion('"Berg, Änne :) <sip:999@pbx>" <sip:N@pbx>;reason="user-busy"'),
    "two lines": diversion("<sip:999@pbx>;reason=deflection", "<sip:N@pbx>;reason=no-answer"),
    "two in one line": diversion("<sip:998@pbx>;counter=2, <sip:N@pbx>;counter=1"),
    "three, one of them known": diversion("<sip:999@pbx>", "<sip:N@pbx>", "<sip:+4989123456@p>"),
    "history": history("<sip:N@pbx>;index=1, " + HERE),
    "history in two lines": history("<sip:F@pbx?Reason=SIP%3Bcause%3D486>;index=1", HERE),
    "both": [*history("<sip:998@pbx>;index=1, " + HERE), *diversion("<sip:N@pbx>")],
    "both, one unreadable": [*diversion("x" * 300), *history("<sip:N@pbx>;index=1," + HERE)],
    "4 kB": diversion("<sip:N@pbx>;x=" + "y" * 4000),
    "4 kB before it": diversion('"' + "x" * 4000 + '" <sip:N@pbx>'),
    "bytes": diversion('"M\udcfcller \udcff\udcfe \u202e ${EXTEN} $[1/0] ):0:2(" <sip:N@pbx>;,;,'),
    "many": diversion(*(f"<sip:+49891230{n}@provider>" for n in range(10, 15)), "<sip:N@pbx>"),
}


def addressed(headers: list[Header], person: Person) -> list[Header]:
    """With that person's numbers."""
    return [
        (name, re.sub(r"\bN\b", person.extension, re.sub(r"\bF\b", person.number, text)))
        for name, text in headers
    ]


@pytest.mark.feature("CALL-08")
def test_a_redirected_call_reaches_the_mailbox_it_was_redirected_from(office: World) -> None:
    at_once = asyncio.Semaphore(4)

    async def one(case: str, target: str) -> tuple[str, Sequence[Mail]]:
        async with at_once:
            person = await somebody(office)
            await leave(office, target, addressed(REDIRECTED[case], person))
            return person.extension, await arrived_for(office, person)

    async def scenario() -> None:
        calls = [one(case, COMMON) for case in REDIRECTED]
        calls += [one(case, WITHOUT_NUMBER) for case in ("one", "history")]
        for extension, received in await asyncio.gather(*calls):
            [mail] = received
            assert mail["X-VM-ARI-Mailbox"] == extension
            assert_kept(SAID, mail.audio)

    asyncio.run(scenario())


async def arrived_for(world: World, person: Person) -> Sequence[Mail]:
    """As `arrived`, while others are still calling."""
    async with asyncio.timeout(AT_MOST):
        while not mails(world, person):
            await asyncio.sleep(0.05)
    return mails(world, person)


UNKNOWN: dict[str, list[Header]] = {
    "a stranger": diversion("<sip:+4989123456@provider>;reason=unconditional"),
    "nobody's extension": diversion("<sip:999@pbx>"),
    "anonymous": diversion("<sip:anonymous@anonymous.invalid>;privacy=full"),
    "garbage": diversion("garbage \udcff\udcfe <<<>>>"),
    "a filter": diversion("<sip:*)(uid=*@pbx>", "<sip:%2a@pbx>", "<sip:..%2f..@pbx>"),
    "history": history("<sip:999@pbx>;index=1", HERE),
}


@pytest.mark.feature_part("CALL-08", "an unknown redirecting number is never a login")
@pytest.mark.feature_part("CALL-09", "an unknown redirecting number")
def test_a_redirecting_number_that_nobody_has_does_not_exist(office: World) -> None:
    async def scenario() -> None:
        calls = (told(office, COMMON, headers) for headers in UNKNOWN.values())
        assert await asyncio.gather(*calls) == [GONE] * len(UNKNOWN)

    asyncio.run(scenario())


@pytest.mark.feature("CALL-08")
def test_dialplan_and_network_may_name_the_mailbox(office: World) -> None:
    async def one(way: str) -> None:
        person = await somebody(office)
        headers = diversion("<sip:999@pbx>") if way == "902" else []
        await leave(office, way + person.extension, headers)
        [mail] = await arrived_for(office, person)
        assert_kept(SAID, mail.audio)

    asyncio.run(side_by_side(map(one, ("902", "903"))))


def test_after_a_gosub_the_dialplan_goes_on(office: World) -> None:
    assert asyncio.run(told(office, "902999", ())) == [*GONE, "digits/6"]


# --- direct calls


async def enters(caller: Caller, person: Person) -> None:
    await caller.hears("enter-pin")
    await caller.presses(f"{person.pin}#")
    await caller.hears("you-have")
    await caller.hangs_up()


@pytest.mark.feature("CALL-08")
def test_a_known_phone_asks_for_the_pin_of_its_user_only(office: World) -> None:
    anna = office.anna

    async def one(target: str) -> None:
        async with (
            office.phone_of(anna) as phone,
            calling(phone, target, number=anna.extension) as caller,
        ):
            await enters(caller, anna)
            assert "enter-mailbox" not in caller.told()

    asyncio.run(side_by_side(map(one, (COMMON, "700"))))


@pytest.mark.feature("CALL-08")
def test_a_caller_who_only_pretends_to_be_that_phone_is_asked_for_both(office: World) -> None:
    anna = office.anna
    asserted = ("P-Asserted-Identity", f"<sip:{anna.number}@localhost>")

    async def one(target: str, headers: Sequence[Header]) -> None:
        async with (
            office.outside_phone() as phone,
            calling(phone, target, number=anna.number, headers=[asserted, *headers]) as caller,
        ):
            await caller.hears("enter-mailbox")
            await caller.presses(f"{anna.extension}#")
            await enters(caller, anna)

    ways = ((), history("<sip:900@pbx>;index=1"))
    targets = (COMMON, WITHOUT_NUMBER)
    asyncio.run(side_by_side(one(target, way) for target in targets for way in ways))


def test_a_call_that_a_known_phone_redirected_is_no_login(office: World) -> None:
    async def scenario() -> None:
        person = await somebody(office)
        headers = diversion(f"<sip:{person.extension}@pbx>")
        async with (
            office.phone_of(office.anna) as phone,
            calling(phone, COMMON, number=office.anna.extension, headers=headers) as caller,
        ):
            await caller.hears("you-have-reached", *digits(person.extension))

    asyncio.run(scenario())


# --- hostile callers

HOSTILE = (
    "x\udcff\udcfe\u202eevil\x07",
    "<script>alert(1)</script>",
    "a:b):0:2(${SHELL(id)}$[1/0]",
    "*)(uid=*",
    "../../../../tmp/evil",
    "{{ 7*7 }} {% raw %}",
    "%0d%0aBcc: victim@demo.example",
    "x" * 1500,
)
OF_EACH_CALL = {
    *("date", "message-id", "from", "to", "subject", "content-type", "content-duration"),
    *("x-voicemessagesendername", "x-voicemessageduration", "x-attachmentorder"),
    *("x-vm-ari-caller-name", "x-vm-ari-called", "x-vm-ari-mailbox", "x-vm-ari-call-id"),
    *("x-vm-ari-duration", "x-vm-ari-signature"),
}


def test_hostile_texts_change_nothing_but_the_name_in_the_mail(office: World) -> None:
    def frozen(mail: Mail) -> dict[str, str]:
        """All that must be the same whoever calls."""
        return {k: v for k, v in mail.message.items() if k.lower() not in OF_EACH_CALL}

    async def one(name: str) -> Mail:
        person = await somebody(office)
        quoted = name.replace('"', '\\"')
        headers = [
            *diversion(f'"{quoted}" <sip:{person.extension}@pbx>;reason="{quoted}"'),
            *history(f'"{quoted}" <sip:{person.extension}@pbx?{quoted}>;index=1', HERE),
        ]
        await leave(office, COMMON, headers, from_name=name, number="+4989123123")
        [mail] = await arrived_for(office, person)
        assert mail["X-VM-ARI-Mailbox"] == person.extension
        return mail

    async def scenario() -> list[Mail]:
        return [await one("Carla"), *await asyncio.gather(*map(one, HOSTILE))]

    ordinary, *received = asyncio.run(scenario())
    for mail in received:
        assert_kept(SAID, mail.audio)
        names = [name for name, _ in mail.message.items()]
        assert set(names) <= {name for name, _ in ordinary.message.items()}
        assert mail.caller == ordinary.caller == "+4989123123"
        assert frozen(mail) == frozen(ordinary)
    assert not on_their_way(office)


# --- without the controller


async def by_dialplan(world: World, headers: Sequence[Header], target: str = COMMON) -> None:
    async with (
        world.outside_phone() as phone,
        calling(phone, target, headers=headers) as caller,
    ):
        await caller.hears("fallback-greeting", BEEP)
        await caller.speaks(SAID)
        await caller.hangs_up()


@pytest.mark.feature_part("CALL-08", "without the controller")
@pytest.mark.feature_part("CALL-09", "messages of the dialplan, too")
def test_without_the_controller_the_redirecting_number_is_kept(new_world: NewWorld) -> None:
    settings = '[site]\ndefault_recipient = "office@demo.example"\n'
    heir = Person("", "id=default-recipient", "de")

    async def scenario() -> None:
        async with new_world(
            trunk_context="office", extra_configuration={"extensions.conf": OFFICE}
        ) as world:
            world.configure(settings)
            await world.stop_controller()
            cases = {
                "102 by Diversion": ("102", diversion("<sip:102@pbx>;reason=no-answer")),
                "102 by two": ("102", diversion("<sip:101@pbx>", '"a<b" <sip:102@pbx;x=y>;z=1')),
                "101 by one line": ("101", diversion("<sip:102@pbx>, <tel:+49305550101>")),
                "101 from outside": ("101", diversion("<sip:101@pbx>", "<sip:+49891234@p>")),
                "101 by History-Info": ("101", history("<sip:101@pbx>;index=1, " + HERE)),
                "nobody": ("", diversion("<sip:+4989123456@p>")),
                "unreadable": ("", diversion("<sip:anonymous@invalid>;privacy=full")),
            }
            await asyncio.gather(*(by_dialplan(world, headers) for _, headers in cases.values()))
            assert await told(world, COMMON, ()) == ["technical-problem"]
            assert await told(world, COMMON, history("<sip:900@pbx>;index=1")) == [
                "technical-problem"
            ]
            await world.start_controller()
            await arrived(world, world.ben, 2, within=AT_MOST)
            await arrived(world, world.anna, 3)
            received = await arrived(world, heir, 2)
            called = {mail["X-VM-ARI-Called"] for mail in received}
            assert called == {"+4989123456", COMMON}
            assert {mail["To"] for mail in received} == {"office@demo.example"}
            assert "not a mailbox" not in world.controller_log.read_text()

    asyncio.run(scenario())
