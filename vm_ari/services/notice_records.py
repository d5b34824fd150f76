"""What the journal hears of notices: that one is on its way, to whom and by what."""

from dataclasses import dataclass

from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.notifications import Channel, Notice
from vm_ari.domain.users import User
from vm_ari.ports import Journal, NoticeOutlet, NoticeRefused


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
        """Noted when it is kept, or refused for good; the same notice twice is one entry."""
        try:
            await self.outlet.announce(user, notice)
        except NoticeRefused as error:
            await self._note(user, notice, Result.REFUSED, str(error))
            raise
        new = ", ".join(f"{count} {topic}" for topic, count in notice.topics.items())
        await self._note(user, notice, Result.QUEUED, f"New: {new}.")

    async def _note(self, user: User, notice: Notice, result: Result, why: str) -> None:
        await self.journal.note(
            JournalEntry(
                id=f"notice/{notice.id}/{self.channel}",
                kind=Kind.NOTIFICATION,
                started=notice.at,
                ended=notice.at,
                result=result,
                user_id=user.id,
                mailbox=user.mailbox,
                called=self.channel.value,
                why=why,
                node=self.node,
            )
        )
