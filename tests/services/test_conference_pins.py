"""The door of a room on a real directory: two PINs, counted before they are judged (UM-04)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.adapters.directory_contract import BERT
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.access import Origin
from vm_ari.domain.conferences import Role
from vm_ari.domain.login_phones import LoginFrom
from vm_ari.domain.login_state import RoomPins
from vm_ari.domain.preferences import Access
from vm_ari.services.conference_pins import RoomDoor, is_open, set_room_pins
from vm_ari.services.logins import Logins

PIN, MODERATOR, WRONG = "482913", "739164", "555123"
ROOM = "+4930555103"
OWNER = replace(BERT, access=Access.NONE, login_from=LoginFrom.NOWHERE)
"""Who may not log in by telephone can have a room all the same."""


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def caller(number: int) -> Origin:
    return Origin(caller=f"+4930{number:06}")


@pytest.mark.feature_part("UM-04", "however many guess at once, a room's lock counts each of them")
def test_many_guesses_at_once_are_counted_each(tmp_path: Path) -> None:
    async def story() -> None:
        directory = EmbeddedDirectory(f"sqlite:///{tmp_path}/d.db", KeyRing(tmp_path / "keys"))
        door = RoomDoor(directory, Logins(directory, Now()))
        await directory.add_user(OWNER, "246813")
        assert await door.role(OWNER, "", caller(0), ROOM) is None, "no PIN opens nothing"
        await set_room_pins(directory, OWNER.id, RoomPins(PIN, MODERATOR))
        assert await door.role(OWNER, PIN, caller(1), ROOM) is Role.PARTICIPANT
        assert await door.role(OWNER, MODERATOR, caller(1), ROOM) is Role.MODERATOR
        assert await door.role(OWNER, "246813", caller(1), ROOM) is None, "the mailbox's PIN"
        guesses = (door.role(OWNER, WRONG, caller(n), ROOM) for n in range(2, 12))
        assert set(await asyncio.gather(*guesses)) == {None}
        state = await directory.login_state(OWNER.id)
        assert (state.room.failures, state.failures, state.pin) == (5, 0, "246813")
        assert not is_open(state.room, 5)
        assert await door.role(OWNER, PIN, caller(20), ROOM) is None, "it is locked"
        await set_room_pins(directory, OWNER.id, RoomPins(PIN, MODERATOR))
        assert await door.role(OWNER, PIN, caller(21), ROOM) is Role.PARTICIPANT
        entry = await directory.entry_by_id(OWNER.id)
        assert entry
        assert PIN not in str(entry)
        assert not entry.settings.keys() & {"conference_pin", "moderator_pin"}
        await directory.close()

    asyncio.run(story())


def test_one_caller_s_guesses_are_refused_unheard_after_ten(tmp_path: Path) -> None:
    async def story() -> None:
        directory = EmbeddedDirectory(f"sqlite:///{tmp_path}/d.db", KeyRing(tmp_path / "keys"))
        logins = Logins(directory, Now())
        free = replace(logins.rules, failures_before_lock=0)
        door = RoomDoor(directory, replace(logins, rules=free))
        await directory.add_user(OWNER)
        await set_room_pins(directory, OWNER.id, RoomPins(PIN, ""))
        for _ in range(2):
            await asyncio.gather(*(door.role(OWNER, WRONG, caller(1), ROOM) for _ in range(5)))
        assert await door.role(OWNER, PIN, caller(1), ROOM) is None
        assert await door.role(OWNER, PIN, caller(2), ROOM) is Role.PARTICIPANT
        await directory.close()

    asyncio.run(story())
