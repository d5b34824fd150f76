"""A site from which users send messages, and what they press for that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.dialogues.exchange import ANNA, BERT, Exchange, logged_in
from tests.phone import Caller, Phone, Told
from vm_ari.domain.messages import MessageKind, VoiceMessage
from vm_ari.domain.number_addresses import parse
from vm_ari.domain.sending import (
    Colleague,
    DistributionList,
    Errand,
    Line,
    Recipient,
    Telephone,
)
from vm_ari.domain.sending_rules import SendingRules
from vm_ari.domain.settings import Hideable, Rules
from vm_ari.domain.users import User
from vm_ari.services.people import People
from vm_ari.services.sendings import Sendings
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Sentence

CARLA, DORA = (User(n.lower(), n, x, (x,), "") for n, x in (("Carla", "103"), ("Dora", "104")))
TO_BERT, TO_CARLA, TO_DORA = (Colleague(user.id) for user in (BERT, CARLA, DORA))
BERLIN, TYPED = "+493012345678", "03012345678"
VOICE, FAX = (Telephone(BERLIN, line) for line in (Line.VOICE, Line.FAX))
GATEWAYS = SendingRules(
    outside=True,
    voice_address=parse("$(phonenumber)@voice.example.org"),
    lists=(
        DistributionList("77", "Team", ("carla", "104")),
        DistributionList("78", "Ghosts", ("nobody",)),
    ),
)
HOUSE_ONLY = replace(GATEWAYS, outside=False)
FAX_ADDRESS = parse("$(phonenumber)@fax.example.org")


@dataclass(frozen=True)
class Sent:
    """What goes out."""

    errand: Errand
    to: tuple[Recipient, ...]
    seconds: float | None
    """Of what was said; None: nothing was."""
    urgent: bool = False
    original: MessageKind | None = None


class SendingSite(Exchange):
    """Its desk can send."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.people = People(self.directory)
        self.rule_sending(GATEWAYS)

    def rule_sending(self, rules: SendingRules) -> None:
        """Those are the rules from now on."""
        sendings = Sendings(
            spool=self.spool,
            directory=self.directory,
            records=self.directory,
            people=self.people,
            clock=self.clock,
            limits=self.rules.limits,
            rules=rules,
            sites=self.rules.sites,
            host="pbx.example",
            on_kept=self._ask_to_deliver,
            reply_address=_written_in_it,
        )
        self.desk = replace(self.desk, sendings=sendings)

    @property
    def sent(self) -> list[Sent]:
        """What goes out, in order; each has been told to the outbox."""
        assert self.deliveries_asked == len(self.spool.kept)
        return [_sent(message) for message in self.spool.kept]


def _written_in_it(header: Path) -> str | None:
    """A mail of these tests is nothing but the address to answer to."""
    return header.read_text() or None


def _sent(message: VoiceMessage) -> Sent:
    sending = message.facts.sending
    assert sending is not None
    assert message.facts.user_id == sending.sender == ANNA.id
    assert bool(message.original) is bool(sending.original)
    seconds = message.seconds if message.audio else None
    return Sent(sending.errand, sending.recipients, seconds, message.facts.urgent, sending.original)


def site_with(*people: User, hidden: Sequence[Hideable] = (), **rules: Any) -> SendingSite:
    """Anna, Bert, Carla, Dora, and others."""
    return SendingSite(
        users=(ANNA, BERT, CARLA, DORA, *people), rules=Rules(hidden=frozenset(hidden), **rules)
    )


def number(digits: str) -> Sentence:
    return (P.THE_NUMBER, Digits(digits))


async def chooses(phone: Phone, *typed: str) -> None:
    """Enter numbers, and go on."""
    for digits in typed:
        await phone.hears(P.FOR_NUMBER_OR_LIST)
        phone.presses("1")
        await phone.hears(P.ENTER_DESTINATION)
        phone.presses(f"{digits}#")
        await phone.hears(P.MESSAGE_GOES_TO)
    await phone.hears(P.TO_CONTINUE)
    phone.presses("#")


async def speaks(phone: Phone, seconds: float = 5) -> None:
    """Behind the tone, to the end."""
    await phone.hears(P.BEEP)
    await phone.speaks(seconds)
    phone.presses("#")


def in_send_menu(site: SendingSite, story: Caller, **options: Any) -> Told:
    """A call of Anna's that sends a message; ends when the story does."""

    async def caller(phone: Phone) -> None:
        await phone.hears(P.TO_SEND_A_MESSAGE, P.TO_END)
        phone.presses("9")
        await story(phone)
        phone.hangs_up()

    return logged_in(site, caller, **options)
