"""Short messages about new messages (NOTIFY-03): to whom, in which words, through which gateway."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from vm_ari.domain import short_messages
from vm_ari.domain.dialling import Allowed, DiallingRules, may_dial
from vm_ari.domain.notice_jobs import Fate, Lane, NoticeJob, Over, Pace, job_id
from vm_ari.domain.notifications import Channel, Notice
from vm_ari.domain.numbers import Site
from vm_ari.domain.rights import Outgoing, Why, may_sign
from vm_ari.domain.short_messages import ShortMessage, fitted
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, NoticeNotKept, NoticeRefused, SmsGateway
from vm_ari.services.notice_budget import one_more
from vm_ari.services.notice_sending import NoticeSending
from vm_ari.services.rights import Rights

NO_GATEWAY = "no SMS gateway is configured"
Words = Callable[[User, Notice], str]
"""Writes the text; raises whatever a site's template can do wrong."""

Location = Callable[[str], Awaitable[str]]
"""Of a user's id; empty: nobody has said so."""


async def nowhere(_user_id: str) -> str:
    """No user has a location."""
    return ""


@dataclass(frozen=True)
class SmsRules:
    """What the site has decided."""

    dialling: DiallingRules
    sites: tuple[Site, ...]
    sender: str = ""
    """For users who have chosen none."""
    give_up: timedelta = timedelta(hours=4)
    """Later nobody wants the news of then."""
    per_day: int = 20
    """To one user in a day (UTC); 0: no limit."""


@dataclass(frozen=True)
class SmsNotices:
    """`ports.NoticeOutlet`, and the way of its jobs."""

    sending: NoticeSending
    words: Words
    rules: SmsRules
    gateway: SmsGateway | None = None
    location: Location = nowhere
    """Through which one a user's messages go (NOTIFY-07)."""
    rights: Rights | None = None
    """What the user may, and how much of it in a day; None: there are no limits."""

    def __post_init__(self) -> None:
        self.sending.serve(self)

    @property
    def channel(self) -> Channel:
        """See `NoticeOutlet`."""
        return Channel.SMS

    @property
    def pace(self) -> Pace:
        """See `Way`."""
        return Pace(Lane.LATEST, give_up=self.rules.give_up)

    def obstacle(self, user: User) -> str:
        """See `NoticeOutlet`."""
        if self.gateway is None:
            return NO_GATEWAY
        why = short_messages.obstacle(user.told_by_sms, self.rules.dialling, self._sites)
        judged = may_dial(user.told_by_sms, self.rules.dialling, self._sites)
        if why or self.rights is None or not isinstance(judged, Allowed):
            return why
        refused = self.rights.judge(user, Outgoing.SMS, judged)
        return refused.reason if refused else ""

    async def announce(self, user: User, notice: Notice) -> None:
        """See `NoticeOutlet`. Raises `NoticeRefused`."""
        judged = may_dial(user.told_by_sms, self.rules.dialling, self._sites)
        why = self.obstacle(user)
        if why or not isinstance(judged, Allowed):
            raise NoticeNotKept(why)
        try:
            text = fitted(self.words(user, notice))
        except Exception as error:  # a site's template can do anything wrong
            why = f"the words of the SMS cannot be written: {type(error).__name__}"
            raise NoticeNotKept(why) from error
        content = {
            "number": judged.number,
            "text": text,
            "sender": self._sender(user),
            "location": await self.location(user.id),
        }
        await self._count(user, notice, judged)
        await self.sending.keep(self.channel, user.id, notice.id, content)

    def _sender(self, user: User) -> str:
        chosen = user.sms_sender
        return chosen if chosen and may_sign(user, chosen) else self.rules.sender

    async def _count(self, user: User, notice: Notice, to: Allowed) -> None:
        """Once for each notice: by the user's rights (UM-05) and the site's limit.

        Raises `NoticeRefused`, `NoticeNotKept`.
        """
        jobs, name = self.sending.jobs, job_id(self.channel, user.id, notice.id)
        if await jobs.is_known(name):
            return
        if self.rights and (
            refused := await self.rights.take(user, Outgoing.SMS, to, f"sms {name}")
        ):
            later = refused.why is Why.UNCOUNTED
            raise (NoticeNotKept if later else NoticeRefused)(refused.reason)
        day, most = notice.at.date(), self.rules.per_day
        if await one_more(jobs, self.channel, user.id, day, most=most):
            return
        if self.rights:
            await self.rights.give_back(f"sms {name}")
        raise NoticeRefused(f"There were enough short messages today: {most} (sms.per_day).")

    async def hindrance(self, _job: NoticeJob) -> Fate | None:
        """See `Way`."""
        return None

    async def send(self, job: NoticeJob) -> Fate:
        """See `Way`."""
        if self.gateway is None:
            raise DeliveryPostponed(NO_GATEWAY)
        await self.gateway.send(ShortMessage(job.id, job.user_id, **job.content))
        return Over()

    @property
    def _sites(self) -> Sequence[Site]:
        return self.rules.sites
