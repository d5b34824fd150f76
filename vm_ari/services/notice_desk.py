"""What an administrator sees of the notices of users, and what he resets (NOTIFY-04, NOTIFY-06)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from vm_ari.domain.entries import Entry
from vm_ari.domain.notifications import Channel, State, Tally, Topic
from vm_ari.domain.preferences import ABOUT_NOTICES
from vm_ari.domain.users import User
from vm_ari.ports import NoticeBook, UserRegister
from vm_ari.services.notifications import Notifications

SWITCHED_OFF = "switched off"
MOST_AT_ONCE = 200


class ReadableBook(NoticeBook, Protocol):
    """A book of notices in which one can look somebody up, too."""

    async def state(self, user_id: str) -> State | None:
        """What is remembered of a mailbox; None: nobody has counted it. As `NoticeBook`."""
        ...


@dataclass(frozen=True)
class Way:
    """One channel for one topic."""

    topic: Topic
    channel: Channel
    obstacle: str
    """Why it cannot be used, in English; empty: nothing is in the way."""


@dataclass(frozen=True)
class NoticeDesk:
    """Methods that wait raise `NoticeBookUnavailable`."""

    rules: Notifications
    book: ReadableBook

    def chosen(self, user: User) -> list[Way]:
        """The ways by which that user wants to be told."""
        off = "" if user.notifications else SWITCHED_OFF
        return [
            Way(topic, channel, off or self.rules.obstacle(user, channel))
            for topic in Topic
            for channel in user.channels_for(topic)
        ]

    def unusable(self, user: User) -> list[tuple[Channel, str]]:
        """Channels that cannot be used for that user, chosen or not, and why."""
        reasons = ((channel, self.rules.obstacle(user, channel)) for channel in Channel)
        return [(channel, reason) for channel, reason in reasons if reason]

    async def state(self, user_id: str) -> State | None:
        """What was counted last."""
        return await self.book.state(user_id)

    async def reset_counters(self, user_ids: Collection[str]) -> int:
        """What is new there now is no news any more. How many mailboxes were counted before?"""
        wanted, changed = sorted(user_ids), 0
        for first in range(0, len(wanted), MOST_AT_ONCE):
            changed += await self.book.change(Tally.reset, wanted[first : first + MOST_AT_ONCE])
        return changed

    async def reset_settings(self, register: UserRegister, entry: Entry) -> bool:
        """The organisation's and the site's values count again. Was there one of his own?

        Raises `UserRegister.change_settings`'s errors.
        """
        own = own_settings(entry)
        if own:
            await register.change_settings(entry.id, dict.fromkeys(own))
        return bool(own)


def own_settings(entry: Entry) -> list[str]:
    """Keys of the user's own settings about notices."""
    return [one.key for one in ABOUT_NOTICES if one.key in entry.settings]
