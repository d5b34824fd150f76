"""What the journal will say of a call: dialogues tell it the facts as they happen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from vm_ari.domain.answering import Answer
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.greeting_choice import Rung
from vm_ari.domain.journal import LONGEST_TEXT, JournalEntry, Kind, Result, Teller, call_id
from vm_ari.domain.live_calls import Doing
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.transfer import Outcome
from vm_ari.domain.users import User
from vm_ari.measures import CALLS
from vm_ari.ports import Clock, Journal
from vm_ari.services.journal_writing import NoJournal

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Record:
    """One call. Later facts win; what somebody said on the telephone is never among them."""

    def __init__(self, entry: JournalEntry, journal: Journal | None = None) -> None:
        self.entry = entry
        self.doing = Doing.ARRIVING
        """What happens just now: for who looks at the calls that go on, not for the journal."""
        self.towards = ""
        """Whom a transfer calls just now."""
        self._journal = journal or NoJournal()

    async def keep(self) -> None:
        """Note what is known by now: this process may die in the middle of the call."""
        await self._journal.note(self.entry)

    def owner(self, user: User | None, called: str) -> None:
        """Whose mailbox it is, reached by that number."""
        self._set(called=printable(called))
        if user:
            self._set(user_id=user.id, mailbox=user.mailbox)

    def greeted(self, answer: Answer) -> None:
        """What was decided before a word was spoken."""
        self.doing = Doing.GREETING
        last = answer.greeting.steps[-1]
        profile = answer.active.profile.value if answer.active else ""
        self._set(
            greeting=last.rung.name.lower(),
            profile=profile,
            why=printable(last.reason, LONGEST_TEXT),
        )

    def announced(self) -> None:
        """The greeting was heard to its end, and there was nothing else to do."""
        disabled = self.entry.greeting == Rung.DISABLED.name.lower()
        self.ends(Result.DISABLED if disabled else Result.HEARD_GREETING)

    def takes_message(self) -> None:
        """The tone comes."""
        self.doing = Doing.MESSAGE

    def connects(self, number: str) -> None:
        """Somebody is called for this caller."""
        self.doing, self.towards = Doing.TRANSFER, printable(number)

    def left(self, facts: CallFacts, *, partial: bool = False) -> None:
        """A message is safe."""
        self._set(
            kind=Kind.CALL,
            result=Result.MESSAGE_LEFT,
            message_id=facts.message_id,
            partial=partial,
            entrusted=facts.user_id is None,
        )

    def transferred(self, number: str, outcome: Outcome) -> None:
        """The caller wanted to be connected with that number, as it was written."""
        if outcome.connected:
            self._set(kind=Kind.TRANSFER, result=Result.TRANSFERRED, connected_with=number)
        else:
            self._set(result=Result.NOT_CONNECTED, connected_with=number)

    def not_allowed(self, reason: str) -> None:
        """A right is missing for what the call was to do next."""
        self._set(why=reason)

    def called_back(self, number: str, outcome: Outcome) -> None:
        """A user who has logged in wanted to be connected with a sender."""
        self.doing = Doing.REMOTE_INQUIRY
        if outcome.connected:
            self._set(connected_with=number)

    def logging_in(self, user: User | None) -> None:
        """Somebody goes for the login of a mailbox, if it is known; until it succeeds it fails."""
        self.doing = Doing.LOGIN
        self._set(kind=Kind.REMOTE_INQUIRY, result=Result.LOGIN_FAILED)
        if user:
            self._set(user_id=user.id, mailbox=user.mailbox)

    def at_conference(self, owner: User) -> None:
        """Somebody is at the door of that user's room; until the PIN is right, it is wrong."""
        self.doing = Doing.CONFERENCE
        self._set(kind=Kind.CONFERENCE, result=Result.LOGIN_FAILED)
        self._set(user_id=owner.id, mailbox=owner.mailbox)

    def in_conference(self) -> None:
        """The PIN was right, and there was room."""
        self.doing = Doing.CONFERENCE
        self._set(kind=Kind.CONFERENCE, result=Result.SERVED)

    def logged_in(self, user: User) -> None:
        """The owner is there."""
        self.doing = Doing.REMOTE_INQUIRY
        self._set(kind=Kind.REMOTE_INQUIRY, result=Result.LOGGED_IN, entrusted=False)
        self._set(user_id=user.id, mailbox=user.mailbox)

    def became_fax(self) -> None:
        """A fax machine has called: the dialplan goes on, and the outbox tells what came."""
        if self.entry.result is not Result.MESSAGE_LEFT:
            self._set(kind=Kind.FAX, result=Result.LEFT_TO_DIALPLAN)

    def ends(self, result: Result) -> None:
        """What else came of it."""
        self._set(result=result)

    def fails(self, result: Result) -> None:
        """The same after a fault: a message that is safe already counts more."""
        if self.entry.result is not Result.MESSAGE_LEFT:
            self.ends(result)

    def _set(self, **facts: object) -> None:
        self.entry = replace(self.entry, **facts)  # type: ignore[arg-type]


