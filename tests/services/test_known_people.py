"""Users behind ids are looked up once in a while, side by side, and remembered within bounds."""

import asyncio
from dataclasses import dataclass, field

from tests.clock import run_virtually
from vm_ari.domain.entries import Entry
from vm_ari.services.known_people import REMEMBERED, KnownPeople


@dataclass
class Register:
    """Counts who asks; `tests/web` uses the real one."""

    asked: list[str] = field(default_factory=list)

    async def entry_by_id(self, user_id: str) -> Entry | None:
        self.asked.append(user_id)
        await asyncio.sleep(0.01)
        return None if user_id == "nobody" else Entry(user_id, user_id.title())


def test_each_is_asked_for_once_in_a_while() -> None:
    async def story() -> None:
        register = Register()
        people = KnownPeople(register)  # type: ignore[arg-type]
        assert (await people.of(["anna", "", "nobody", "anna"])).keys() == {"anna"}
        assert sorted(register.asked) == ["anna", "nobody"]
        await people.of(["anna", "nobody"])
        assert len(register.asked) == 2
        await asyncio.sleep(REMEMBERED + 1)
        await people.of(["anna"])
        assert register.asked[2:] == ["anna"]

    run_virtually(story())


def test_many_who_ask_at_once_all_get_their_answer() -> None:
    async def story() -> None:
        people, most = KnownPeople(Register(), most=30), 30  # type: ignore[arg-type]
        groups = [[f"u{n}-{g}" for n in range(most // 3)] for g in range(5)]
        found = await asyncio.gather(*(people.of(group) for group in groups))
        assert [len(one) for one in found] == [most // 3] * 5
        assert len(await people.of(f"v{n}" for n in range(most + 1))) == most + 1
        assert len(people._known) <= most

    run_virtually(story())
