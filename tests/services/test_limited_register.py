"""Nobody gets more than there is, whichever way somebody comes in (UM-01)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import Entry
from vm_ari.domain.packages import PackageLimits
from vm_ari.services.limited_register import LimitedRegister, NoPackage, counting
from vm_ari.services.users import Refused

NUMBERS = tuple(f"+49305551{n:02}" for n in range(5))
MANY = Entry("many", "Many", "100", NUMBERS)
BERT = Entry("bert", "Bert", "102", organisation="north")
LIMITS = PackageLimits(4, {"north": 2})
Story = Callable[[LimitedRegister], Awaitable[None]]


def new(user_id: str, organisation: str = "") -> Entry:
    return Entry(user_id, user_id.title(), organisation=organisation)


def on_register(home: Path, story: Story, limits: PackageLimits = LIMITS) -> None:
    async def run() -> None:
        directory = EmbeddedDirectory(f"sqlite:///{home}/directory.db", KeyRing(home / "keys"))
        await directory.add_entries([MANY, BERT])
        try:
            await story(LimitedRegister(directory, lambda: limits, counting(directory)))
        finally:
            await directory.close()

    asyncio.run(run())


async def ids(register: LimitedRegister) -> list[str]:
    return [entry.id for entry in await register.all_entries()]


@pytest.mark.feature_part("UM-01", "adding, importing and moving are refused when none is left")
def test_what_would_be_too_much_is_refused_and_nothing_of_it_done(tmp_path: Path) -> None:
    async def story(register: LimitedRegister) -> None:
        with pytest.raises(NoPackage, match="All 2 packages of organisation north"):
            await register.add_entries([new("c", "north"), new("d", "north")])
        with pytest.raises(NoPackage, match="All 4 packages of this installation"):
            await register.merge_entries([new("c"), new("d"), new("e")], [])
        assert await ids(register) == ["bert", "many"]
        await register.add_entries([new("c", "north")])
        with pytest.raises(NoPackage, match="north"):
            await register.change_details("many", {"organisation": "north"})
        with pytest.raises(NoPackage, match="north"):
            await register.merge_entries([], [(MANY, replace(MANY, organisation="north"))])
        await register.change_details("c", {"organisation": "", "name": "C"})
        await register.change_details("many", {"organisation": "north"})
        await register.add_entries([new("d")])
        with pytest.raises(NoPackage, match="installation"):
            await register.add_entries([new("e")])
        await register.remove_user("d")
        await register.add_entries([new("e")])

    on_register(tmp_path, story)


@pytest.mark.feature_part("UM-01", "of two who come at once, one gets the last package")
def test_the_last_package_is_given_once(tmp_path: Path) -> None:
    async def story(register: LimitedRegister) -> None:
        names = [f"u{n}" for n in range(12)]
        tries = (register.add_entries([new(name, "north")]) for name in names)
        ended = await asyncio.gather(*tries, return_exceptions=True)
        assert [type(one) for one in ended].count(NoPackage) == len(names) - 1
        assert len(await ids(register)) == 3

    on_register(tmp_path, story)


def test_numbers_of_before_stay_and_others_do_not_become_more(tmp_path: Path) -> None:
    async def story(register: LimitedRegister) -> None:
        with pytest.raises(Refused, match="c would have 5 numbers; 3 are possible"):
            await register.add_entries([replace(MANY, id="c", mailbox="3")])
        with pytest.raises(Refused, match="bert would have 4 numbers"):
            await register.set_numbers("bert", [f"20{n}" for n in range(4)], "102")
        four = replace(BERT, numbers=tuple(f"20{n}" for n in range(4)))
        with pytest.raises(Refused, match="bert would have 4 numbers"):
            await register.merge_entries([], [(BERT, four)])
        await register.change_settings("many", {"language": "de"})
        await register.merge_entries([], [(MANY, replace(MANY, name="More"))])
        await register.set_numbers("many", NUMBERS[:4], "100")
        with pytest.raises(Refused):
            await register.set_numbers("many", NUMBERS, "100")

    on_register(tmp_path, story, PackageLimits())
