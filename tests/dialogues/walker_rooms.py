"""Conference rooms for the walk: as different as rooms are, and used by several at a time."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.dialogues.conference_site import MODERATOR, PIN, ROOM, Meeting
from tests.dialogues.exchange import CALLER
from tests.fake_channel import FakeChannel
from tests.fake_conferences import FakeBridges
from vm_ari.dialogues.conference_words import announced_clips
from vm_ari.dialogues.desk import Visit
from vm_ari.dialogues.reception import receive
from vm_ari.domain.conferences import Conference, Happening
from vm_ari.speech.parts import Clip
from vm_ari.telephony.call import Call

MINUTES = 4
"""So long a conference may last: who is silent in it is out within a walker's patience."""
MOST_AT_ONCE = 6
ENTER = (PIN, PIN, MODERATOR, MODERATOR, "2468")
"""PINs that people type, the last one in error."""


@dataclass
class HeardBridges(FakeBridges):
    """Remembers what everybody in a room has heard."""

    heard: list[Clip] = field(default_factory=list)

    async def announce(self, conference: Conference, happening: Happening) -> None:
        """See `Bridges`."""
        await super().announce(conference, happening)
        self.heard += announced_clips(conference, happening)


class WalkedRoom(Meeting):
    """It lives on between its conferences."""

    def __init__(self, dice: random.Random, **settings: object) -> None:
        super().__init__(**{"conference_minutes": MINUTES, **settings})
        self._dice = dice
        self.heard = HeardBridges(self.site.spool.takes, exists=self._exists)
        self.bridges = self.heard
        self.restart()

    @asynccontextmanager
    async def meets(self) -> AsyncIterator[Sequence[str]]:
        """Some people come, with these PINs; meanwhile the room is looked after."""
        self.heard.heard.clear()
        self.bridges.refuses = {"record"} if self._dice.random() < 0.2 else set()
        self.memory.broken = self._dice.random() < 0.05
        async with self.open():
            yield [self._dice.choice(ENTER) for _ in range(self._dice.randint(1, MOST_AT_ONCE))]

    def surprises(self) -> None:
        """The telephone system does not record any more, or does again."""
        self.bridges.refuses ^= {"record"}

    def enters(self, line: FakeChannel, call: Call) -> "asyncio.Future[None]":
        """Somebody calls the room."""
        self.lines[line.id] = line
        purpose = self._dice.choice(("leave", "conference"))
        return asyncio.ensure_future(receive(call, purpose, Visit(CALLER, ROOM), self.site.desk))

    def leftovers(self) -> list[str]:
        """What stays though all have gone."""
        rooms, bridges = self.conferences.rooms, self.bridges.bridges
        return [f"conferences left: {list(rooms)} {list(bridges)}"] if rooms or bridges else []


def rooms(dice: random.Random) -> Sequence[WalkedRoom]:
    """What one does not do another one does."""
    return (
        WalkedRoom(dice, conference_announcement="names", conference_alone="sentence"),
        WalkedRoom(dice, conference_announcement="tone", conference_parties=2),
        WalkedRoom(dice, conference_begin="with-moderator", conference_recorded="always"),
        WalkedRoom(dice, conference_announcement="names", conference_recorded="never"),
    )
