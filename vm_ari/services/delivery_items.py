"""What waits for its delivery."""

from dataclasses import dataclass, replace

from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.sending import Colleague


@dataclass(frozen=True)
class Item:
    """One message in the queue."""

    message: VoiceMessage
    attempts: Attempts
    begun: bool
    seen: float
    """Loop time when it was found on the disk."""
    delivered: bool = False
    """It is there, but the disk would not take the news."""

    @property
    def id(self) -> str:
        """Of the message and of its call."""
        return self.message.facts.id

    def known_as(self, known: "Item | None") -> "Item":
        """What we have in hand ourselves; None: it is new."""
        return replace(known, attempts=known.attempts.seen_again(self.attempts)) if known else self

    @property
    def for_whom(self) -> str:
        """Messages of one owner go one after the other; what leaves the house holds up nobody."""
        facts = self.message.facts
        if facts.sending is not None and not self.for_colleague:
            return f"sending {facts.id}"
        return facts.user_id or f"number {facts.called}"

    @property
    def for_colleague(self) -> bool:
        """Does it go into a mailbox here?"""
        sending = self.message.facts.sending
        if sending is None:
            return True
        return not sending.is_whole and isinstance(sending.recipients[0], Colleague)
