"""Greetings that are being recorded by telephone, in memory."""

from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from vm_ari.domain.recording import Take
from vm_ari.ports import GreetingsUnavailable, GreetingTake


@dataclass
class FakeGreetingTakes:
    """Sees what a `FakeChannel` has recorded into *recorded*."""

    recorded: dict[str, Take]
    given: list[GreetingTake] = field(default_factory=list)
    unavailable: bool = False
    _names: "count[int]" = field(default_factory=lambda: count(1))

    def new(self) -> GreetingTake:
        name = f"vm-ari/greetings/{next(self._names)}"
        self.given.append(GreetingTake(name, Path("/recording") / name))
        return self.given[-1]

    async def inspect(self, take: GreetingTake) -> Take | None:
        self._check()
        return self.recorded.get(take.name)

    async def discard(self, take: GreetingTake) -> None:
        self._check()
        self.recorded.pop(take.name, None)

    def _check(self) -> None:
        if self.unavailable:
            raise GreetingsUnavailable("the test says so")
