"""Is this controller well? Each part is asked; what is missing is one line (OPS-03)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

PATIENCE = 3.0
"""Seconds for the answer of one part."""
FRESH = 2.0
"""Seconds: who asks more often hears the same again, so nobody can tire the servers out."""
LONGEST_TEXT = 200

Ask = Callable[[], Awaitable[str]]
"""What is wrong, in words; empty: nothing. May raise: that is a fault, too."""


@dataclass(frozen=True)
class Part:
    """Something that calls need (*needed*), or that only some things need."""

    name: str
    ask: Ask
    needed: bool = True


@dataclass(frozen=True)
class State:
    """How one part is."""

    name: str
    needed: bool
    fault: str
    """Empty: it is well."""

    def __str__(self) -> str:
        """One line."""
        if not self.fault:
            return f"ok      {self.name}"
        return f"{'MISSING' if self.needed else 'warning'} {self.name}: {self.fault}"


@dataclass(frozen=True)
class Report:
    """How all of them are."""

    states: tuple[State, ...]

    @property
    def ready(self) -> bool:
        """Can calls be served?"""
        return not any(one.needed and one.fault for one in self.states)


class Health:
    """Asks all parts at the same time, one question for everybody who wants to know."""

    def __init__(
        self, parts: Sequence[Part], *, patience: float = PATIENCE, fresh: float = FRESH
    ) -> None:
        self._parts = tuple(parts)
        self._patience = patience
        self._fresh = fresh
        self._asking = asyncio.Lock()
        self._known = Report(())
        self._known_at = -fresh - 1.0

    async def report(self) -> Report:
        """As it is now, or was a moment ago. Raises nothing."""
        async with self._asking:
            loop = asyncio.get_running_loop()
            if loop.time() - self._known_at > self._fresh:
                states = await asyncio.gather(*(self._state(part) for part in self._parts))
                self._known, self._known_at = Report(tuple(states)), loop.time()
            return self._known

    async def _state(self, part: Part) -> State:
        try:
            async with asyncio.timeout(self._patience):
                fault = await part.ask()
        except TimeoutError:
            fault = f"no answer within {self._patience:g} s"
        except Exception as error:  # whatever is broken, the others are asked
            fault = str(error) or type(error).__name__
        return State(part.name, part.needed, " ".join(fault.split())[:LONGEST_TEXT])
