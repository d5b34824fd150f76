"""The sender of a message is called back: who is offered it, who is called, how one comes back."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, PIN, Exchange, logged_in, message
from tests.dialogues.listening import at_options
from tests.fake_channel import FakeChannel
from tests.phone import Caller as Story
from tests.phone import Phone, Told
from vm_ari.domain.call_back import CallBackRules
from vm_ari.domain.callers import Caller
from vm_ari.domain.login_phones import PhoneLogin
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.settings import Hideable, Rules
from vm_ari.domain.transfer import Chain
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Part
from vm_ari.telephony.channel import Cause, Leg

BERLIN = Site("DE", "+4930555", 3, outside_prefix="0")
OWNER = replace(ANNA, numbers=("+4930555101",), transfer_seconds=7)
TOLD = replace(message("a"), caller=Caller("+4930555102", "Bert"), genuine=True)
MOBILE = replace(TOLD, caller=Caller("+491701234567"))
OFFERED = (P.TO_CALL_BACK, P.PRESS, Digits("5"))


@dataclass
class Office:
    """Anna's mailbox with one message, and what happens to calls to the outside."""

    message: StoredMessage = TOLD
    owner: User = OWNER
    rules: CallBackRules = field(default_factory=CallBackRules)
    hidden: frozenset[Hideable] = frozenset()
    cause: Cause | None = None
    """None: it is answered, and hung up 5 seconds later."""
    rings_for: float = 1.0
    line: FakeChannel = field(default_factory=FakeChannel)
    legs: list[Leg] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.site = Exchange(
            users=(self.owner,),
            rules=Rules(site=BERLIN, hidden=self.hidden),
            call_back_rules=self.rules,
        )
        self.site.put(self.message)
        self.line.on_dial = self._rings

    def _rings(self, line: FakeChannel, leg: Leg) -> None:
        self.legs.append(leg)
        loop = asyncio.get_running_loop()
        if self.cause:
            loop.call_later(self.rings_for, line.is_not_answered, self.cause)
        else:
            loop.call_later(self.rings_for, line.picks_up)
            loop.call_later(self.rings_for + 5, line.caller_hangs_up)

    def hears(self, *said: Part, keys: str = "5", confirm: str = "") -> Told:
        """In the message she presses *keys*, *confirm* when the number was said, hears that."""

        async def caller(phone: Phone) -> None:
            phone.presses("1")
            await at_options(phone, self.message)
            phone.presses(keys)
            if confirm:
                await phone.hears(P.NUMBER_IS)
                phone.presses(confirm)
            await phone.hears(*said)
            phone.hangs_up()

        return logged_in(self.site, caller, line=self.line)

    def calls_again(self) -> None:
        """Another call for the same message."""
        self.site.put(self.message)
        self.line = FakeChannel()
        self.line.on_dial = self._rings

    def nobody_is_left_alone(self) -> bool:
        """Is every line that was dialled free again?"""
        return all(leg.gone for leg in self.line.legs) and not self.line.in_bridge


@pytest.mark.feature_part("INBOX-09", "the number is said and confirmed")
@pytest.mark.feature_part("INBOX-09", "connected, and back in the message")
def test_the_sender_is_called_and_the_user_is_back_in_the_message(logs: Logs) -> None:
    office = Office()
    office.hears(P.PLEASE_HOLD, P.TO_REPEAT, *OFFERED, confirm="1")
    [leg] = office.legs
    assert (leg.destination.dial, leg.seconds) == ("102", 7)
    assert leg.shown == Caller("101", "Anna")
    assert leg.chain == Chain(("+4930555101",))
    assert office.nobody_is_left_alone()
    [told] = [entry for entry in logs if entry["event"] == "call back"]
    assert (told["destination"], told["outcome"], told["kind"]) == ("102", "talked", "internal")


def test_the_number_is_said_before_it_is_confirmed() -> None:
    office = Office()
    office.hears(P.NUMBER_IS, Digits("102"), P.TO_CONFIRM, P.PRESS, Digits("1"), P.TO_GO_BACK)
    office = Office(MOBILE, rules=CallBackRules(outside=True))
    office.hears(P.NUMBER_IS, Digits("+491701234567"), P.TO_CONFIRM)
    assert office.legs == []


