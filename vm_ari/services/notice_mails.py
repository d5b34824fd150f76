"""Notices by mail: how many new messages there are, and nothing of what they say (NOTIFY-03)."""

from dataclasses import dataclass, replace

from vm_ari.domain.notifications import Channel, Notice, Topic
from vm_ari.domain.system_mails import SystemMail, Trimmings
from vm_ari.domain.users import User
from vm_ari.ports import MailNotQueued, NoticeNotKept, Notices
from vm_ari.services.locations import Locations

NO_SERVER = "no mail server is configured for mails of the system"
NO_ADDRESS = "no mail address"
LIE_THERE = "the messages lie in the user's own mail account; notify_mail can name another address"


@dataclass(frozen=True)
class NoticeMails:
    """`ports.NoticeOutlet`; the queue of mails of the system sends them."""

    notices: Notices
    locations: Locations
    own_address_helps: bool
    """Do messages lie elsewhere than in the users' own mail accounts?"""
    sends_elsewhere: bool
    """Is there a server that takes mails for any address?"""
    header: str = ""
    """Field of the mail's header that names the user's location (NOTIFY-07); empty: none."""
    login_number: str = ""
    """Where everybody calls to hear messages; empty: the own mailbox."""

    @property
    def channel(self) -> Channel:
        """See `NoticeOutlet`."""
        return Channel.MAIL

    def obstacle(self, user: User) -> str:
        """See `NoticeOutlet`."""
        if not self.sends_elsewhere:
            return NO_SERVER
        if user.notify_mail:
            return ""
        if not self.own_address_helps:
            return LIE_THERE
        return "" if user.mail else NO_ADDRESS

    async def announce(self, user: User, notice: Notice) -> None:
        """See `NoticeOutlet`."""
        addressed = replace(user, mail=user.notify_mail or user.mail)
        values = {
            **{topic.value: notice.topics.get(topic, 0) for topic in Topic},
            "urgent": notice.counts.urgent_voice if Topic.VOICE in notice.topics else 0,
            "login": self.login_number or user.mailbox,
            "trimmings": Trimmings(fields=await self._routing(user)),
        }
        try:
            await self.notices.tell(addressed, SystemMail.NEW_MESSAGES, values, occasion=notice.id)
        except MailNotQueued as error:
            raise NoticeNotKept(str(error)) from error

    async def _routing(self, user: User) -> tuple[tuple[str, str], ...]:
        location = await self.locations.of(user.id) if self.header else ""
        return ((self.header, location),) if location else ()
