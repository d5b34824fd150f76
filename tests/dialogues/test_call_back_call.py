"""Called because the portal was asked to: the number, a key, and the sender is on the line."""

from dataclasses import replace

import pytest

from tests.clock import run_virtually
from tests.dialogues.exchange import PIN
from tests.dialogues.test_call_back import MOBILE, OWNER, TOLD, Office
from tests.phone import Caller, Phone, Told, on_the_phone
from vm_ari.dialogues.call_back_call import serve_call_back_call
from vm_ari.domain.call_back import CallBackRules
from vm_ari.domain.callers import Caller as Sender
from vm_ari.domain.playing_call import PlayingCall, Report
from vm_ari.domain.preferences import Access
from vm_ari.domain.settings import Hideable
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits
from vm_ari.telephony.channel import Cause

OWN, OTHER = "101", "+491701234568"


def called(office: Office, caller: Caller, *, phone: str = OWN, uid: str = "a") -> Told:
    """The telephone rings, is answered, and that is its story."""
    wanted = PlayingCall("anna", uid, phone)
    desk = office.site.desk
    return run_virtually(
        on_the_phone(
            lambda call: serve_call_back_call(call, desk, wanted), caller, channel=office.line
        )
    )


@pytest.mark.feature_part("STORE-05", "call back: the own phone first, then the sender")
def test_who_answers_confirms_the_number_and_is_connected() -> None:
    office = Office()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.NUMBER_IS, Digits("102"), P.TO_CONFIRM)
        phone.presses("1")
        await phone.hears(P.PLEASE_HOLD, P.GOODBYE)
        await phone.hears_the_end()

    told = called(office, caller)
    assert [leg.destination.dial for leg in office.legs] == ["102"]
    assert told.channel.reports == [Report.CALLED]
    assert office.nobody_is_left_alone()


@pytest.mark.parametrize("keys", ["", "*", "5"])
def test_without_the_key_nobody_is_called(keys: str) -> None:
    """An answering machine that picks up presses nothing."""
    office = Office()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.NUMBER_IS)
        phone.presses(keys)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    assert called(office, caller).channel.reports == []
    assert office.legs == []


def test_a_telephone_that_needs_the_pin_asks_for_it_before_a_number_is_told() -> None:
    office = Office()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        phone.presses(f"{PIN}#")
        await phone.hears(P.NUMBER_IS)
        phone.presses("1")
        await phone.hears(P.PLEASE_HOLD, P.GOODBYE)

    told = called(office, caller, phone=OTHER)
    assert told.channel.reports == [Report.NO_PIN, Report.CALLED]


@pytest.mark.parametrize(
    ("office", "uid", "report"),
    [
        (Office(replace(TOLD, genuine=False)), "a", Report.REFUSED),
        (Office(MOBILE), "a", Report.REFUSED),
        (Office(replace(TOLD, caller=Sender())), "a", Report.REFUSED),
        (Office(hidden=frozenset({Hideable.CALL_BACK})), "a", Report.REFUSED),
        (Office(), "b", Report.GONE),
        (Office(owner=replace(OWNER, access=Access.PROFILES)), "a", Report.CLOSED),
    ],
)
def test_the_rules_of_the_telephone_menu_hold(office: Office, uid: str, report: Report) -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    assert called(office, caller, uid=uid).channel.reports == [report]
    assert office.legs == []


def test_outside_numbers_where_the_site_allows_them() -> None:
    office = Office(MOBILE, rules=CallBackRules(outside=True))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.NUMBER_IS, Digits("+491701234567"))
        phone.presses("1")
        await phone.hears(P.PLEASE_HOLD)

    called(office, caller)
    assert [leg.destination.dial for leg in office.legs] == ["001701234567"]


def test_who_is_not_reached_is_told_of() -> None:
    office = Office(cause=Cause.BUSY)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.NUMBER_IS)
        phone.presses("1")
        await phone.hears(P.DESTINATION_BUSY, P.GOODBYE)

    called(office, caller)


@pytest.mark.parametrize("after", [0.5, 3.0])
def test_nobody_rings_on_when_the_user_hangs_up(after: float) -> None:
    office = Office(rings_for=2.0)

    async def caller(phone: Phone) -> None:
        await phone.hears(P.NUMBER_IS)
        phone.presses("1")
        await phone.hears(P.PLEASE_HOLD)
        await phone.waits(after)
        phone.hangs_up()

    called(office, caller)
    assert office.nobody_is_left_alone()
