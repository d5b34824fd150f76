"""A program of the site is told of new messages, by HTTP (NOTIFY-03)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from vm_ari.domain.notice_jobs import Fate, Lane, NoticeJob, Over, Pace, job_id
from vm_ari.domain.notifications import Channel, Notice
from vm_ari.domain.users import User
from vm_ari.domain.webhooks import event
from vm_ari.ports import DeliveryPostponed, NoticeNotKept
from vm_ari.services.notice_sending import NoticeSending

NO_RECEIVER = "no webhook is configured"


class Receiver(Protocol):
    """Takes events."""

    async def tell(self, event_id: str, body: str) -> bool:
        """Hand it over; False: it wants no more of them.

        Raises `DeliveryPostponed`, `DeliveryRefused`.
        """
        ...


@dataclass(frozen=True)
class WebhookNotices:
    """`ports.NoticeOutlet`, and the way of its jobs."""

    sending: NoticeSending
    receiver: Receiver | None = None
    give_up: timedelta = timedelta(hours=72)

    def __post_init__(self) -> None:
        self.sending.serve(self)

    @property
    def channel(self) -> Channel:
        """See `NoticeOutlet`."""
        return Channel.WEBHOOK

    @property
    def pace(self) -> Pace:
        """See `Way`."""
        return Pace(Lane.EACH, first=timedelta(seconds=10), give_up=self.give_up)

    def obstacle(self, _user: User) -> str:
        """See `NoticeOutlet`."""
        return "" if self.receiver else NO_RECEIVER

    async def announce(self, user: User, notice: Notice) -> None:
        """See `NoticeOutlet`."""
        if self.receiver is None:
            raise NoticeNotKept(NO_RECEIVER)
        body = event(user, notice, job_id(self.channel, user.id, notice.id))
        await self.sending.keep(self.channel, user.id, notice.id, {"body": body})

    async def hindrance(self, _job: NoticeJob) -> Fate | None:
        """See `Way`."""
        return None

    async def send(self, job: NoticeJob) -> Fate:
        """See `Way`."""
        if self.receiver is None:
            raise DeliveryPostponed(NO_RECEIVER)
        wanted = await self.receiver.tell(job.id, job.content["body"])
        return Over() if wanted else Over("the receiver wants no more of it (410)")
