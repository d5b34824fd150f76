"""More calls than can be answered in time: the next ones go to the dialplan, and only these."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.connection import AriEvent
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import Address
from vm_ari.domain.lateness import CROWD, PATIENCE

BEGIN = 1_700_000_000.0


class SlowDesk:
    """Answers nobody, and notes who came."""

    def __init__(self) -> None:
        self.came: list[str] = []

    async def call(self, line: AriLine, _arrival: Arrival) -> None:
        """Let him wait."""
        self.came.append(line.id)
        await asyncio.Event().wait()

    async def orphan(self, line: AriLine) -> None:
        """There are none."""
        raise AssertionError(line.id)

    async def connected(self) -> None:
        """Asterisk is not needed here."""


class House:
    """An application to which news are brought by hand."""

    def __init__(self) -> None:
        self.clock = BEGIN
        self.desk = SlowDesk()
        nowhere = Address("http://127.0.0.1:9", "nobody", "nothing")
        self.application = AriApplication(
            nowhere, self.desk, sounds=Path("sounds"), now=lambda: self.clock
        )

    async def brings(self, kind: str, channel: str, state: str) -> None:
        """News of a channel, read as soon as Asterisk has written it."""
        written = datetime.fromtimestamp(self.clock, UTC).isoformat()
        about = {"id": channel, "name": f"PJSIP/{channel}", "state": state}
        event: AriEvent = {
            "type": kind,
            "timestamp": written,
            "args": ["leave", "101"],
            "channel": about,
        }
        self.application._take(event)
        await asyncio.sleep(0)

    async def plays(self, channel: str) -> None:
        """He hears something."""
        playback = {"id": f"{channel}-1", "target_uri": f"channel:{channel}"}
        self.application._take({"type": "PlaybackStarted", "playback": playback})
        await asyncio.sleep(0)


def test_who_comes_behind_a_crowd_is_better_off_with_the_dialplan() -> None:
    async def story() -> None:
        house = House()
        for number in range(CROWD):
            await house.brings("StasisStart", f"early-{number}", "Ring")
        house.clock += PATIENCE + 0.05
        await house.brings("StasisStart", "behind", "Ring")
        assert len(house.desk.came) == CROWD
        await house.brings("ChannelStateChange", "early-0", "Up")
        await house.brings("StasisStart", "also behind", "Ring")
        assert len(house.desk.came) == CROWD
        await house.plays("early-0")
        await house.brings("StasisStart", "later", "Ring")
        assert house.desk.came[CROWD:] == ["later"]

    asyncio.run(story())


def test_callers_who_hear_something_are_no_crowd() -> None:
    async def story() -> None:
        house = House()
        for number in range(2 * CROWD):
            await house.brings("StasisStart", f"answered-{number}", "Up")
            await house.plays(f"answered-{number}")
        house.clock += PATIENCE + 0.05
        await house.brings("StasisStart", "one more", "Ring")
        assert house.desk.came[-1] == "one more"

    asyncio.run(story())
