"""Callers who leave messages in a house of nodes, and tell afterwards what they said and heard."""

import asyncio
import contextlib
import itertools
import random
import time
from dataclasses import dataclass, field, replace

from tests.system.callers import BEEP, Caller, NotHeard, babble, new_number
from tests.system.listening import only
from tests.system.node_house import NAMES, NODE_IPS, House
from tests.torture.book import Outage, Said
from vm_ari.adapters.ear import identify
from vm_ari.adapters.softphone.errors import SoftphoneError

FALLBACK = "fallback-greeting"
PATIENCE = 15.0
FAREWELL = 2.0
GOES_WRONG = (SoftphoneError, NotHeard, TimeoutError)
_SEEDS = itertools.count(1)


@dataclass(frozen=True)
class Spoken:
    """What one caller tells afterwards."""

    said: Said
    node: str
    """Which one answered; empty: none."""
    cut_off: bool = False
    """Did the line end before he had said everything?"""
    waited: float = 0.0
    """Seconds until somebody answered."""


@dataclass
class Tale:
    """Everything that happened while people called."""

    spoken: list[Spoken] = field(default_factory=list)
    outages: dict[str, list[Outage]] = field(default_factory=lambda: {name: [] for name in NAMES})
    refused: int = 0


async def leaves_a_message(
    house: House, extension: str, seconds: float, *, thanked: bool = False
) -> Spoken:
    """One call from outside: greeting skipped, so long spoken, then hung up or thanked for.

    Raises `GOES_WRONG` where nobody answers.
    """
    number, words = new_number(), babble(seconds, next(_SEEDS))
    said = Said(number, words)
    async with house.trunk_phone() as phone:
        call = phone.dial(f"+49305550{extension}", from_number=number)
        began = time.monotonic()
        try:
            await call.answered(PATIENCE)
            waited, node = time.monotonic() - began, node_of(call.dialog.target)
            caller = Caller(call, "de", number)
            with contextlib.suppress(*GOES_WRONG):
                said = await _speaks(caller, said)
            cut_off = call.ended.is_set()
            if thanked and not cut_off:
                with contextlib.suppress(*GOES_WRONG):
                    await caller.presses("#")
                    await caller.hears("thank-you-goodbye", within=8)
                    said = replace(said, thanked=True)
            by_dialplan = await asyncio.to_thread(
                lambda: bool(identify(call.heard, only("de", f"de/{FALLBACK}")))
            )
        finally:
            with contextlib.suppress(*GOES_WRONG):
                async with asyncio.timeout(FAREWELL):
                    await call.hang_up()
            call.drop()
    said = replace(said, by_dialplan=by_dialplan, over=time.monotonic())
    return Spoken(said, node, cut_off, waited)


async def _speaks(caller: Caller, said: Said) -> Said:
    await caller.presses("0")
    await caller.hears(BEEP, within=PATIENCE)
    begun = time.monotonic()
    with contextlib.suppress(SoftphoneError):
        await caller.speaks(said.words)
    return replace(said, begun=begun, ended=time.monotonic())


def node_of(contact: str) -> str:
    """Whose address that is."""
    return next((name for name, ip in NODE_IPS.items() if ip in contact), "")


async def keeps_calling(house: House, tale: Tale, dice: random.Random, end: float) -> None:
    """One caller after the other, until that moment."""
    while time.monotonic() < end:
        person = dice.choice(house.people)
        seconds = dice.uniform(2.6, 6.0)
        try:
            one = leaves_a_message(house, person.extension, seconds, thanked=dice.random() < 0.4)
            tale.spoken.append(await one)
        except GOES_WRONG:
            tale.refused += 1
        await asyncio.sleep(dice.uniform(0, 0.5))
