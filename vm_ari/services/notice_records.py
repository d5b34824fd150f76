"""What the journal hears of notices: that one is on its way, to whom and by what."""

from dataclasses import dataclass

from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.notifications import Channel, Notice
from vm_ari.domain.users import User
from vm_ari.ports import Journal, NoticeOutlet


@dataclass(frozen=True)
class NotedOutlet:
    """A `NoticeOutlet` whose notices are in the user's journal."""

    outlet: NoticeOutlet
    journal: Journal
    node: str = ""

    @property
    def channel(self) -> Channel:
        """See `NoticeOutlet`."""
        return self.outlet.channel

    def obstacle(self, user: User) -> str:
        """See `NoticeOutlet`."""
        return self.outlet.obstacle(user)

    async def announce(self, user: User, notice: Notice) -> None:
        """Noted when it is kept; the same notice twice is one entry."""
        await self.outlet.announce(user, notice)
        new = ", ".join(f"{count} {topic}" for topic, count in notice.topics.items())
        await self.journal.note(
            JournalEntry(
                id=f"notice/{notice.id}/{self.channel}",
                kind=Kind.NOTIFICATION,
                started=notice.at,
                ended=notice.at,
                result=Result.QUEUED,
                user_id=user.id,
                mailbox=user.mailbox,
                called=self.channel.value,
                why=f"New: {new}.",
                node=self.node,
            )
        )
