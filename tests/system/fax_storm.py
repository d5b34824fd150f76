"""Faxes are ordered, some at the same time, while the controller is killed again and again."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from PIL import Image

from tests import faxes
from tests.system.fax_machines import STORM
from vm_ari.demo.world import ControllerFailed, World
from vm_ari.domain.fax_orders import FaxOrder
from vm_ari.domain.orders import Way
from vm_ari.ports.fax_sending import Paper
from vm_ari.services.fax_ordering import FaxOrdering

AT_ONCE = 4
ALIVE, AWAY = 6.0, 2.0
"""Seconds that the controller lives, and is dead, at most."""
TRIES = 20
"""Starts of a controller."""
LINES = 400
"""Of each page: a modem needs a second or two for it."""


def pages(number: int) -> list[Image.Image]:
    """Two that are nobody else's."""
    size = (faxes.A4[0], LINES)
    return [
        faxes.page((f"Fax {number}, page {page}",)).crop((0, 0, *size)).copy() for page in (1, 2)
    ]


@dataclass
class FaxStorm:
    """Until the controller was killed so often; *chance* says when."""

    world: World
    ordering: FaxOrdering
    chance: random.Random
    kills: int
    ordered: list[str] = field(default_factory=list)
    """Their numbers."""

    async def run(self) -> None:
        """The last orders may go on when this ends; the controller runs."""
        for done in range(self.kills):
            print(f"{done} kills, {len(self.ordered)} faxes ordered", flush=True)
            await self._order_more()
            await asyncio.sleep(self.chance.uniform(0, ALIVE))
            self.world.kill_controller()
            await asyncio.sleep(self.chance.uniform(0, AWAY))
            await self._start()

    async def _start(self) -> None:
        """A machine with too much to do may need several tries."""
        for _ in range(TRIES - 1):
            with suppress(ControllerFailed):
                return await self.world.start_controller()
        await self.world.start_controller()

    async def _order_more(self) -> None:
        """So that there is always something on the line, and something that waits."""
        going_on: Sequence[FaxOrder] = await self.ordering.orders.going_on()
        for _ in range(AT_ONCE - len(going_on)):
            number = f"{STORM}{len(self.ordered):03}"
            paper = Paper("application/pdf", faxes.pdf(pages(len(self.ordered))))
            self.ordered.append(number)
            await self.ordering.place(self.world.anna.user, number, [paper], way=Way.COMMAND)
