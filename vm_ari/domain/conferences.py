"""A conference as facts: who is there, who is heard, what the room does for them (UM-04).

Everything here is a value; a change makes a new one. `stage` says what the telephone system must
do about it, so that whoever finds a conference that goes on can bring it in order again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from vm_ari.domain.callers import Caller
from vm_ari.domain.conference_settings import Alone, Announcement, Begin, Recorded
from vm_ari.domain.users import User

WARNED_BEFORE = timedelta(minutes=1)
"""So long before the longest time is over everybody is told."""


class Role(StrEnum):
    """Which PIN somebody has typed."""

    PARTICIPANT = "participant"
    MODERATOR = "moderator"


@dataclass(frozen=True)
class RoomRules:
    """What the owner has decided."""

    announcement: Announcement = Announcement.NAMES
    alone: Alone = Alone.MUSIC
    begin: Begin = Begin.AT_ONCE
    recorded: Recorded = Recorded.ON_DEMAND
    recording_announced: bool = True
    most_parties: int = 20
    longest_minutes: int = 240


def rules_of(user: User) -> RoomRules:
    """From the user's settings."""
    return RoomRules(
        announcement=user.conference_announcement,
        alone=user.conference_alone,
        begin=user.conference_begin,
        recorded=user.conference_recorded,
        recording_announced=user.conference_recording_announced,
        most_parties=user.conference_parties,
        longest_minutes=user.conference_minutes,
    )


@dataclass(frozen=True)
class Party:
    """Somebody who has come in."""

    channel: str
    """The line, as the telephone system calls it."""
    number: int
    """The how many-th to come in: a name for who has said none."""
    role: Role
    joined: datetime
    """UTC."""
    caller: Caller = field(default_factory=Caller)
    withheld: bool = False
    """Does the caller hide the number?"""
    name: str = ""
    """Path of the recorded name, without suffix; empty: none was said."""
    muted: bool = False
    aside: bool = False
    """In a menu just now: neither hears nor is heard."""

    @property
    def moderates(self) -> bool:
        """May this party decide about others?"""
        return self.role is Role.MODERATOR


@dataclass(frozen=True)
class Conference:
    """One meeting in a room, from the first who comes to the last who goes."""

    id: str
    """Random; ASCII letters and digits."""
    number: str
    """Of the room: the owner's, as the directory writes it."""
    owner: str
    """User id."""
    started: datetime
    """UTC."""
    language: str = "en"
    rules: RoomRules = field(default_factory=RoomRules)
    parties: tuple[Party, ...] = ()
    begun: bool = False
    """Do they hear each other?"""
    locked: bool = False
    hushed: bool = False
    """Is everybody muted but the moderators, also who comes later?"""
    recording: str = ""
    """Id of the item in the spool; empty: nothing is recorded."""
    came: int = 0
    """How many have come in, with those who have gone."""
    names: tuple[str, ...] = ()
    """Paths of all names that were said, also of those who have gone."""
    warned: bool = False
    """Has everybody heard that the time is nearly over?"""

    def party(self, channel: str) -> Party | None:
        """Who that is; None: nobody of them."""
        return next((one for one in self.parties if one.channel == channel), None)

    @property
    def ends(self) -> datetime:
        """When the longest time is over."""
        return self.started + timedelta(minutes=self.rules.longest_minutes)


class Admission(Enum):
    """May somebody come in?"""

    WELCOME = "welcome"
    LOCKED = "locked"
    FULL = "full"


class HappeningKind(StrEnum):
    """What everybody in the room is told."""

    JOINED = "joined"
    LEFT = "left"
    ALONE = "alone"
    BEGINS = "begins"
    LOCKED = "locked"
    OPENED = "opened"
    HUSHED = "hushed"
    UNHUSHED = "unhushed"
    RECORDED = "recorded"
    NOT_RECORDED = "not-recorded"
    ENDS_SOON = "ends-soon"


@dataclass(frozen=True)
class Happening:
    """One of them, and about whom."""

    kind: HappeningKind
    party: Party | None = None


Change = Callable[[Conference], Conference]
"""From what is to what shall be."""


def admission(conference: Conference, role: Role) -> Admission:
    """A lock does not keep moderators out, for they have locked it; a full room is full."""
    if len(conference.parties) >= conference.rules.most_parties:
        return Admission.FULL
    if conference.locked and role is not Role.MODERATOR:
        return Admission.LOCKED
    return Admission.WELCOME


