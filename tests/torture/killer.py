"""Whoever kills, stops and freezes the parts at random, and starts them again."""

import asyncio
import contextlib
import random
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.torture.book import Book, Outage, Part, Way
from tests.torture.servers import MortalDirectory, MortalMailStore, MortalServer
from vm_ari.adapters.asterisk.process import AsteriskFailed
from vm_ari.demo.world import ControllerFailed, World

Pause = tuple[float, float]
"""From … to seconds."""


@dataclass(frozen=True)
class Habit:
    """How often a part fails, how, and for how long."""

    lives: Pause
    away: Pause
    ways: tuple[Way, ...]


SERVER_WAYS = (Way.KILL, Way.KILL, Way.TERM, Way.FREEZE)
HABITS: Mapping[Part, Habit] = {
    Part.CONTROLLER: Habit((0.5, 30.0), (0.0, 1.5), (Way.KILL, Way.KILL, Way.KILL, Way.TERM)),
    Part.ASTERISK: Habit((12.0, 40.0), (0.0, 2.0), (Way.KILL, Way.TERM)),
    Part.SLAPD: Habit((4.0, 25.0), (0.0, 4.0), SERVER_WAYS),
    Part.DOVECOT: Habit((4.0, 25.0), (0.0, 4.0), SERVER_WAYS),
    Part.SMTP: Habit((4.0, 25.0), (0.0, 4.0), SERVER_WAYS),
}
"""An Asterisk that is frozen only tears holes into what callers say: it is never that."""
NEVER_READY = 0.2
"""Share of controllers that are killed whether they are ready or not."""


FIRST_LIFE = 0.4
"""Share of a life, so that in a short torture everything is killed, too."""
TRIES = 4
SLOWEST_END = 14.0
"""Seconds: what its systemd unit would wait for is more."""


@dataclass
class Killer:
    """Lets every part of that world fail, each in a rhythm of its own."""

    world: World
    book: Book
    seed: str
    on_dead_lines: Callable[[], None]
    """Told when all calls are gone without a word."""
    habits: Mapping[Part, Habit] = field(default_factory=lambda: HABITS)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until `stop`; then everything is there again."""
        async with asyncio.TaskGroup() as parts:
            for part in self.habits:
                parts.create_task(self._torments(part))

    def stop(self) -> None:
        """No more."""
        self.over.set()

    async def _torments(self, part: Part) -> None:
        dice, habit = random.Random(f"{self.seed} {part}"), self.habits[part]
        if part is Part.CONTROLLER:
            await self._torments_controller(dice, habit)
            return
        lives = dice.uniform(*habit.lives) * FIRST_LIFE
        while await self._lasts(lives):
            way, away = dice.choice(habit.ways), dice.uniform(*habit.away)
            begun = time.monotonic()
            back = await self._fails(part, way)
            await self._lasts(away)
            await back()
            self.book.outages.append(Outage(part, way, begun, time.monotonic()))
            lives = dice.uniform(*habit.lives)

    async def _fails(self, part: Part, way: Way) -> Callable[[], Awaitable[None]]:
        """Let it fail; how it comes back."""
        if part is Part.ASTERISK:
            asterisk = self.world.asterisk
            await (asterisk.kill() if way is Way.KILL else asterisk.stop())
            self.on_dead_lines()
            return partial(started, asterisk.start)
        server = self._server(part)
        match way:
            case Way.KILL:
                server.kill()
                return server.again
            case Way.TERM:
                await server.stop_process()
                return server.again
            case Way.FREEZE:
                server.signal(signal.SIGSTOP)

        async def thaw() -> None:
            server.signal(signal.SIGCONT)

        return thaw

    def _server(self, part: Part) -> MortalServer:
        users, store = self.world.users, self.world.store
        assert isinstance(users, MortalDirectory)
        assert isinstance(store, MortalMailStore)
        servers = {
            Part.SLAPD: users.server,
            Part.DOVECOT: store.server,
            Part.SMTP: store.smtp_server,
        }
        return servers[part]

    # --- the controller, which may die before it is ready

    async def _torments_controller(self, dice: random.Random, habit: Habit) -> None:
        lives = dice.uniform(*habit.lives) * FIRST_LIFE
        while await self._lasts(lives):
            self._look_after_the_controller()
            way, begun = dice.choice(habit.ways), time.monotonic()
            await self._ends_the_controller(way)
            await self._lasts(dice.uniform(*habit.away))
            if dice.random() < NEVER_READY:
                await self._dies_young(dice.uniform(0.1, 2.0))
            await self._starts()
            self.book.outages.append(Outage(Part.CONTROLLER, way, begun, time.monotonic()))
            lives = dice.uniform(*habit.lives)

    async def _ends_the_controller(self, way: Way) -> None:
        if way is Way.KILL:
            self.world.kill_controller()
            return
        asked = time.monotonic()
        await self.world.stop_controller()
        if (took := time.monotonic() - asked) > SLOWEST_END:
            self.book.complaints.append(f"the controller took {took:.0f} s to end")

    async def _dies_young(self, seconds: float) -> None:
        """Whether it is ready or not."""
        starting = asyncio.create_task(self._starts())
        await self._lasts(seconds)
        self._look_after_the_controller()
        self.world.kill_controller()
        await starting

    async def _starts(self) -> None:
        """Where Asterisk is away for too long, or we kill it, it is not ready: no complaint."""
        with contextlib.suppress(ControllerFailed):
            await self.world.start_controller()
        self._look_after_the_controller()

    def _look_after_the_controller(self) -> None:
        with contextlib.suppress(RuntimeError):
            if has_ended(self.world.controller_pid):
                last = self.world.controller_log.read_text(errors="replace").splitlines()[-3:]
                self.book.complaints.append(f"the controller ended by itself: {last}")

    async def _lasts(self, seconds: float) -> bool:
        """So long, or until all is over; is there more to do?"""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()
        return not self.over.is_set()


async def started(start: Callable[[], Awaitable[None]]) -> None:
    """On a machine that has much else to do a program may need more than one try."""
    for _ in range(TRIES - 1):
        with contextlib.suppress(AsteriskFailed, ControllerFailed):
            await start()
            return
    await start()


def has_ended(process: int) -> bool:
    """Is that child of ours dead, though nobody has asked for its end yet?"""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"