@pytest.mark.parametrize("keys", ["5*", "51", "51*"])
def test_keys_that_were_pressed_before_the_number_call_nobody(keys: str) -> None:
    """While the message played, 5 was "faster" and 1 "again": she may have come too late."""
    office = Office()
    office.hears(P.TO_REPEAT, keys=keys, confirm="*")
    assert office.legs == []


@pytest.mark.feature_part("INBOX-09", "back in the message, whatever happens")
@pytest.mark.parametrize(
    ("cause", "heard"),
    [
        (Cause.BUSY, P.DESTINATION_BUSY),
        (Cause.NO_ANSWER, P.NOT_REACHED),
        (Cause.REFUSED, P.NOT_REACHED),
        (Cause.UNREACHABLE, P.NOT_REACHED),
    ],
)
def test_who_is_not_reached_brings_her_back(cause: Cause, heard: P) -> None:
    office = Office(cause=cause)
    office.hears(P.PLEASE_HOLD, heard, P.TO_REPEAT, confirm="1")
    assert office.nobody_is_left_alone()


@pytest.mark.parametrize("verb", ["chain", "dial", "join", "wait_with", "stop_waiting"])
def test_a_fault_of_the_telephone_system_brings_her_back(verb: str) -> None:
    office = Office()
    office.line.refuses = {verb}
    office.hears(P.TO_REPEAT, confirm="1")
    assert office.nobody_is_left_alone()


@pytest.mark.feature_part("INBOX-09", "* gives up waiting")
def test_the_key_gives_up_waiting() -> None:
    office = Office(rings_for=60)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone, TOLD)
        phone.presses("5")
        await phone.hears(P.NUMBER_IS)
        phone.presses("1")
        await phone.hears(P.PLEASE_HOLD)
        await phone.waits(3)
        assert office.line.waits_with is not None
        phone.presses("*")
        await phone.hears(P.TO_REPEAT)
        phone.hangs_up()

    logged_in(office.site, caller, line=office.line)
    assert office.nobody_is_left_alone()


@pytest.mark.parametrize("after", [2.0, 4.0])
def test_nobody_rings_or_talks_on_when_the_user_hangs_up(after: float) -> None:
    """While it rings, and while they talk."""
    office = Office(rings_for=3.0)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone, TOLD)
        phone.presses("5")
        await phone.hears(P.NUMBER_IS)
        phone.presses("1")
        await phone.hears(P.PLEASE_HOLD)
        await phone.waits(1 + after)
        phone.hangs_up()

    logged_in(office.site, caller, line=office.line)
    assert len(office.legs) == 1
    assert office.nobody_is_left_alone()


@pytest.mark.parametrize("cause", [None, Cause.BUSY])
def test_whenever_the_user_hangs_up_or_gives_up_everybody_is_free_again(
    cause: Cause | None, logs: Logs
) -> None:
    for tenths in range(0, 140, 7):
        for hangs_up in (True, False):
            office = Office(cause=cause, rings_for=3.0)
            story = _leaves_after(tenths / 10, hangs_up=hangs_up)
            logged_in(office.site, story, line=office.line)
            assert office.nobody_is_left_alone(), (tenths, hangs_up)
            assert len(office.legs) <= 1
    assert not [entry for entry in logs if entry["event"] == "call failed"]


def _leaves_after(seconds: float, *, hangs_up: bool) -> Story:
    """From the moment at which the number is said."""

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone, TOLD)
        phone.presses("5")
        await phone.hears(P.NUMBER_IS)
        asyncio.get_running_loop().call_later(0.5, phone.presses, "1")
        await phone.waits(seconds)
        if not hangs_up:
            phone.presses("*")
            await phone.waits(12)
        phone.hangs_up()

    return caller


# --- who is offered it


