"""PINs typed in one burst, in ten calls at once, while the controller is killed.

``VM_ARI_GUESSES=10000`` tries every PIN of four digits once (five minutes); what is asserted does
not depend on how many there are, as long as the controller dies several times among them.
"""

import asyncio
import contextlib
import itertools
import os
import random
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.patience import AT_MOST
from tests.slapd import PASSWORD, Slapd, slapd
from tests.system.callers import Caller, calling
from tests.system.test_ldap_calls import configuration, main_menu, on_register
from tests.system.test_remote_inquiry import logged_in
from tests.system.worlds import NewWorld
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.softphone import CallEnded
from vm_ari.demo.world import ControllerFailed, Person, World
from vm_ari.domain.login_state import LoginState, unlocked

CALLERS, ALLOWED = 10, 5
ATTEMPTS = int(os.environ.get("VM_ARI_GUESSES", "1000"))
"""By all callers together."""
KEY_MS = 20
"""No person types like that."""
LIFE = (2.0, 6.0)
"""Seconds that a controller lives."""
LENA = Person("Lena", "150", "de", pin="7302")


@pytest.fixture
def server() -> Iterator[Slapd]:
    with slapd(unit("people") + person("lena", telephoneNumber="+49 30 5550-150")) as running:
        yield running


def guesses(chance: random.Random) -> Iterator[str]:
    """Everything that a caller tries; the right one is among them, but never among the first."""
    others = (f"{number:04}" for number in chance.sample(range(10_000), ATTEMPTS // CALLERS))
    for place, guess in enumerate(others):
        if place > ALLOWED and place % 7 == 0:
            yield LENA.pin
        else:
            yield guess if guess != LENA.pin else "0000"


class Guesser:
    """One who types PINs without listening, and calls again when he is hung up on."""

    def __init__(self, world: World, number: int, chance: random.Random) -> None:
        self._world = world
        self._numbers = itertools.count(10_000 * number)
        self._left = list(guesses(chance))
        self.calls = 0
        self.heard: set[str] = set()

    async def run(self) -> None:
        """Until nothing is left to be tried."""
        async with self._world.outside_phone() as phone:
            while self._left:
                self.calls += 1
                caller_number = f"+49309{next(self._numbers):07}"
                with contextlib.suppress(CallEnded, TimeoutError, ConnectionError):
                    async with calling(
                        phone, LENA.number, number=caller_number, within=30
                    ) as caller:
                        await self._type(caller)

    async def _type(self, caller: Caller) -> None:
        try:
            await caller.presses("*", ms=40)
            while self._left and not caller.call.ended.is_set():
                await caller.call.press(f"{self._left.pop(0)}#", key_ms=KEY_MS, gap_ms=0)
        finally:
            self.heard.update(caller.told())


async def killing(world: World, chance: random.Random, over: asyncio.Event) -> int:
    """Kill the controller at random moments, and start it at once."""
    kills = 0
    while not over.is_set():
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(chance.uniform(*LIFE)):
                await over.wait()
        world.kill_controller()
        kills += 1
        while True:
            try:
                await world.start_controller()
                break
            except ControllerFailed:  # on a machine with too much to do
                continue
    return kills


async def state(world: World) -> LoginState:
    """What the server remembers of her."""
    found: list[LoginState] = []

    async def look(register: LdapDirectory) -> None:
        found.append(await register.login_state("lena"))

    await asyncio.to_thread(on_register, world, look)
    return found[0]


async def notices(world: World) -> list[str]:
    """The Message-ID of each mail that told her of a lock; waits for the first."""
    folder = world.mail_directory(LENA) / "new"
    async with asyncio.timeout(AT_MOST):
        while not (found := list(folder.glob("*"))):
            await asyncio.sleep(0.1)
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in found]
    return [str(mail["Message-ID"]) for mail in mails if "gesperrt" in str(mail["Subject"])]


def judged(world: World) -> list[str]:
    """The reasons of all failures that the controllers have written down."""
    log = world.controller_log.read_text(errors="replace")
    return re.findall(r'event="login failed" .*? reason=(\S+)', log)


@pytest.mark.slow
@pytest.mark.feature_part(
    "LOGIN-03", "counted across calls at once and through crashes, told by one mail"
)
def test_guesses_in_one_burst_get_no_more_checks_than_five(
    new_world: NewWorld, server: Slapd, tmp_path: Path
) -> None:
    seed = int(os.environ.get("VM_ARI_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"VM_ARI_SEED={seed}")
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    (tmp_path / "password").chmod(0o600)
    limits = f"[logins]\nfailures_before_lock = {ALLOWED}\nfailures_for_all = 0\n"

    async def scenario() -> None:
        async with new_world(settings=configuration(server, tmp_path) + limits) as world:
            await asyncio.to_thread(
                on_register, world, lambda register: register.set_pin("lena", LENA.pin)
            )
            guessers = [
                Guesser(world, number, random.Random(seed + number)) for number in range(CALLERS)
            ]
            over = asyncio.Event()
            killer = asyncio.create_task(killing(world, random.Random(seed), over))
            await asyncio.gather(*(guesser.run() for guesser in guessers))
            over.set()
            kills, after = await killer, await state(world)
            reasons = judged(world)
            print(
                f"{ATTEMPTS} guesses in {sum(g.calls for g in guessers)} calls, {kills} kills; "
                f"{reasons.count('wrong')} wrong and {reasons.count('locked')} locked ones logged; "
                f"the counter stands at {after.failures}"
            )
            assert (after.failures, after.pin) == (ALLOWED, LENA.pin)
            assert reasons.count("wrong") <= ALLOWED < reasons.count("locked")
            assert "login-locked" in set().union(*(g.heard for g in guessers))
            assert "you-have" not in set().union(*(g.heard for g in guessers))
            assert kills >= 3
            assert len(await notices(world)) == 1
            await asyncio.to_thread(
                on_register, world, lambda register: register.change_login("lena", unlocked)
            )
            async with logged_in(world, LENA) as caller:
                await main_menu(caller)

    asyncio.run(scenario())
    assert LENA.pin not in " ".join(server.read(f"uid=lena,{PEOPLE}", "vmAriSetting"))
