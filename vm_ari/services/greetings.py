"""What phone, portal and command line do with greetings; who may is the callers' business."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey, Slot, Source
from vm_ari.domain.recording import Ending, Limits, worth_keeping
from vm_ari.ports import Greetings, GreetingsUnavailable, GreetingTake, GreetingTakes, Voice

BY_PHONE = Limits(longest=120, silence=5, shortest=0.5, warning=10)
"""For recordings by telephone, where the site says nothing else."""


class NoGreeting(LookupError):
    """There is no such greeting. The text says which."""

    def __init__(self, key: GreetingKey) -> None:
        whose = f"of {key.owner}" if key.owner != SITE else "of the site"
        super().__init__(f"There is no greeting “{key.slot}” in language {key.language} {whose}.")


@dataclass(frozen=True)
class GreetingBook:
    """Everybody's greetings, and how new ones are made.

    Every method that waits raises `GreetingsUnavailable`.
    """

    store: Greetings
    voice: Voice

    async def listed(self, owner: str) -> Sequence[Greeting]:
        """What somebody has, in the order of slots and languages, also expired ones."""
        found = (await self.store.of(owner)).values()
        order = list(Slot)
        return sorted(found, key=lambda one: (order.index(one.key.slot), one.key.language))

    async def find(self, key: GreetingKey) -> Greeting:
        """One greeting. Raises `NoGreeting`."""
        try:
            return (await self.store.of(key.owner))[key]
        except KeyError:
            raise NoGreeting(key) from None

    async def keep_file(
        self, key: GreetingKey, file: Path, *, expires: datetime | None = None
    ) -> Greeting:
        """A file of any common format becomes the greeting. Raises `UnusableAudio`."""
        _check(key)
        return await self.store.keep(key, file, Source.UPLOAD, expires=expires)

    async def keep_text(
        self, key: GreetingKey, text: str, *, expires: datetime | None = None
    ) -> Greeting:
        """Speak a text in the greeting's language.

        Raises `Unspeakable`, `VoiceUnavailable`, `UnusableAudio`.
        """
        _check(key)
        spoken = await self.voice.spoken(text, key.language)
        return await self.store.keep(key, spoken, Source.SPEECH, expires=expires)

    async def delete(self, key: GreetingKey) -> None:
        """Forget one. Raises `NoGreeting`."""
        if not await self.store.delete(key):
            raise NoGreeting(key)

    async def delete_all(self, owner: str) -> int:
        """Forget all of an owner's, the name included; how many there were."""
        return await self.store.delete_all(owner)

    async def set_expiry(self, key: GreetingKey, expires: datetime | None) -> Greeting:
        """From then on it is as if it were not there. Raises `NoGreeting`."""
        changed = await self.store.set_expiry(key, expires)
        if changed is None:
            raise NoGreeting(key)
        return changed

    async def global_mode(self) -> GlobalMode:
        """When the global greeting plays."""
        return await self.store.global_mode()

    async def set_global_mode(self, mode: GlobalMode) -> None:
        """Decide it for the whole site."""
        await self.store.set_global_mode(mode)


@dataclass(frozen=True)
class GreetingStudio:
    """Where greetings are recorded by telephone.

    Every method that waits raises `GreetingsUnavailable`.
    """

    store: Greetings
    takes: GreetingTakes
    limits: Limits = BY_PHONE

    def new_take(self) -> GreetingTake:
        """Where to record; discard it in every case."""
        return self.takes.new()

    async def is_usable(self, take: GreetingTake, ending: Ending) -> bool:
        """Can what was just recorded become a greeting?

        Raises `GreetingsUnavailable` also when a fault ended the recording.
        """
        if ending.is_fault:
            raise GreetingsUnavailable("Asterisk could not write the recording, or heard nothing.")
        found = await self.takes.inspect(take)
        return found is not None and worth_keeping(found, self.limits, ending)

    async def keep(self, key: GreetingKey, take: GreetingTake) -> Greeting:
        """It becomes the greeting. Raises `UnusableAudio`."""
        _check(key)
        return await self.store.keep(key, take.file, Source.PHONE)

    async def discard(self, take: GreetingTake) -> None:
        """The take is not needed any more, or was not wanted."""
        await self.takes.discard(take)


def _check(key: GreetingKey) -> None:
    """The site has only the global greeting, and nobody else has one."""
    if (key.owner == SITE) != (key.slot is Slot.GLOBAL):
        raise ValueError(f"{key.slot} is no greeting of {key.owner or 'the site'}")
