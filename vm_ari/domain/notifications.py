"""When somebody is told of new messages: pure rules over counts (NOTIFY-03).

What is known of a mailbox is how many new messages of each topic it had when it was counted last. A
notice is due when one has come since then and there are at least as many as the user wants.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from vm_ari.domain.messages import Counts


class Topic(StrEnum):
    """What a notice is about."""

    VOICE = "voice"
    FAX = "fax"
    TEXT = "text"
    """SMS."""

    @property
    def messages(self) -> str:
        """What a person calls them."""
        return _MESSAGES[self]


_MESSAGES = {Topic.VOICE: "voice messages", Topic.FAX: "faxes", Topic.TEXT: "text messages"}


class Channel(StrEnum):
    """How a user is told."""

    LAMP = "lamp"
    """Of the telephone (NOTIFY-01)."""
    MAIL = "mail"
    SMS = "sms"
    CALL = "call"
    """To the office phone, which offers to play the messages."""
    WEBHOOK = "webhook"


@dataclass(frozen=True)
class Notice:
    """One thing to be told to one user by one channel."""

    id: str
    """The same whenever this is tried again, so that nothing is sent twice: hexadecimal."""
    user_id: str
    topics: Mapping[Topic, int]
    """How many new messages there are of each topic that is due."""
    counts: Counts
    """Everything, as it was counted."""
    at: datetime
    """UTC, when it was found due."""


@dataclass(frozen=True)
class Announcement:
    """What one count made due, as it is kept until every channel has taken its notice."""

    id: str
    """That of its notices."""
    user_id: str
    node: str
    """Which controller has found it."""
    at: datetime
    """UTC, in whole seconds."""
    counts: Counts
    due: Mapping[Channel, Mapping[Topic, int]] = field(default_factory=dict)
    """What is still to be told, by channel."""

    def notice(self, channel: Channel) -> Notice:
        """What that channel is given."""
        return Notice(self.id, self.user_id, self.due[channel], self.counts, self.at)


@dataclass(frozen=True)
class Shown:
    """What a telephone is told of its lamp."""

    mailbox: str
    """Its name in Asterisk."""
    new: int
    old: int


MOST_KEPT = 10_000
"""Larger counts are kept as this: nobody needs to be told of more."""
NOTHING: Mapping[Topic, int] = MappingProxyType({})


@dataclass(frozen=True)
class Tally:
    """What is remembered of one topic in one mailbox."""

    seen: int = 0
    """New messages when they were counted last."""
    base: int = 0
    """Of these, those that do not count any more since the last reset."""
    ahead: int = 0
    """Messages that a count has shown, and of which no delivery has been heard (yet): mails of
    others have none."""
    dark: bool = False
    """The user has switched the lamp off, and nothing has come since."""

    @property
    def counter(self) -> int:
        """New messages since the last reset that nobody has heard or read."""
        return self.seen - self.base

    def counted(self, new: int, delivered: int = 0, returned: int = 0) -> tuple["Tally", int]:
        """After another count: what is remembered now, and how many messages have come.

        *delivered* are those that are known to have come before the count began: one may have been
        read at the same time, so that the sum has stayed the same. What a count has shown already
        does not come again by its delivery. *returned*: so many may be new again by their owner's
        hand, which is no news.
        """
        new = min(max(new, 0), MOST_KEPT)
        risen = max(0, new - self.seen - returned)
        hidden = max(0, delivered - risen - self.ahead)
        come = min(risen + hidden, new)
        ahead = min(max(0, self.ahead + risen - delivered), MOST_KEPT)
        base = min(self.base, new - come)
        return Tally(new, base, ahead, self.dark and not come), come

    def reset(self) -> "Tally":
        """The counter begins at zero: what lies there is no news any more."""
        return replace(self, base=self.seen)

    def switched_off(self) -> "Tally":
        """The lamp is dark until something comes."""
        return replace(self, dark=True)


State = Mapping[Topic, Tally]
"""What is remembered of a mailbox."""


@dataclass(frozen=True)
class Wishes:
    """What a user wants to be told of one topic."""

    channels: tuple[Channel, ...] = ()
    threshold: int = 1
    """From so many new messages on."""


@dataclass(frozen=True)
class Outcome:
    """What a count means."""

    state: State
    due: Mapping[Channel, Mapping[Topic, int]]
    """What is to be told: new messages by topic, for each channel but the lamp."""


def first_look(counts: Counts) -> State:
    """Of a mailbox that nobody has counted before: what lies there is not announced."""
    return {topic: Tally(seen=number) for topic, number in new_by_topic(counts).items()}


def judge(
    before: State | None,
    counts: Counts,
    wishes: Mapping[Topic, Wishes],
    delivered: Mapping[Topic, int] = NOTHING,
    returned: int = 0,
) -> Outcome:
    """What is due after a count, and what to remember; *before* None: nobody has counted yet.

    *returned*: see `Tally.counted`. A delivery tells that the mailbox was looked after before: what
    it brought is announced even if nothing is remembered.
    """
    if before is None:
        before = {
            topic: Tally(seen=max(0, number - delivered.get(topic, 0)))
            for topic, number in new_by_topic(counts).items()
        }
    state: dict[Topic, Tally] = {}
    due: dict[Channel, dict[Topic, int]] = {}
    for topic, number in new_by_topic(counts).items():
        old = before.get(topic, Tally(seen=number))
        tally, come = old.counted(number, delivered.get(topic, 0), returned)
        state[topic] = tally
        wish = wishes.get(topic, Wishes())
        if come and tally.counter >= wish.threshold:
            for channel in wish.channels:
                if channel is not Channel.LAMP:
                    due.setdefault(channel, {})[topic] = number
    return Outcome(state, due)


def lamp(state: State | None, counts: Counts, wishes: Mapping[Topic, Wishes]) -> tuple[int, int]:
    """New and old messages that the lamp shows: of the topics it stands for, from the user's
    number on; otherwise it is dark, and only the old ones are told.

    Where nothing is remembered the counts alone decide.
    """
    new = 0
    for topic, number in new_by_topic(counts).items():
        wish = wishes.get(topic, Wishes())
        if Channel.LAMP not in wish.channels:
            continue
        tally = (state or {}).get(topic, Tally(seen=number))
        if not tally.dark and number - min(tally.base, number) >= wish.threshold:
            new += number
    return new, counts.heard_voice


def new_by_topic(counts: Counts) -> Mapping[Topic, int]:
    """How many new messages there are of each."""
    return {
        Topic.VOICE: counts.new_voice,
        Topic.FAX: counts.new_fax,
        Topic.TEXT: counts.new_text,
    }
