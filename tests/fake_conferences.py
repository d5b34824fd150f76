"""Bridges, memory and board of conferences in memory, for tests on the virtual clock.

The bridges pass the same contract test as Asterisk's (`tests/adapters/test_conference_bridges.py`),
memory and board those of `tests/adapters/test_conference_stores.py`.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path

from vm_ari.domain.conferences import Conference, Happening
from vm_ari.domain.recording import Take
from vm_ari.ports import GreetingTake
from vm_ari.ports.conference import (
    ConferencesUnavailable,
    LiveConference,
    MemoryFailed,
    RoomFault,
    RoomOrder,
)


@dataclass
class FakeBridge:
    """One of them."""

    inside: set[str] = field(default_factory=set)
    music: bool = False
    recordings: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    """What was announced, by kind."""


@dataclass
class FakeBridges:
    """The telephone system, which outlives controllers; *refuses* names verbs that fail."""

    takes: dict[str, Take] = field(default_factory=dict)
    """Audio by name, perhaps those of a `FakeSpool`."""
    bridges: dict[str, FakeBridge] = field(default_factory=dict)
    unheard: set[str] = field(default_factory=set)
    refuses: set[str] = field(default_factory=set)
    told: list[Happening] = field(default_factory=list)
    exists: Callable[[str], bool] = lambda _channel: True
    """Is there such a channel?"""

    def only(self) -> FakeBridge:
        """The one that there is."""
        [bridge] = self.bridges.values()
        return bridge

    def hears(self, listener: str, speaker: str) -> bool:
        """Does one party hear the other?"""
        both = any({listener, speaker} <= one.inside for one in self.bridges.values())
        return both and speaker not in self.unheard

    def dies(self) -> None:
        """The telephone system ends and starts again: its files are as they were."""
        self.bridges.clear()
        self.unheard.clear()

    async def ids(self) -> Collection[str]:
        self._obey("ids")
        return list(self.bridges)

    async def open(self, conference_id: str) -> None:
        self._obey("open")
        self.bridges.setdefault(conference_id, FakeBridge())

    async def close(self, conference_id: str) -> None:
        self._obey("close")
        self.bridges.pop(conference_id, None)

    async def inside(self, conference_id: str) -> Collection[str]:
        self._obey("inside")
        bridge = self.bridges.get(conference_id)
        return {one for one in bridge.inside if self.exists(one)} if bridge else set()

    async def put_in(self, conference_id: str, channel: str) -> None:
        self._obey("put_in")
        if conference_id in self.bridges and self.exists(channel):
            self.bridges[conference_id].inside.add(channel)

    async def take_out(self, conference_id: str, channel: str) -> None:
        self._obey("take_out")
        if conference_id in self.bridges:
            self.bridges[conference_id].inside.discard(channel)

    async def set_heard(self, channel: str, heard: bool) -> None:
        self._obey("set_heard")
        (self.unheard.discard if heard else self.unheard.add)(channel)

    async def set_music(self, conference_id: str, on: bool) -> None:
        self._obey("set_music")
        if conference_id in self.bridges:
            self.bridges[conference_id].music = on

    async def announce(self, conference: Conference, happening: Happening) -> None:
        self._obey("announce")
        self.told.append(happening)
        if conference.id in self.bridges:
            self.bridges[conference.id].told.append(happening.kind.value)

    async def record(self, conference_id: str, name: str, longest: int) -> None:
        self._obey("record")
        if conference_id not in self.bridges:
            raise RoomFault("there is no such bridge")
        self.bridges[conference_id].recordings.add(name)
        self.takes[name] = Take(30.0, 20.0)

    async def stop_recording(self, name: str) -> None:
        self._obey("stop_recording")
        for bridge in self.bridges.values():
            bridge.recordings.discard(name)

    async def is_recording(self, name: str) -> bool:
        self._obey("is_recording")
        return any(name in bridge.recordings for bridge in self.bridges.values())

    def _obey(self, verb: str) -> None:
        if verb in self.refuses:
            raise RoomFault(f"{verb}: the test says so")


@dataclass
class FakeConferenceMemory:
    """A disk; *broken* makes every access fail."""

    takes: dict[str, Take] = field(default_factory=dict)
    kept: dict[str, Conference] = field(default_factory=dict)
    broken: bool = False
    _names: "count[int]" = field(default_factory=lambda: count(1))

    async def keep(self, conference: Conference) -> None:
        self._check()
        self.kept[conference.id] = conference

    async def forget(self, conference: Conference) -> None:
        self._check()
        self.kept.pop(conference.id, None)

    async def all(self) -> Sequence[Conference]:
        self._check()
        return list(self.kept.values())

    def new_name(self) -> GreetingTake:
        name = f"vm-ari/conferences/names/{next(self._names)}"
        return GreetingTake(name, Path("/recordings") / name)

    async def inspect(self, take: GreetingTake) -> Take | None:
        self._check()
        return self.takes.get(take.name)

    def _check(self) -> None:
        if self.broken:
            raise MemoryFailed("the test says so")


@dataclass
class FakeConferenceBoard:
    """What controllers show each other; *away* makes every access fail."""

    shown: dict[str, list[LiveConference]] = field(default_factory=dict)
    orders: list[tuple[str, RoomOrder, datetime]] = field(default_factory=list)
    away: bool = False

    async def write(self, node: str, conferences: Sequence[LiveConference]) -> None:
        self._check()
        ids = {one.conference.id for one in conferences}
        for rows in self.shown.values():
            rows[:] = [one for one in rows if one.conference.id not in ids]
        self.shown[node] = [replace(one, node=node) for one in conferences]

    async def all(self, since: datetime) -> Sequence[LiveConference]:
        self._check()
        found = [one for rows in self.shown.values() for one in rows if one.seen >= since]
        return sorted(found, key=lambda one: (one.conference.started, one.conference.id))

    async def order(self, node: str, order: RoomOrder, at: datetime) -> None:
        self._check()
        self.orders.append((node, order, at))

    async def take_orders(self, node: str, since: datetime) -> Sequence[RoomOrder]:
        self._check()
        mine = [order for order in self.orders if order[0] == node]
        self.orders = [order for order in self.orders if order[0] != node]
        return [order for _, order, at in mine if at >= since]

    def _check(self) -> None:
        if self.away:
            raise ConferencesUnavailable("the test says so")
