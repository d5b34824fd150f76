"""What the journal hears of messages: also of those whose call nobody saw to its end.

A message belongs to the entry of its call, so a call has one entry however its message was found:
by the dialogue, after a crash, or among the dialplan's own recordings.
"""

from dataclasses import dataclass, field, replace

from vm_ari.domain.callers import printable
from vm_ari.domain.journal import LONGEST_TEXT, JournalEntry, Kind, Result, Teller, call_id
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.sending import Colleague, Correspondent, Recipient, Sending, Telephone
from vm_ari.domain.users import User
from vm_ari.ports import Journal


@dataclass(frozen=True)
class MessageRecords:
    """Notes what the outbox finds and delivers."""

    journal: Journal
    node: str = ""
    site: Site = field(default_factory=Site)

    async def found(self, message: VoiceMessage) -> None:
        """It is safe, and on its way."""
        if entry := self._entry(message):
            await self.journal.note(entry)

    async def delivered(self, message: VoiceMessage, user: User) -> None:
        """It is in that user's mailbox, or where somebody else gets it."""
        facts, entry = message.facts, self._entry(message)
        if entry is None:
            return
        if entry.kind is Kind.MESSAGE_SENT:
            await self.journal.note(replace(entry, result=Result.SENT))
            return
        entrusted = user.id != facts.user_id and not self._owns(user, facts)
        await self.journal.note(
            replace(
                entry,
                user_id=user.id,
                mailbox=user.mailbox,
                entrusted=entrusted,
                delivered=True,
            )
        )

    def _owns(self, user: User, facts: CallFacts) -> bool:
        called = normalise(facts.called, self.site) or facts.called
        own = (*user.numbers, user.mailbox)
        return called in {normalise(one, self.site) or one for one in own}

    def _entry(self, message: VoiceMessage) -> JournalEntry | None:
        """As far as the outbox knows; None for what leaves the house, which its whole tells."""
        match message.facts.sending:
            case None:
                return self._left(message)
            case Sending() as sending if sending.is_whole:
                return self._sent(message, sending)
            case Sending(recipients=(Colleague(), *_)):
                return self._received(message)
            case _:
                return None

    async def fax_failed(self, facts: CallFacts) -> None:
        """A fax machine has called, and not one page has come."""
        entry = replace(self._left(VoiceMessage(facts, "", 0.0)), message_id="", entrusted=False)
        await self.journal.note(replace(entry, result=Result.FAILED))

    def _left(self, message: VoiceMessage) -> JournalEntry:
        facts = message.facts
        return JournalEntry(
            id=call_id(self.node, facts.channel_id),
            kind=_kind(facts),
            started=facts.started,
            result=Result.FAX_RECEIVED if facts.fax else Result.MESSAGE_LEFT,
            why=printable(str(facts.fax), LONGEST_TEXT) if facts.fax else "",
            user_id=facts.user_id or "",
            caller=facts.caller,
            called=printable(facts.called),
            message_id=facts.message_id,
            seconds=message.seconds,
            partial=message.partial,
            entrusted=facts.user_id is None,
            node=self.node,
            told_by=Teller.OUTBOX,
        )

    def _received(self, message: VoiceMessage) -> JournalEntry:
        entry = self._left(message)
        return replace(
            entry,
            id=call_id(self.node, message.facts.id),
            kind=Kind.MESSAGE_RECEIVED,
            result=Result.SENT,
            entrusted=False,
            told_by=Teller.EVENT,
        )

    def _sent(self, message: VoiceMessage, sending: Sending) -> JournalEntry:
        to = ", ".join(_named(one) for one in sending.recipients)
        return replace(
            self._received(message),
            kind=Kind.MESSAGE_SENT,
            result=Result.QUEUED,
            user_id=sending.sender,
            called=printable(to, LONGEST_TEXT),
            message_id="",
        )


def _kind(facts: CallFacts) -> Kind:
    if facts.conference:
        return Kind.CONFERENCE
    return Kind.FAX if facts.fax else Kind.CALL


def _named(recipient: Recipient) -> str:
    match recipient:
        case Colleague(user_id):
            return user_id
        case Correspondent(address):
            return address
        case Telephone(number):
            return number
