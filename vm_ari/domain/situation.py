"""A call as far as the answer to it depends on it: what is known when the phone is picked up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from vm_ari.domain.active_profile import Active, Candidate, Whose, candidates, nobody_asks
from vm_ari.domain.callers import Caller
from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey, Slot
from vm_ari.domain.holidays import Calendar, no_calendar
from vm_ari.domain.numbers import is_internal
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User


@dataclass(frozen=True, eq=False)
class Situation:
    """Everything that decides how a call is answered."""

    user: User | None
    """The owner of the mailbox; None: nobody has the number."""
    dialled: str
    """The number that was dialled, clean."""
    caller: Caller
    at: datetime
    """With its zone. Raises ValueError without."""
    rules: Rules
    greetings: Mapping[GreetingKey, Greeting] = field(default_factory=dict)
    """The owner's and the site's recordings, also expired ones."""
    global_mode: GlobalMode = GlobalMode.OFF
    spoken: tuple[str, ...] = ("en",)
    """Languages that the system speaks."""
    chosen_language: str = ""
    """What the caller has answered when asked for a language."""
    owner_unknown: bool = False
    """The directory cannot be asked just now: the owner is found later."""
    calendar: Calendar = no_calendar
    whose: Whose = nobody_asks
    """For reasons only."""

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("the time of the call needs its zone")

    @cached_property
    def local(self) -> datetime:
        """The time of the call where the owner is."""
        return self.at.astimezone(ZoneInfo(self.user.time_zone)) if self.user else self.at

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """The turns of the profiles; nobody's mailbox has none."""
        if self.user is None:
            return ()
        return candidates(
            self.user,
            self.rules,
            self.local,
            internal_call=is_internal(self.caller.number, self.rules.sites),
            calendar=self.calendar,
            whose=self.whose,
        )

    @cached_property
    def active(self) -> Active | None:
        """The profile that answers."""
        found = ((one, one.profile) for one in self.candidates if one.profile is not None)
        return next((Active(profile, one.turn, one.reason) for one, profile in found), None)

    def recordings(self, slot: Slot) -> dict[str, Greeting]:
        """What can play now for a slot, by language."""
        owner = SITE if slot is Slot.GLOBAL else self.user and self.user.id
        return {
            key.language: greeting
            for key, greeting in self.greetings.items()
            if (key.owner, key.slot) == (owner, slot) and greeting.plays_at(self.at)
        }