def unnoted() -> Record:
    """For a call that no journal hears of."""
    return Record(JournalEntry("", Kind.CALL, _LONG_AGO))


class _NoClock:
    """Where nothing is noted the time does not matter."""

    def now(self) -> datetime:
        return _LONG_AGO


Ended = Callable[[str, JournalEntry], None]
"""Is given a call's channel and what became of it; must neither wait nor raise."""


def _nobody_listens(_channel_id: str, _entry: JournalEntry) -> None:
    """The journal only."""


Shown = Callable[[str, Record], AbstractContextManager[None]]
"""Is given a call's channel and record, for as long as it goes on."""


def _nobody_looks(_channel_id: str, _record: Record) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True)
class CallRecords:
    """Opens a record with each call, and has it noted: when it begins and when it ends."""

    journal: Journal = field(default_factory=NoJournal)
    clock: Clock = field(default_factory=_NoClock)
    node: str = ""
    """Which controller this is: channels of two nodes may have the same name."""
    on_end: Ended = _nobody_listens
    shows: Shown = _nobody_looks

    def shown_on(self, shows: Shown) -> "CallRecords":
        """The same, of calls that somebody looks at while they go on."""
        return replace(self, shows=shows)

    @asynccontextmanager
    async def of(
        self,
        channel_id: str,
        kind: Kind,
        *,
        caller: Caller | None = None,
        called: str = "",
        withheld: bool = False,
        redirected_from: str = "",
        user_id: str = "",
        started: datetime | None = None,
        told_by: Teller = Teller.EVENT,
    ) -> AsyncIterator[Record]:
        """A call, from its first to its last moment; however it ends, what is known is noted.

        A process that dies leaves the entry as it began; the outbox may complete it.
        """
        entry = JournalEntry(
            id=call_id(self.node, channel_id),
            kind=kind,
            started=started or self.clock.now(),
            user_id=user_id,
            caller=caller or Caller(),
            called=printable(called),
            withheld=withheld,
            redirected_from=redirected_from,
            node=self.node,
            told_by=told_by,
        )
        record = Record(entry, self.journal)
        await record.keep()
        try:
            with self.shows(channel_id, record):
                yield record
        except asyncio.CancelledError:  # we stop; the call goes on, and another controller has it
            await self.journal.note(record.entry)
            raise
        except BaseException:
            await self._end(channel_id, record, Result.FAILED)
            raise
        else:
            await self._end(channel_id, record, Result.HUNG_UP)

    async def _end(self, channel_id: str, record: Record, otherwise: Result) -> None:
        if record.entry.result is Result.UNKNOWN:
            record.ends(otherwise)
        CALLS.add(record.entry.kind.value, record.entry.result.value)
        entry = replace(record.entry, ended=self.clock.now())
        self.on_end(channel_id, entry)
        await self.journal.note(entry)
