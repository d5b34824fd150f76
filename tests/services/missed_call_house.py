"""A house where calls are missed: the real log, queue and templates, on a virtual clock."""

import asyncio
import email.policy
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from tests.clock import run_virtually
from tests.fakes import FakeDirectory
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.missed_call_log import DatabaseCallLog
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_mail import Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.vcards import card_of
from vm_ari.config import shared_files
from vm_ari.domain.callers import Caller
from vm_ari.domain.contacts import Contact
from vm_ari.domain.missed_calls import Decision, MissedCallRules, Outcome, Tell
from vm_ari.domain.numbers import Site
from vm_ari.domain.ringing import Ring, RungCall
from vm_ari.domain.system_mails import Recipient
from vm_ari.domain.users import User
from vm_ari.ports import ContactsUnavailable, DeliveryPostponed
from vm_ari.services.missed_call_mails import MailStyle, MailWriting
from vm_ari.services.missed_calls import MissedCalls, Timing
from vm_ari.services.system_mails import SystemMails

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
SITE = Site(base_number="+4930555", area="30")
ANNA = User("anna", "Anna Berg", "101", ("+4930555101",), "anna@example.org", "de")
BEN = User("ben", "Ben Baker", "102", ("+4930555102",), "ben@example.org", "en")
CALLER = "+4989123456"
JOERG = Contact("Jörg Größe", "Größe & Söhne", "joerg@example.com", (CALLER, "+491711234567"))
RULES = MissedCallRules(tell=Tell.ALL, sites=(SITE,))


def ring(number: str, seconds: float = 12, *, answered: bool = False) -> Ring:
    return Ring(number, START, START + timedelta(seconds=seconds), answered)


def call(name: str = "c1", *rings: Ring, by: str = "", caller: str = CALLER) -> RungCall:
    end = START + timedelta(seconds=12)
    return RungCall(name, Caller(caller), "+4930555100", START, end, rings or (ring("101"),), by)


@dataclass
class LoopClock:
    """The wall clock of the virtual loop."""

    offset: timedelta = timedelta(seconds=12)

    def now(self) -> datetime:
        return START + self.offset + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class AddressBook:
    """Knows Jörg, or does not answer."""

    away: bool = False
    known: dict[str, Contact] = field(default_factory=lambda: dict.fromkeys(JOERG.numbers, JOERG))

    async def contact_of(self, number: str) -> Contact | None:
        if self.away:
            raise ContactsUnavailable("the test says so")
        return self.known.get(number)


class NoMailer:
    """Nothing leaves: the mails stay in the queue, where the test reads them."""

    async def send(self, mail: bytes, recipient: Recipient, *, message_id: str) -> None:
        raise DeliveryPostponed("the test says so")


@dataclass
class House:
    """Everything around the service; *base* outlives controllers."""

    base: Path
    rules: MissedCallRules = RULES
    style: MailStyle = field(default_factory=lambda: MailStyle(site=SITE))
    directory: FakeDirectory = field(default_factory=lambda: FakeDirectory(ANNA, BEN))
    book: AddressBook = field(default_factory=AddressBook)
    clock: LoopClock = field(default_factory=LoopClock)
    noted: list[tuple[str, Outcome, str]] = field(default_factory=list)

    def open(self) -> None:
        """Start a controller."""
        self.log = DatabaseCallLog(f"sqlite:///{self.base}/log/calls.db")
        self.queue = MailQueue(self.base / "mails", KeyRing(self.base / "keys"))
        write = SystemMailWriter(
            MailTemplates(shared_files() / "templates"), Sender("vm@example.org", "Voicemail"), SITE
        )
        self.service = MissedCalls(
            log=self.log,
            directory=self.directory,
            contacts=self.book,
            notices=SystemMails(self.queue, NoMailer(), write, self.clock, host="x.org"),
            clock=self.clock,
            rules=self.rules,
            writing=MailWriting(self.style, card_of),
            timing=Timing(wait=timedelta(seconds=10)),
            journal=self.note,
        )
        self.loop = asyncio.create_task(self.service.run())

    async def note(self, call: RungCall, decision: Decision, answered_by: str) -> None:
        self.noted.append((decision.rung.user.id, decision.outcome, answered_by))

    async def die(self) -> None:
        """End the controller."""
        self.loop.cancel()
        await asyncio.wait([self.loop])
        await self.service.settle()
        self.queue.close()
        await self.log.close()

    async def mails(self) -> list[EmailMessage]:
        """What is in the queue."""
        found = []
        for name, _ in await self.queue.waiting():
            letter = await self.queue.letter(name)
            assert letter is not None
            mail = BytesParser(policy=email.policy.default).parsebytes(letter.content)
            assert isinstance(mail, EmailMessage)
            found.append(mail)
        return found

    async def told(self) -> list[str]:
        """Who gets them."""
        return sorted(str(mail["To"].addresses[0].username) for mail in await self.mails())

    async def fates(self, name: str) -> Mapping[str, str]:
        """What is remembered of a call."""
        [one] = await self.log.records(call_id=name)
        assert not one.open
        return {fate.user_id: fate.outcome.value for fate in one.fates}


Story = Callable[[House], Awaitable[None]]


def on(house: House, story: Story) -> None:
    async def run() -> None:
        house.open()
        try:
            await story(house)
        finally:
            await house.die()

    run_virtually(run())


def body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


async def the_mail(house: House, one: RungCall | None = None) -> EmailMessage:
    await house.service.over(one or call())
    await asyncio.sleep(20)
    [mail] = await house.mails()
    return mail
