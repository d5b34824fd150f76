"""Whoever tells users of missed calls hears which callers have left a voice message, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from vm_ari.domain.journal import JournalEntry, Result
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.ringing import RungCall
from vm_ari.domain.users import User
from vm_ari.ports import Courier

VOICEMAIL = "voicemail"
"""Behind the channel: the call as the mailbox saw it."""
Left = Callable[[CallFacts, User], None]
"""Must neither wait nor raise."""


@dataclass(frozen=True)
class NotedMessages:
    """`ports.Courier` in front of another one: a message counts from its first attempt on."""

    courier: Courier
    left: Left

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """See `Courier`."""
        if message.facts.sending is None:
            self.left(message.facts, user)
        await self.courier.deliver(message, user, plain=plain)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """See `Courier`."""
        return await self.courier.has(message, user)


def silent_call(channel_id: str, entry: JournalEntry) -> RungCall | None:
    """The call, if nothing was said in a user's mailbox after the tone (CALL-06)."""
    if entry.result is not Result.NOTHING_SAID or not entry.user_id or entry.ended is None:
        return None
    return RungCall(
        id=f"{channel_id}/{VOICEMAIL}",
        caller=entry.caller,
        called=entry.called,
        began=entry.started,
        ended=entry.ended,
        rings=(),
        silent_for=entry.user_id,
    )
