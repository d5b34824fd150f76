"""A mailbox connects its caller: whom it may call, what is said, where a call comes back."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from tests.clock import run_virtually
from tests.dialogues.exchange import ANNA, CALLER, Exchange
from tests.fake_channel import FakeChannel
from tests.phone import Phone, Told, on_the_phone
from vm_ari.dialogues.desk import Visit
from vm_ari.dialogues.transfer import comes_back, connect
from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import DiallingRules, parse_rule
from vm_ari.domain.numbers import Site
from vm_ari.domain.redirection import Hop, Redirection, Source
from vm_ari.domain.settings import Rules
from vm_ari.domain.transfer import Chain, Outcome, TransferRules
from vm_ari.domain.users import User
from vm_ari.speech.language import language
from vm_ari.telephony.call import Call
from vm_ari.telephony.channel import Cause, Leg

BERLIN = Site("DE", "+4930555", 3, outside_prefix="0")
OWNER = replace(ANNA, numbers=("+4930555101", "+4930555111"), transfer_seconds=7)


@dataclass
class Mailbox:
    """Anna's, and what happened to a call."""

    destination: str = "102"
    owner: User = OWNER
    caller: Caller = CALLER
    redirection: Redirection = field(default_factory=Redirection)
    rules: tuple[str, ...] = ()
    cause: Cause | None = None
    """None: it is answered, and hung up 5 seconds later."""
    line: FakeChannel = field(default_factory=FakeChannel)
    legs: list[Leg] = field(default_factory=list)
    outcome: Outcome | None = None

    def __post_init__(self) -> None:
        rules = tuple(parse_rule(text, BERLIN) for text in self.rules)
        exchange = Exchange(users=(self.owner,), rules=Rules(site=BERLIN))
        transfer = TransferRules(dialling=DiallingRules(rules))
        self.directory = exchange.directory
        self.desk = replace(exchange.desk, transfer=transfer)
        self.line.on_dial = self._rings

    def _rings(self, line: FakeChannel, leg: Leg) -> None:
        self.legs.append(leg)
        loop = asyncio.get_running_loop()
        if self.cause:
            loop.call_later(1, line.is_not_answered, self.cause)
        else:
            loop.call_later(1, line.picks_up)
            loop.call_later(6, line.caller_hangs_up)

    @property
    def visit(self) -> Visit:
        return Visit(self.caller, "101", redirection=self.redirection)

    def connects(self) -> list[str]:
        """What the caller hears."""

        async def script(call: Call) -> None:
            self.outcome = await connect(call, self.visit, self.desk, self.owner, self.destination)

        async def story() -> Told:
            return await on_the_phone(script, Phone.hears_the_end, channel=self.line)

        return run_virtually(story()).phone.heard_names()


def test_the_destination_is_called_by_the_rules_of_the_site() -> None:
    mailbox = Mailbox("030 98765432")
    assert mailbox.connects() == ["en/please-hold"]
    assert mailbox.outcome is Outcome.TALKED
    [leg] = mailbox.legs
    assert leg.destination.number == "+493098765432"
    assert leg.destination.dial == "003098765432"
    assert leg.seconds == 7
    assert leg.shown == CALLER
    assert leg.chain == Chain(("+4930555101",))


def test_a_caller_of_the_house_is_shown_by_the_extension() -> None:
    mailbox = Mailbox(caller=Caller("+4930555123", "Bert"))
    mailbox.connects()
    assert mailbox.legs[0].shown == Caller("123", "Bert")


@pytest.mark.parametrize(
    ("cause", "heard"),
    [
        (Cause.BUSY, "en/destination-busy"),
        (Cause.NO_ANSWER, "en/not-reached"),
        (Cause.REFUSED, "en/not-reached"),
        (Cause.UNREACHABLE, "en/not-reached"),
    ],
)
def test_who_is_not_connected_hears_why(cause: Cause, heard: str) -> None:
    assert Mailbox(cause=cause).connects() == ["en/please-hold", heard]


@pytest.mark.parametrize(
    "destination", ["101", "030 555101", "+4930555111", "0900 123456", "112", "nobody", "1&2", ""]
)
def test_some_destinations_are_never_called(destination: str) -> None:
    mailbox = Mailbox(destination)
    assert mailbox.connects() == ["en/not-reached"]
    assert mailbox.legs == []
    assert mailbox.outcome in {Outcome.LOOP, Outcome.NOT_ALLOWED}


@pytest.mark.feature_part("SITE-03", "the rules of now decide when a caller is connected")
def test_what_was_allowed_when_it_was_stored_may_not_be_any_more() -> None:
    mailbox = Mailbox(rules=("deny internal",))
    assert mailbox.connects() == ["en/not-reached"]
    assert mailbox.outcome is Outcome.NOT_ALLOWED


def test_a_call_does_not_go_back_to_where_it_was_redirected_from() -> None:
    there = Redirection((Hop("+4930555102", Source.DIVERSION),))
    assert Mailbox(redirection=there).connects() == ["en/not-reached"]


def test_nor_to_a_mailbox_that_has_sent_it_on() -> None:
    mailbox = Mailbox()
    mailbox.line.come_by = Chain(("+4930555102",))
    assert mailbox.connects() == ["en/not-reached"]
    mailbox = Mailbox("103")
    mailbox.line.come_by = Chain(("+4930555102",))
    mailbox.connects()
    assert mailbox.legs[0].chain == Chain(("+4930555102", "+4930555101"))


@pytest.mark.parametrize(
    ("caller", "question"),
    [
        (Caller("+4930555123"), ["call-from", "digits/1", "digits/2", "digits/3"]),
        (Caller(), ["call-from-unknown"]),
    ],
)
def test_the_destination_is_told_who_calls(caller: Caller, question: list[str]) -> None:
    mailbox = Mailbox(owner=replace(OWNER, transfer_screening=True), caller=caller)
    mailbox.connects()
    heard = [clip.name.removeprefix("en/") for clip in mailbox.line.legs[0].heard]
    assert heard[: len(question)] == question
    assert mailbox.outcome is Outcome.REFUSED


def arrives(mailbox: Mailbox, chain: Chain) -> bool:
    """Is a call with this chain taken?"""

    async def story() -> bool:
        mailbox.line.come_by = chain
        call = Call(mailbox.line, language("en"))
        return not await comes_back(call, mailbox.visit, mailbox.desk)

    taken = run_virtually(story())
    assert mailbox.line.refused is not taken
    assert not mailbox.line.answered
    return taken


def test_a_leg_that_comes_back_is_refused_before_it_is_answered() -> None:
    assert arrives(Mailbox(), Chain())
    assert arrives(Mailbox(), Chain(("+4930555102",)))
    assert not arrives(Mailbox(), Chain(("+4930555102", "+4930555101")))


def test_it_may_come_back_by_another_number_of_the_mailbox() -> None:
    assert not arrives(Mailbox(), Chain(("+4930555111",)))


def test_without_a_directory_the_dialled_number_is_what_is_known() -> None:
    mailbox = Mailbox()
    mailbox.directory.unavailable = True
    assert not arrives(mailbox, Chain(("+4930555101",)))


def test_where_nobody_can_tell_the_call_is_taken() -> None:
    mailbox = Mailbox()
    mailbox.line.refuses = {"chain"}
    assert arrives(mailbox, Chain(("+4930555101",)))
