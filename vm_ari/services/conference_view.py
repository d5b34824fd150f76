"""The conferences of all controllers, for portal, API and commands: look, and leave orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from vm_ari.ports import Clock
from vm_ari.ports.conference import ConferenceBoard, LiveConference, RoomOrder, Verb

SILENT_AFTER = timedelta(seconds=25)
"""What a controller has not shown for so long is over, or the controller is dead."""


@dataclass(frozen=True)
class ConferenceView:
    """Methods raise `ConferencesUnavailable`."""

    board: ConferenceBoard
    clock: Clock

    async def all(self) -> Sequence[LiveConference]:
        """The oldest first."""
        return await self.board.all(self.clock.now() - SILENT_AFTER)

    async def of(self, owner: str) -> Sequence[LiveConference]:
        """Those in that user's rooms."""
        return [one for one in await self.all() if one.conference.owner == owner]

    async def one(self, conference_id: str) -> LiveConference | None:
        """By its id; None: it is over."""
        found = (one for one in await self.all() if one.conference.id == conference_id)
        return next(found, None)

    async def order(self, live: LiveConference, verb: Verb, *, party: int = 0, by: str) -> None:
        """Its controller does that within a second or two. Who may has been decided before."""
        order = RoomOrder(live.conference.id, verb, party, by)
        await self.board.order(live.node, order, self.clock.now())
