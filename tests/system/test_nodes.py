"""OPS-04: two nodes behind Kamailio share PostgreSQL, LDAP and IMAP; whatever dies, calls go on.

The house is brought up once for all of these; `python -m tests.system.nodes` torments it for as
long as you like.
"""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from tests.adapters.greeting_sounds import syllables
from tests.adapters.postgres import postgres_programs
from tests.system.callers import BEEP, Caller, calling
from tests.system.node_house import NAMES, House
from tests.system.node_kamailio import kamailio_program
from tests.system.node_load import Tale, leaves_a_message, node_of
from tests.system.node_torment import (
    all_is_delivered,
    found_in,
    kill_machine,
    owed,
    torment,
    violations,
)
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.ear import RATE
from vm_ari.adapters.softphone import Softphone
from vm_ari.adapters.softphone.errors import CallRefused, RegistrationRefused, SubscriptionRefused
from vm_ari.adapters.softphone.line import Dialog
from vm_ari.demo.people import Person

Story = Callable[[House], Awaitable[None]]


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for the house and all its stories."""
    with asyncio.Runner() as one:
        yield one


@pytest.fixture(scope="module")
def house(
    runner: asyncio.Runner,
    asterisk_install: AsteriskInstall,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    if kamailio_program() is None:
        pytest.skip("Kamailio is not installed: apt-get install kamailio")
    if postgres_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    place = tmp_path_factory.mktemp("nodes")
    for directory in (place, *place.parents[:2]):
        directory.chmod(0o755)  # Kamailio and PostgreSQL are nobody
    one = House(asterisk_install, place)
    runner.run(one.__aenter__())
    yield one
    runner.run(one.__aexit__(None, None, None))


def tell(runner: asyncio.Runner, house: House, story: Story) -> None:
    """A story in a house where both nodes serve, then and afterwards."""

    async def whole() -> None:
        try:
            await story(house)
        finally:
            await house.calls_go_to(*NAMES)
            await house.is_whole()

    runner.run(whole())


@asynccontextmanager
async def logged_in(house: House, person: Person, keys: str) -> AsyncIterator[Caller]:
    """The owner calls from outside and types that behind the PIN."""
    async with (
        house.trunk_phone() as phone,
        calling(phone, person.number, "de") as caller,
    ):
        await caller.presses(f"*{keys}", ms=60)
        yield caller


async def unlocked(house: House, person: Person) -> None:
    """As an administrator does it."""
    async with house.directory() as directory:
        await directory.unlock(person.user.id)


async def shows(phone: Softphone) -> int:
    """New messages, as its lamp says since it was asked for."""
    async with asyncio.timeout(LAMP_SECONDS):
        while not phone.lamps:
            await asyncio.sleep(0.05)
    return phone.lamps[-1].new


async def counted(house: House, person: Person, failures: int) -> None:
    """Wait until so many wrong PINs are known of."""
    async with house.directory() as directory, asyncio.timeout(PATIENCE):
        while (await directory.login_state(person.user.id)).failures < failures:
            await asyncio.sleep(0.1)


# --- what nodes share

LAMP_SECONDS = 20.0
PATIENCE = 20.0
SILENCE = 5.0
"""Seconds that a caller waits at most for a node that is dead: 3, and a busy machine."""
MINE = syllables(2.5, RATE, hertz=523.0).astype(np.float32)


@pytest.mark.feature_part("OPS-04", "a greeting recorded at one node is heard at the other")
def test_a_greeting_recorded_at_one_node_is_heard_at_the_other(
    runner: asyncio.Runner, house: House
) -> None:
    async def story(house: House) -> None:
        carla = house.people[2]
        await house.calls_go_to("a")
        async with logged_in(house, carla, f"{carla.pin}#5112") as owner:
            await owner.hears("record-greeting-after-tone", BEEP)
            await owner.speaks(MINE)
            await owner.presses("#1")
            await owner.hears("greeting-kept")
        await house.calls_go_to("b")
        async with house.trunk_phone() as phone, calling(phone, carla.number, "de") as caller:
            assert node_of(caller.call.dialog.target) == "b"
            await caller.hears_audio(MINE[RATE // 2 : -RATE // 2])

    tell(runner, house, story)


@pytest.mark.feature_part("OPS-04", "who guesses at several nodes has no more guesses")
def test_wrong_pins_at_both_nodes_count_together(runner: asyncio.Runner, house: House) -> None:
    async def story(house: House) -> None:
        ben = house.people[1]
        wrong = "000000" if ben.pin != "000000" else "111111"
        await unlocked(house, ben)
        for node, guesses in (("a", (1, 2)), ("b", (3, 4))):
            await house.calls_go_to(node)
            async with logged_in(house, ben, "") as guesser:
                for count in guesses:
                    await guesser.presses(f"{wrong}#", ms=60)
                    await counted(house, ben, count)
        await house.calls_go_to("a")
        async with logged_in(house, ben, f"{ben.pin}#") as owner:
            await owner.hears("login-locked")
        await unlocked(house, ben)

    tell(runner, house, story)


@pytest.mark.feature_part("OPS-04", "whichever node a phone asks, its lamp is right")
def test_lamps_are_right_on_both_nodes(runner: asyncio.Runner, house: House) -> None:
    """Anna's phones ask for their lamp, each another node; Ben's is told by both."""

    async def story(house: House) -> None:
        anna, ben = house.people[:2]
        async with (
            house.phone_of(anna) as at_a,
            house.phone_of(anna) as at_b,
            house.phone_of(ben) as told,
        ):
            await told.register()
            for node, phone in (("a", at_a), ("b", at_b)):
                await house.calls_go_to(node)
                await phone.subscribe_mwi()
            annas = await shows(at_a)
            bens = sum(one.place == ben.extension for one in await found_in(house))  # none is heard
            for node, people in (("a", [anna]), ("b", [ben, anna])):
                await house.calls_go_to(node)
                calls = [leaves_a_message(house, one.extension, 2.6) for one in people]
                assert {one.node for one in await asyncio.gather(*calls)} == {node}
            await asyncio.gather(
                at_a.lamp(annas + 2, within=LAMP_SECONDS),
                at_b.lamp(annas + 2, within=LAMP_SECONDS),
                told.lamp(bens + 1, within=LAMP_SECONDS),
            )
            account = told.lamps[-1].account
            assert account.endswith("{}:{}".format(*house.kamailio.address))
            await house.calls_go_to("a")
            async with logged_in(house, anna, f"{anna.pin}#1") as owner:
                await owner.hears("message-number")
                await owner.presses("##", ms=60)
                await owner.hears("to-repeat")
                await owner.hangs_up()
            for phone in (at_a, at_b):
                await phone.lamp(annas + 1, within=LAMP_SECONDS)

            house.nodes["b"].kill_controller()  # its Asterisk has to ask the other for all lamps
            await house.nodes["b"].asterisk.restart()
            await house.calls_go_to("b")
            async with house.phone_of(anna) as later:
                await later.subscribe_mwi()
                await later.lamp(annas + 1, within=LAMP_SECONDS)
            await house.nodes["b"].start_controller()

    tell(runner, house, story)


@pytest.mark.feature_part("OPS-04", "callers of one conference meet on one node")
def test_calls_of_a_conference_go_to_one_node(runner: asyncio.Runner, house: House) -> None:
    """`CONFERENCES` of the test's configuration are Carla's numbers; all others go in turn."""

    async def story(house: House) -> None:
        async with house.trunk_phone() as phone:

            async def node_for(person: Person) -> str:
                async with calling(phone, person.number, "de") as caller:
                    return node_of(caller.call.dialog.target)

            anna, _, carla = house.people
            assert len({await node_for(carla) for _ in range(4)}) == 1
            assert {await node_for(anna) for _ in range(4)} == set(NAMES)

    tell(runner, house, story)


# --- what dies


@pytest.mark.feature_part("OPS-04", "another node serves the calls of one whose controller is dead")
def test_calls_go_where_a_controller_lives(runner: asyncio.Runner, house: House) -> None:
    """The dialplan takes a message alone only when no node has a controller."""

    async def story(house: House) -> None:
        anna = house.people[0].extension
        tale = Tale()
        house.nodes["a"].kill_controller()
        calls = [leaves_a_message(house, anna, 2.6, thanked=True) for _ in range(3)]
        tale.spoken += await asyncio.gather(*calls)
        assert {one.node for one in tale.spoken} == {"b"}
        assert not any(one.said.by_dialplan for one in tale.spoken)
        house.nodes["b"].kill_controller()
        alone = await leaves_a_message(house, anna, 3.4)
        assert alone.said.by_dialplan
        tale.spoken.append(alone)
        await asyncio.gather(*(node.start_controller() for node in house.nodes.values()))
        await all_is_delivered(house, PATIENCE)
        assert not violations(tale, await found_in(house))
        assert owed(tale) == 4

    tell(runner, house, story)


@pytest.mark.feature_part("OPS-04", "calls of the surviving node notice nothing")
@pytest.mark.feature_part("OPS-04", "what a dead node has left is delivered by another one")
def test_a_machine_dies_and_does_not_return(runner: asyncio.Runner, house: House) -> None:
    """Callers talk at both nodes. Who calls right after it waits once for the silent one."""

    async def story(house: House) -> None:
        anna, node = house.people[0], house.nodes["a"]
        tale = Tale()
        await house.calls_go_to("a")
        talking = [asyncio.create_task(leaves_a_message(house, anna.extension, 7.0))]
        async with asyncio.timeout(PATIENCE):
            while not any((node.spool / "open").glob("*/take-1.wav")):
                await asyncio.sleep(0.1)
        await house.calls_go_to("b")
        talks_on = leaves_a_message(house, anna.extension, 7.0, thanked=True)
        talking.append(asyncio.create_task(talks_on))
        await asyncio.sleep(5)
        await house.calls_go_to(*NAMES)
        await kill_machine(house, tale, "a")
        late = [leaves_a_message(house, anna.extension, 2.6) for _ in range(2)]
        tale.spoken += await asyncio.gather(*talking, *late)
        assert [one.node for one in tale.spoken] == ["a", "b", "b", "b"]
        assert all(one.waited < SILENCE for one in tale.spoken)
        async with asyncio.timeout(PATIENCE):
            while list((house.nodes["b"].spool / "new").iterdir()):
                await asyncio.sleep(0.1)
        async with house.phone_of(anna) as phone:
            await phone.subscribe_mwi()
            there, lit = len(await house.mail.mails(anna)), await shows(phone)
            assert len(list((node.spool / "open").iterdir())) == 1
            assert (await rescued(house)).startswith("0: 1 users have got messages; their lamps")
            assert len(await house.mail.mails(anna)) == there + 1
            await phone.lamp(lit + 1, within=LAMP_SECONDS)
        await node.asterisk.start()
        await node.start_controller()
        await all_is_delivered(house, PATIENCE)
        assert not violations(tale, await found_in(house))
        assert owed(tale) == 4

    tell(runner, house, story)


async def rescued(house: House) -> str:
    """What the command at node b says of node a's spool, behind its exit code."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vm_ari", "outbox", "rescue", str(house.nodes["a"].spool)),
        *("-c", str(house.nodes["b"].config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    return f"{process.returncode}: {(output or errors).decode().strip()}"


@pytest.mark.feature("OPS-04")
def test_whatever_dies_no_message_is_lost(runner: asyncio.Runner, house: House) -> None:
    seed = int(os.environ.get("VM_ARI_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"VM_ARI_SEED={seed}")

    async def story(house: House) -> None:
        outcome = await torment(house, random.Random(seed), seconds=6.0, callers=3)
        assert not outcome.violations, "\n".join(outcome.violations)
        assert outcome.confirmed

    tell(runner, house, story)


# --- who is not served


@pytest.mark.feature_part("OPS-04", "Kamailio forwards nothing for strangers")
def test_kamailio_is_no_open_relay(runner: asyncio.Runner, house: House) -> None:
    async def story(house: House) -> None:
        anna, ben = house.people[:2]
        async with house.stranger() as phone:
            with pytest.raises(RegistrationRefused):
                await phone.register()
            for target in (anna.number, "sip:victim@127.0.0.1:5999", "+900123456"):
                with pytest.raises(CallRefused):
                    await phone.call(target, within=5)
            with pytest.raises(SubscriptionRefused):
                await phone.subscribe_mwi()
        async with house.phone_of(anna) as phone:
            with pytest.raises(CallRefused) as refused:  # nobody is somebody else
                await phone.call(ben.number, from_number=ben.extension, within=5)
            assert refused.value.status in (403, 407)
            line, me = phone.line, f"<sip:{anna.extension}@{phone.domain}>"
            foreign = Dialog(f"{me};tag=1", me, f"sip:{ben.extension}@x", phone.server)
            lamp = ("Event", "message-summary")
            assert (await line.ask(foreign, "SUBSCRIBE", (lamp,))).status == 403
            victim = "sip:victim@127.0.0.1:5999"
            forged = Dialog(f"{me};tag=1", f"<{victim}>;tag=1", victim, phone.server)
            route = ("Route", f"<sip:{phone.domain};lr>")
            assert (await line.ask(forged, "BYE", (route,))).status == 403

    tell(runner, house, story)