@pytest.mark.feature_part("INBOX-09", "a withheld number: said so")
@pytest.mark.feature_part("INBOX-09", "off by default for outside destinations")
@pytest.mark.parametrize(
    ("number", "heard"),
    [
        ("", P.NUMBER_NOT_KNOWN),
        ("+491701234567", P.NUMBER_NOT_ALLOWED),
        ("+499001234567", P.NUMBER_NOT_ALLOWED),
        ("+49112", P.NUMBER_NOT_ALLOWED),
        ("+4930555101", P.NUMBER_NOT_ALLOWED),
    ],
)
def test_who_cannot_be_called_is_not_offered_but_explained(number: str, heard: P) -> None:
    office = Office(replace(TOLD, caller=Caller(number)))
    told = office.hears(heard, P.TO_REPEAT, P.TO_GO_BACK)
    assert "en/to-call-back" not in told.phone.heard_names()
    assert office.legs == []


@pytest.mark.feature_part("INBOX-09", "a mail that somebody else wrote is not vouched for")
def test_a_message_that_nobody_vouches_for_has_no_such_key() -> None:
    office = Office(replace(TOLD, genuine=False))
    told = office.hears(P.KEY_NOT_USED, P.TO_REPEAT, P.TO_GO_BACK)
    assert "en/to-call-back" not in told.phone.heard_names()


@pytest.mark.feature_part("MENU-01", "call back: not spoken and not accepted")
def test_a_site_can_hide_it() -> None:
    office = Office(hidden=frozenset({Hideable.CALL_BACK}))
    told = office.hears(P.KEY_NOT_USED, P.TO_REPEAT, P.TO_GO_BACK)
    assert "en/to-call-back" not in told.phone.heard_names()


@pytest.mark.feature_part("INBOX-09", "off for logins without PIN")
@pytest.mark.parametrize("typed", [False, True])
def test_a_login_without_pin_cannot_call_back(typed: bool) -> None:
    """The very same telephone can, once the PIN was typed."""
    login = PhoneLogin.PIN if typed else PhoneLogin.NO_PIN
    office = Office(owner=replace(OWNER, login_office=login))

    async def caller(phone: Phone) -> None:
        phone.presses(f"{PIN}#1" if typed else "1")
        await at_options(phone, TOLD)
        phone.presses("5")
        await phone.hears(P.NUMBER_IS if typed else P.KEY_NOT_USED)
        phone.hangs_up()

    office.site.phone_call(caller, purpose="login", dialled="", phone="101", line=office.line)


def test_a_call_that_would_come_back_is_not_made() -> None:
    office = Office()
    office.line.come_by = Chain(("+4930555102",))
    office.hears(P.NOT_REACHED, P.TO_REPEAT, confirm="1")
    assert office.legs == []


# --- calls to the outside


@pytest.mark.feature_part("INBOX-09", "so many calls to the outside in a day")
def test_calls_to_the_outside_are_counted_and_end_with_the_day(logs: Logs) -> None:
    office = Office(MOBILE, rules=CallBackRules(outside=True, per_day=2))
    for _ in range(2):
        office.hears(P.PLEASE_HOLD, P.TO_REPEAT, confirm="1")
        office.calls_again()
    office.hears(P.NO_MORE_CALLS_TODAY, P.TO_REPEAT, confirm="1")
    assert len(office.legs) == 2
    assert office.legs[0].shown == Caller("+4930555101", "Anna")
    assert office.legs[0].destination.dial == "001701234567"
    assert office.site.directory.logins["anna"].called_back.endswith(" 2")
    assert "+491701234567" not in str(logs)


@pytest.mark.parametrize("fault", ["read_only", "unavailable"])
def test_what_cannot_be_counted_is_not_called(fault: str) -> None:
    office = Office(MOBILE, rules=CallBackRules(outside=True))

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone, MOBILE)
        setattr(office.site.directory, fault, True)
        phone.presses("5")
        await phone.hears(P.NUMBER_IS)
        phone.presses("1")
        await phone.hears(P.NOT_POSSIBLE_NOW, P.TO_REPEAT)
        phone.hangs_up()

    logged_in(office.site, caller, line=office.line)
    assert office.legs == []
