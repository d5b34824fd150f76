"""Telling users of new messages, and of what else they should know, once."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol

from vm_ari.domain.delivery import Attempts
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.notifications import Announcement, Channel, Notice, State, Tally
from vm_ari.domain.users import User


class NoticeNotKept(Exception):
    """A notice could not be kept, so it is not on its way; it will be tried again. The text says
    why.
    """


class NoticeBookUnavailable(Exception):
    """What is remembered of notices can neither be read nor written now. The text says why."""


class NoticeBook(Protocol):
    """What was counted and announced last, of every mailbox; several controllers share it.

    Every method raises `NoticeBookUnavailable`.
    """

    async def note(
        self,
        user_id: str,
        decide: Callable[[State | None], tuple[State, Announcement | None]],
    ) -> State:
        """Change what is remembered, and keep what is to be announced, in one step.

        As if nobody else were there: *decide* may be called again, and in another thread. Durable
        when this returns what is remembered now.
        """
        ...

    async def taken(self, announcement_id: str, channel: Channel) -> None:
        """That channel has its notice; with the last one the announcement is forgotten."""
        ...

    async def unfinished(self, node: str, before: datetime) -> Sequence[Announcement]:
        """What that controller has left, and what others have left since before that time."""
        ...

    async def change(
        self, change: Callable[[Tally], Tally], user_ids: Collection[str] | None = None
    ) -> int:
        """Change every topic of those users, or of all; how many users that were.

        Users of whom nothing is remembered are left out.
        """
        ...

    async def changed_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """Ids of users who were changed by `change` after that *mark*, and the mark of now."""
        ...


class NoticeRefused(NoticeNotKept):
    """A limit forbids that notice for good, so it is not tried again. The text says why."""


class NoticeOutlet(Protocol):
    """One way to tell users of new messages (NOTIFY-03)."""

    @property
    def channel(self) -> Channel:
        """Which one it is."""
        ...

    def obstacle(self, user: User) -> str:
        """Why it cannot be used for that user (NOTIFY-04); empty: it can.

        A short English sentence such as “no mobile number”.
        """
        ...

    async def announce(self, user: User, notice: Notice) -> None:
        """Keep it durably; sending and trying again is a queue's business.

        A notice of an id that was kept before is not kept again. Raises `NoticeNotKept`, also as
        `NoticeRefused`.
        """
        ...


class NoticeJobs(Protocol):
    """Notices on their way, on the disk. Every method raises `NoticeNotKept`."""

    async def add(self, job: NoticeJob) -> bool:
        """Keep it, durably; False for one that was kept before."""
        ...

    async def waiting(self) -> Sequence[str]:
        """Ids of what is to be sent."""
        ...

    async def read(self, job_id: str) -> tuple[NoticeJob, Attempts] | None:
        """One that waits, with its history; None if it is gone."""
        ...

    async def postpone(self, job: NoticeJob, history: Attempts) -> None:
        """It could not be sent now."""
        ...

    async def hold(self, job: NoticeJob, history: Attempts) -> None:
        """It was refused for good, or given up: kept for the admin."""
        ...

    async def over(self, job_id: str) -> None:
        """Nothing is left to do; that id is not kept again."""
        ...

    async def is_known(self, job_id: str) -> bool:
        """Does it wait, was it refused, or was it over lately?"""
        ...

    async def sweep(self) -> None:
        """Forget what was over long ago."""
        ...


class TellingsUnavailable(Exception):
    """It cannot be found out, or not be kept, what users were told. The text says why."""


class Tellings(Protocol):
    """What users were told, remembered by all nodes together.

    Occasions are names of at most 64 characters of ASCII. Every method raises
    `TellingsUnavailable`.
    """

    async def begun(self, now: datetime) -> datetime:
        """Since when users are told, in whole seconds: from *now* on where nobody has asked yet."""
        ...

    async def settled(self, occasions: Collection[str]) -> frozenset[str]:
        """Those of them that users were told of."""
        ...

    async def claim(self, occasion: str, now: datetime) -> bool:
        """Is it this node that tells it? No other one does so then, as long as this one lives."""
        ...

    async def tell(self, occasion: str) -> None:
        """It is on its way to the user."""
        ...

    async def sweep(self, now: datetime) -> None:
        """Forget what is too old to be told again."""
        ...
