"""A site in memory: users, their mailboxes, the spool, and calls that come in."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from tests.clock import run_virtually
from tests.fake_channel import FakeChannel
from tests.fake_greeting_takes import FakeGreetingTakes
from tests.fake_journal import FakeJournalStore
from tests.fake_spool import FakeSpool
from tests.fake_voice import FakeFaxes, FakeVoice, StepsReader
from tests.fakes import FakeDirectory, FakeGreetings, FakeLamps, FakeMailboxes
from tests.phone import Caller as Story
from tests.phone import Phone, Told, on_the_phone
from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.reception import receive
from vm_ari.domain.access import LoginRules
from vm_ari.domain.call_back import CallBackRules
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import JournalEntry
from vm_ari.domain.login_budget import Budget
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.redirection import Redirection
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.services.accounts import Accounts
from vm_ari.services.call_backs import CallBacks
from vm_ari.services.call_records import CallRecords
from vm_ari.services.drafts import Drafts
from vm_ari.services.greetings import GreetingStudio
from vm_ari.services.inbox import Inboxes
from vm_ari.services.journal_writing import JournalWriter
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.logins import Attempts, Logins
from vm_ari.services.own_settings import OwnSettings
from vm_ari.services.reading import Readings
from vm_ari.speech.parts import Recorded
from vm_ari.telephony.menu import load_key_map

T = TypeVar("T")

START = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)
"""A Wednesday; 14:35 in Berlin."""
ANNA = User("anna", "Anna", "101", ("101",), "anna@site.example")
BERT = User("bert", "Bert", "102", ("102",), "bert@site.example", language="de")
PIN = "246813"
CALLER = Caller("+49301234567", "Carla Weber")
BEEP_SECONDS = 1.0
"""Every clip takes one second on the fake line."""
NOT_REDIRECTED = Redirection()
THANKS = "en/thank-you-goodbye"


class LoopClock:
    """The wall clock of the virtual loop."""

    def now(self) -> datetime:
        """`START` when the loop was made."""
        return START + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class Exchange:
    """The world of a test. Everything in it may be changed while a call goes on."""

    users: tuple[User, ...] = (ANNA, BERT)
    rules: Rules = field(default_factory=Rules)
    spool: FakeSpool = field(default_factory=FakeSpool)
    mailboxes: FakeMailboxes = field(default_factory=FakeMailboxes)
    lamps: FakeLamps = field(default_factory=FakeLamps)
    clock: LoopClock = field(default_factory=LoopClock)
    login_rules: LoginRules = field(default_factory=LoginRules)
    call_back_rules: CallBackRules = field(default_factory=CallBackRules)
    budget: Budget = field(default_factory=Budget)
    failures: list[User] = field(default_factory=list)
    """Users of whom a wrong PIN was typed."""
    journal: FakeJournalStore = field(default_factory=FakeJournalStore)
    deliveries_asked: int = 0
    """How often the outbox was told that there is something to deliver."""

    def __post_init__(self) -> None:
        self.directory = FakeDirectory(
            *self.users,
            pin=PIN,
            allowed_failures=self.login_rules.failures_before_lock,
            default_pin=self.login_rules.default_pin,
        )
        self.greetings = FakeGreetings(self.clock)
        self.greeting_takes = FakeGreetingTakes(self.spool.takes)
        self.notes = JournalWriter(self.journal)
        self._lines = count(1)
        self.desk = Desk(
            accounts=Accounts(self.directory, self.rules.sites),
            logins=Logins(
                self.directory,
                self.clock,
                replace(self.login_rules, sites=self.rules.sites),
                Attempts(self.budget),
                on_failure=self.failures.append,
            ),
            drafts=Drafts(
                self.spool,
                self.clock,
                self.rules.limits,
                "pbx.example",
                lambda _message: self._ask_to_deliver(),
            ),
            inboxes=Inboxes(
                self.mailboxes,
                LampKeeper(self.lamps, self.mailboxes, self.directory),
                self.rules.deletion,
                self.rules.list_order,
            ),
            greetings=self.greetings,
            studio=GreetingStudio(self.greetings, self.greeting_takes),
            own_settings=OwnSettings(self.directory, self.rules),
            rules=self.rules,
            keys=load_key_map(),
            clock=self.clock,
            readings=Readings(StepsReader(), FakeFaxes(), FakeVoice(), ("en", "de", "fr")),
            call_backs=CallBacks(
                self.directory, self.clock, self.call_back_rules, self.rules.sites
            ),
            records=CallRecords(self.notes, LoopClock(), "node"),
        )

    def _ask_to_deliver(self) -> None:
        self.deliveries_asked += 1

    def noted(self) -> list[JournalEntry]:
        """What the journal says of the calls till now, in their order."""
        run_virtually(self.notes.close())
        return sorted(self.journal.entries.values(), key=lambda entry: (entry.started, entry.id))

    @property
    def messages(self) -> list[float]:
        """Seconds of each message that was kept."""
        return [message.seconds for message in self.spool.kept]

    def line(self) -> FakeChannel:
        """A line whose recordings the spool sees."""
        return FakeChannel(f"fake-{next(self._lines)}", self.spool.takes)

    async def call(
        self,
        caller: Story,
        *,
        dialled: str = "101",
        purpose: str = "leave",
        exits: str = "",
        phone: str = "",
        redirection: Redirection = NOT_REDIRECTED,
        code: str = "en",
        line: FakeChannel | None = None,
        hang_up_after: float | None = None,
    ) -> Told:
        """One call, served as the application does it."""
        visit = Visit(CALLER, dialled, exits, phone, redirection)
        return await on_the_phone(
            lambda call: receive(call, purpose, visit, self.desk),
            caller,
            code,
            channel=line or self.line(),
            hang_up_after=hang_up_after,
        )

    def phone_call(self, caller: Story, **options: Any) -> Told:
        """The same in one line, on a virtual clock."""
        return run_virtually(self.call(caller, **options))

    def put(self, *messages: StoredMessage, user: User = ANNA) -> None:
        """They lie in the user's mailbox; their audio can be told from each other."""
        for message in messages:
            self.mailboxes.put(user, message, f"{audio_of(message).path}.wav")

    def counts(self, user: User = ANNA) -> tuple[int, int]:
        """New and heard messages."""
        stored = self.mailboxes.of(user)
        return sum(m.new for m in stored), sum(not m.new for m in stored)


def logged_in(site: Exchange, caller: Story, **options: Any) -> Told:
    """A call of its own for Anna's messages; the caller's story begins behind the PIN."""

    async def whole(phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        await caller(phone)

    return site.phone_call(whole, purpose="login", **options)


def tell(story: Coroutine[Any, Any, T]) -> T:
    """Several calls in one story."""
    return run_virtually(story)


def message(
    uid: str, *, minutes_ago: int = 10, urgent: bool = False, new: bool = True, number: str = "102"
) -> StoredMessage:
    """A voice message of 65 seconds."""
    return StoredMessage(
        uid=uid,
        kind=MessageKind.VOICE,
        received=START - timedelta(minutes=minutes_ago),
        caller=Caller(number),
        seconds=65,
        urgent=urgent,
        new=new,
    )


def audio_of(stored: StoredMessage) -> Recorded:
    """What is heard when it is played."""
    return Recorded(f"/listening/{stored.uid}")
