"""A whole torture: the world is built, tormented, left to recover, and looked at."""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.torture import ends
from tests.torture.book import Book, Judgement, Part, judge
from tests.torture.found import taken_by_smtp
from tests.torture.killer import HABITS, Killer
from tests.torture.servers import MortalDirectory, MortalMailStore
from tests.torture.stories import Town, answers, lives
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.softphone import Softphone
from vm_ari.adapters.softphone.errors import SoftphoneError
from vm_ari.demo.world import Person, World
from vm_ari.domain.profiles import ProfileName, TransferOffer

LANES = 7
"""Calls at the same time."""
SETTINGS = """
[sending]
voice_address = "$(phonenumber)@voice.example.org"
per_day = 0
[logins]
failures_before_lock = 0
failures_per_caller = 0
failures_for_all = 0
"""
"""Owners press anything, also instead of their PINs; no limit is what is asked about here."""
WAY_OUT = "[default]\nexten => 101,1,Dial(PJSIP/${EXTEN},10)\n same => n,Hangup(${HANGUPCAUSE})\n"
REGISTRATION = 15
"""Seconds: an Asterisk that was killed has forgotten some of its phones."""


@dataclass(frozen=True)
class Outcome:
    """Everything about one torture."""

    seed: str
    minutes: float
    book: Book
    judgement: Judgement
    settling: float
    """Seconds until nothing was on its way any more, and all lamps were right."""

    @property
    def violations(self) -> Sequence[str]:
        return self.judgement.violations


async def torture(
    install: AsteriskInstall,
    directory: Path,
    *,
    minutes: float,
    seed: str,
    parts: Collection[Part] = tuple(Part),
) -> Outcome:
    """Torment these parts of a world of its own below *directory* for so long."""
    book = Book()
    async with _town(install, directory, book) as town, _phones(town) as phones:
        over, habits = asyncio.Event(), {part: HABITS[part] for part in parts}
        killer = Killer(town.world, book, seed, town.lines_die, habits)
        desk = asyncio.create_task(answers(phones[0], random.Random(f"{seed} desk"), book))
        killing = asyncio.create_task(killer.run())
        lanes = [asyncio.create_task(lives(town, seed, lane, over)) for lane in range(LANES)]
        await asyncio.sleep(minutes * 60)
        over.set()
        await asyncio.gather(*lanes)
        killer.stop()
        await killing
        desk.cancel()
        begun = time.monotonic()
        await ends.settle(town, phones)
        settling = time.monotonic() - begun
        store = town.world.store
        assert isinstance(store, MortalMailStore)
        found = [one for person in everybody(town) for one in await store.voice_messages(person)]
        outside = taken_by_smtp(store.taken)
        await ends.look_for_leftovers(town)
    return Outcome(seed, minutes, book, judge(book, found, outside), settling)


def everybody(town: Town) -> Sequence[Person]:
    """All who have a mailbox."""
    return (*town.people, town.transferred)


@asynccontextmanager
async def _town(install: AsteriskInstall, directory: Path, book: Book) -> AsyncIterator[Town]:
    """Anna, Ben and three more, one of them with a transfer to Anna."""
    more = tuple(Person(f"User{number}", number, "de") for number in ("103", "104"))
    anna = ((ProfileName.WORK, "101"),)
    settings = {"transfers": anna, "transfer_offer": TransferOffer.SYSTEM}
    transferred = Person("Dora", "105", "de", settings=settings)
    numbers = ("101", "102", *(person.extension for person in (*more, transferred)))
    world = World(
        install,
        directory / "world",
        settings=SETTINGS,
        phones=tuple(Phone(number) for number in numbers),
        extra_configuration={"extensions.conf": WAY_OUT},
    )
    world.ben = Person("Ben", "102", "de")
    world.users, world.store = MortalDirectory(world.directory), MortalMailStore(world.directory)
    (directory / "tmp").mkdir(parents=True, exist_ok=True)
    with _temporary_files_in(directory / "tmp"):
        async with world:
            await world.add(*more, transferred)
            yield Town(world, (world.anna, world.ben, *more), transferred, book)


@contextlib.contextmanager
def _temporary_files_in(directory: Path) -> Iterator[None]:
    """Of the programs that are started meanwhile: so that those left over are found."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(directory)
    try:
        yield
    finally:
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before


@asynccontextmanager
async def _phones(town: Town) -> AsyncIterator[Sequence[Softphone]]:
    """Everybody's telephone, with a lamp, registered as often as the server forgets it."""
    async with AsyncExitStack() as open_phones:
        phones = []
        for person in everybody(town):
            phone = Softphone(user=person.extension, server=town.world.server)
            phones.append(await open_phones.enter_async_context(phone))
            await phone.register(REGISTRATION)
        yield phones


async def registered(phones: Sequence[Softphone]) -> None:
    """See that all are known. Raises `SoftphoneError`."""
    try:
        await asyncio.gather(*(phone.register(REGISTRATION) for phone in phones))
    except SoftphoneError:
        await asyncio.sleep(1)
        await asyncio.gather(*(phone.register(REGISTRATION) for phone in phones))
