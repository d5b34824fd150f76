"""The recorded greetings, and recordings that may become one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vm_ari.domain.greeting_ends import GreetingEnd
from vm_ari.domain.greetings import GlobalMode, Greeting, GreetingKey, Source
from vm_ari.domain.recording import Take


class GreetingsUnavailable(Exception):
    """Greetings can neither be read nor written now. The text says why."""


class UnusableAudio(Exception):
    """What was recorded or uploaded cannot become a greeting. The text says what to do."""

    def __init__(self, text: str, flaw: str = "") -> None:
        super().__init__(text)
        self.flaw = flaw
        """In one word, such as ``too-long``; empty where there is none."""


class Greetings(Protocol):
    """The recorded greetings of all users, and of the site.

    Every method raises `GreetingsUnavailable`.
    """

    async def of(self, owner: str) -> Mapping[GreetingKey, Greeting]:
        """All that a user has (or the site, `domain.greetings.SITE`), also expired ones."""
        ...

    async def keep(
        self,
        key: GreetingKey,
        audio: Path,
        source: Source,
        *,
        expires: datetime | None = None,
    ) -> Greeting:
        """Make *audio* (any common format) the greeting, in place of an older one.

        Level and silence are put right; until it is durable the older one stays. Raises
        `UnusableAudio`.
        """
        ...

    async def set_expiry(self, key: GreetingKey, expires: datetime | None) -> Greeting | None:
        """Let it end then, or never; None if there is no such greeting."""
        ...

    async def delete(self, key: GreetingKey) -> bool:
        """Was there one?"""
        ...

    async def delete_all(self, owner: str) -> int:
        """Everything of an owner, the name included; how many there were."""
        ...

    async def for_callers(self, owner: str) -> tuple[Mapping[GreetingKey, Greeting], GlobalMode]:
        """All that callers of an owner may hear, the site's included, and `global_mode`."""
        ...

    async def global_mode(self) -> GlobalMode:
        """When the global greeting plays; `GlobalMode.OFF` where nobody has decided."""
        ...

    async def set_global_mode(self, mode: GlobalMode) -> None:
        """Decide it for the whole site; other controllers see it with the next call."""
        ...

    async def ending(
        self, owners: Collection[str], after: datetime, until: datetime
    ) -> Sequence[GreetingEnd]:
        """Which recordings of these owners end after the one moment and not after the other."""
        ...


@dataclass(frozen=True)
class GreetingTake:
    """A recording of a greeting by telephone that nobody has decided to keep yet."""

    name: str
    """Under which Asterisk records it."""
    path: Path
    """Where it lies then; without suffix, as Asterisk plays it."""

    @property
    def file(self) -> Path:
        """The same as a file."""
        return self.path.with_name(f"{self.path.name}.wav")


class GreetingTakes(Protocol):
    """Recordings by telephone before they are greetings.

    Every method that waits raises `GreetingsUnavailable`.
    """

    def new(self) -> GreetingTake:
        """A place for one."""
        ...

    async def inspect(self, take: GreetingTake) -> Take | None:
        """Length and speech; None if there is no audio."""
        ...

    async def discard(self, take: GreetingTake) -> None:
        """Forget it; harmless where there is none."""
        ...