def entered(conference: Conference, party: Party) -> Conference:
    """With one more; it begins with the first, or with the first moderator."""
    at_once = conference.rules.begin is Begin.AT_ONCE
    quiet = conference.hushed and not party.moderates
    party = replace(party, number=conference.came + 1, muted=party.muted or quiet)
    return replace(
        conference,
        parties=(*conference.parties, party),
        names=(*conference.names, *filter(None, (party.name,))),
        came=party.number,
        begun=conference.begun or at_once or party.moderates,
    )


def without(conference: Conference, channel: str) -> Conference:
    """Somebody has gone. What has begun goes on without a moderator."""
    return replace(conference, parties=tuple(p for p in conference.parties if p.channel != channel))


def with_muted(conference: Conference, channel: str, muted: bool) -> Conference:
    """Is that party heard?"""
    return _changed(conference, channel, muted=muted)


def with_aside(conference: Conference, channel: str, aside: bool) -> Conference:
    """Is that party in a menu?"""
    return _changed(conference, channel, aside=aside)


def with_hushed(conference: Conference, hushed: bool) -> Conference:
    """Mute everybody but the moderators, or let everybody be heard again."""
    parties = tuple(
        one if one.moderates and hushed else replace(one, muted=hushed)
        for one in conference.parties
    )
    return replace(conference, hushed=hushed, parties=parties)


def with_locked(conference: Conference, locked: bool) -> Conference:
    """May others come in?"""
    return replace(conference, locked=locked)


def with_recording(conference: Conference, item: str) -> Conference:
    """The spool item that it is recorded into; empty: it is not."""
    return replace(conference, recording=item)


def happenings(before: Conference, after: Conference) -> tuple[Happening, ...]:
    """What of a change everybody is told.

    What nobody is there to hear is not said: who is alone hears nothing of himself.
    """
    told: list[Happening] = []
    heard = after.begun and before.parties
    if heard:
        told += [Happening(HappeningKind.LEFT, p) for p in _gone(before, after)]
        if before.begun:
            told += [Happening(HappeningKind.JOINED, p) for p in _gone(after, before)]
        else:
            told.append(Happening(HappeningKind.BEGINS))
        if len(before.parties) > len(after.parties) == 1 and _hears_sentence(after):
            told.append(Happening(HappeningKind.ALONE))
    told += _switched(before.locked, after.locked, HappeningKind.LOCKED, HappeningKind.OPENED)
    told += _switched(before.hushed, after.hushed, HappeningKind.HUSHED, HappeningKind.UNHUSHED)
    if after.rules.recording_announced:
        told += _switched(
            bool(before.recording),
            bool(after.recording),
            HappeningKind.RECORDED,
            HappeningKind.NOT_RECORDED,
        )
    if after.warned and not before.warned:
        told.append(Happening(HappeningKind.ENDS_SOON))
    return tuple(told) if after.parties else ()


@dataclass(frozen=True)
class Stage:
    """What the telephone system must do: who is in the bridge, who is not heard there, music."""

    inside: frozenset[str] = frozenset()
    """Channels."""
    unheard: frozenset[str] = frozenset()
    """Those of them whose voice does not reach the others."""
    music: bool = False


def stage(conference: Conference) -> Stage:
    """Who waits for the moderator is in the bridge already, unheard, and hears music."""
    inside = [one for one in conference.parties if not one.aside]
    waits = not conference.begun
    lonely = len(conference.parties) == 1 and conference.rules.alone is Alone.MUSIC
    return Stage(
        frozenset(one.channel for one in inside),
        frozenset(one.channel for one in inside if one.muted or waits),
        music=bool(inside) and (waits or lonely),
    )


class Deadline(Enum):
    """What the time demands."""

    NOTHING = "nothing"
    WARN = "warn"
    END = "end"


def deadline(conference: Conference, now: datetime) -> Deadline:
    """Is the longest time over, or nearly?"""
    if now >= conference.ends:
        return Deadline.END
    nearly = now >= conference.ends - WARNED_BEFORE
    return Deadline.WARN if nearly and not conference.warned else Deadline.NOTHING


def _changed(conference: Conference, channel: str, **facts: bool) -> Conference:
    parties = tuple(
        replace(one, **facts) if one.channel == channel else one  # type: ignore[arg-type]
        for one in conference.parties
    )
    return replace(conference, parties=parties)


def _hears_sentence(conference: Conference) -> bool:
    return conference.rules.alone is Alone.SENTENCE


def _gone(before: Conference, after: Conference) -> list[Party]:
    there = {one.channel for one in after.parties}
    return [one for one in before.parties if one.channel not in there]


def _switched(was: bool, now: bool, on: HappeningKind, off: HappeningKind) -> list[Happening]:
    return [] if was == now else [Happening(on if now else off)]
