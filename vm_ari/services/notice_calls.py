"""The user's telephone is called and offers the new messages (NOTIFY-03).

Before each call it is asked again whether there is anything new: who has heard or read everything
meanwhile is left in peace, as is who hears messages just now, or wants no more such calls today.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from vm_ari.domain.access import LoginRules, Verdict, decide_called
from vm_ari.domain.dialling import Allowed, Denied, may_dial
from vm_ari.domain.holidays import Calendar, no_calendar
from vm_ari.domain.notice_call import (
    NoticeCall,
    NoticeCallRules,
    Report,
    arguments_for,
    may_ring,
    next_time,
    shown,
    still_new,
)
from vm_ari.domain.notice_jobs import Fate, Lane, Later, NoticeJob, Over, Pace, job_id
from vm_ari.domain.notifications import Channel, Notice, Topic
from vm_ari.domain.numbers import Site
from vm_ari.domain.preferences import Access
from vm_ari.domain.transfer import Chain, own_numbers
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryUnavailable,
    Mailboxes,
    MailboxUnavailable,
    NoCall,
    NoticeNotKept,
    Telephones,
)
from vm_ari.services.notice_sending import NoticeSending
from vm_ari.services.presence import Presence

log = structlog.get_logger("vm_ari.notices")

NO_CALLS = "calls about new messages are switched off"
GIVE_UP = timedelta(days=7)
"""Far beyond the longest weekend: what ends the calls is their number."""
ON_THE_LINE = timedelta(minutes=2)
"""So long somebody is left alone who hears messages just now."""
CHOSEN = "chosen"
"""Of a job: the user has chosen calls then; else an admin tries one."""
HEARD = Over("the messages were heard or read meanwhile")

Endpoint = Callable[[str], Awaitable[str]]
"""How telephones of the user of that id are dialled (NOTIFY-07); empty: as usual."""


async def usual_endpoint(_user_id: str) -> str:
    """All are dialled alike."""
    return ""


@dataclass(frozen=True)
class NoticeCalls:
    """`ports.NoticeOutlet`, and the way of its jobs."""

    sending: NoticeSending
    telephones: Telephones
    directory: Directory
    mailboxes: Mailboxes
    clock: Clock
    rules: NoticeCallRules | None = None
    """None: nobody is called."""
    logins: LoginRules = field(default_factory=LoginRules)
    calendar: Calendar = no_calendar
    presence: Presence = field(default_factory=Presence)
    endpoint: Endpoint = usual_endpoint

    def __post_init__(self) -> None:
        self.sending.serve(self)

    @property
    def channel(self) -> Channel:
        """See `NoticeOutlet`."""
        return Channel.CALL

    @property
    def pace(self) -> Pace:
        """See `Way`."""
        rules = self.rules or NoticeCallRules()
        return Pace(
            Lane.FIRST,
            first=rules.interval,
            longest=rules.interval,
            give_up=GIVE_UP,
            most_tries=rules.tries,
            at_once=rules.at_once,
            counted_first=True,
            kept_in_vain=False,
        )

    def obstacle(self, user: User) -> str:
        """See `NoticeOutlet`."""
        if self.rules is None:
            return NO_CALLS
        judged = self._judged(user, self.rules)
        if isinstance(judged, str):
            return judged
        refused = decide_called(user, judged.number, self.logins) is Verdict.REFUSE
        if refused or user.access is not Access.FULL:
            return "the user may not hear messages on that telephone"
        return ""

    async def announce(self, user: User, notice: Notice) -> None:
        """See `NoticeOutlet`."""
        if why := self.obstacle(user):
            raise NoticeNotKept(why)
        if await self.sending.jobs.is_known(self._quiet_day(user)):
            log.info("no call: the user wants none today", user=user.id)
            return
        chosen = "yes" if _wants_calls(user, notice.topics) else ""
        topics = ",".join(topic.value for topic in notice.topics)
        content = {"topics": topics, CHOSEN: chosen}
        await self.sending.keep(self.channel, user.id, notice.id, content)

    async def hindrance(self, job: NoticeJob) -> Fate | None:
        """See `Way`."""
        try:
            user = await self.directory.user_by_id(job.user_id)
        except DirectoryUnavailable as error:
            return Later(str(error))
        if user is None:
            return Over("there is no such user any more")
        if why := self.obstacle(user) or await self._unwanted(user, job):
            return Over(why)
        return self._wrong_time(user) or await self._nothing_new(user, job)

    async def send(self, job: NoticeJob) -> Fate:
        """See `Way`. Only after `hindrance` has found none."""
        user = await self.directory.user_by_id(job.user_id)
        judged = self._judged(user, self.rules) if user and self.rules else ""
        if user is None or not isinstance(judged, Allowed):
            return Later("the user has just changed")
        arguments = arguments_for(NoticeCall(user.id, judged.number))
        caller = shown(user, judged, self.rules or NoticeCallRules(), self._sites[0])
        chain = Chain(tuple(sorted(own_numbers((*user.numbers, user.mailbox), self._sites[0]))))
        try:
            report = await self.telephones.call(
                judged,
                arguments,
                chain=chain,
                caller=caller,
                endpoint=await self.endpoint(user.id),
            )
        except NoCall as error:
            return self._again(str(error))
        log.info("called about new messages", user=user.id, report=report or "nobody")
        return await self._fate_of(report, user)

    async def _fate_of(self, report: str, user: User) -> Fate:
        match report:
            case Report.HEARD:
                return Over("the user was called, and is in the menu")
            case Report.NOTHING_NEW:
                return HEARD
            case Report.CLOSED:
                return Over("the user may not hear messages there")
            case Report.NOT_TODAY:
                await self.sending.jobs.over(self._quiet_day(user))
                return Over("the user wants no more calls today")
        return self._again(f"the call was answered: {report or 'nobody pressed a key'}")

    def _again(self, reason: str) -> Later:
        """Not reached is nobody's fault: the other users are called all the same."""
        assert self.rules
        return Later(reason, self.clock.now() + self.rules.interval)

    async def _unwanted(self, user: User, job: NoticeJob) -> str:
        """Why the user would not like it; empty: nothing is known."""
        if job.content[CHOSEN] and not _wants_calls(user, _topics(job)):
            return "the user has switched such calls off"
        if await self.sending.jobs.is_known(self._quiet_day(user)):
            return "the user wants no more calls today"
        return ""

    def _wrong_time(self, user: User) -> Later | None:
        assert self.rules, "without them nobody is called"
        if user.id in self.presence:
            return Later("the user hears messages just now", self.clock.now() + ON_THE_LINE)
        now = _local(self.clock.now(), user)
        if may_ring(user, now, self.rules, self.calendar):
            return None
        return Later("it is no time for calls", next_time(user, now, self.rules, self.calendar))

    async def _nothing_new(self, user: User, job: NoticeJob) -> Fate | None:
        try:
            counts = await self.mailboxes.counts(user)
        except MailboxUnavailable as error:
            return Later(str(error))
        return None if still_new(_topics(job), counts) else HEARD

    def _judged(self, user: User, rules: NoticeCallRules) -> Allowed | str:
        """Whom to dial, or why nobody."""
        if not user.told_by_call:
            return "no telephone number"
        judged = may_dial(user.told_by_call, rules.dialling, self._sites)
        return judged.reason if isinstance(judged, Denied) else judged

    def _quiet_day(self, user: User) -> str:
        """The name under which it is remembered that the user wants no calls today."""
        day = _local(self.clock.now(), user).date()
        return job_id(self.channel, user.id, f"quiet {day}")

    @property
    def _sites(self) -> Sequence[Site]:
        return self.logins.sites


def _topics(job: NoticeJob) -> Sequence[Topic]:
    return [Topic(text) for text in job.content["topics"].split(",") if text]


def _wants_calls(user: User, topics: Collection[Topic]) -> bool:
    return any(Channel.CALL in user.channels_for(topic) for topic in topics)


def _local(moment: datetime, user: User) -> datetime:
    """In the user's time zone; UTC where the directory names none that exists."""
    try:
        return moment.astimezone(ZoneInfo(user.time_zone))
    except (KeyError, ValueError, OSError):
        return moment.astimezone(UTC)
