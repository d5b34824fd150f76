"""Somebody is called and a text is read to him: who sends it, again, the key, the sender."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.clock import run_virtually
from tests.dialogues.exchange import Exchange
from tests.fake_channel import FakeChannel
from tests.phone import Caller, Phone, Told, on_the_phone
from vm_ari.dialogues.spoken_call import serve_spoken_call
from vm_ari.domain import callers
from vm_ari.domain.dialling import Allowed, Kind
from vm_ari.domain.spoken_orders import Hearing
from vm_ari.ports.orders import OrdersUnavailable
from vm_ari.ports.spoken import SpokenScript
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Recorded
from vm_ari.telephony.channel import Cause, Leg

NAME, FIRST, SECOND = Path("/spoken/name"), Path("/spoken/first"), Path("/spoken/second")
SCRIPT = SpokenScript("en", callers.Caller("101", "Anna"), NAME, (FIRST, SECOND))
BACK = Allowed("+4930555101", Kind.INTERNAL, "101")
INTRODUCTION = (P.SPOKEN_MESSAGE, P.FROM_NAME, Recorded(str(NAME)), Digits("101"))
TEXT = (Recorded(str(FIRST)), Recorded(str(SECOND)))
AGAIN = (P.TO_REPEAT, P.PRESS, Digits("1"))


@dataclass
class Ordered:
    """`ports.spoken.Speaking` for one call."""

    wanted: SpokenScript | None = SCRIPT
    away: bool = False
    told: list[Hearing] = field(default_factory=list)

    async def script(self, call_id: str) -> SpokenScript | None:
        """See `Speaking`."""
        if self.away:
            raise OrdersUnavailable("the test says so")
        return self.wanted

    async def heard(self, hearing: Hearing) -> None:
        """See `Speaking`."""
        if self.away:
            raise OrdersUnavailable("the test says so")
        self.told.append(hearing)


def called(ordered: Ordered, caller: Caller, line: FakeChannel | None = None) -> Told:
    """The telephone is answered, and that is its story."""
    desk = Exchange().desk
    return run_virtually(
        on_the_phone(
            lambda call: serve_spoken_call(call, desk, ordered, "a1-1"), caller, channel=line
        )
    )


@pytest.mark.feature_part("SPEECH-04", "who is called hears who sends it, and all of the text")
def test_who_listens_to_the_end_has_heard_it() -> None:
    ordered = Ordered()

    async def caller(phone: Phone) -> None:
        await phone.hears(*INTRODUCTION, *TEXT, *AGAIN, P.GOODBYE)
        await phone.hears_the_end()

    told = called(ordered, caller)
    [hearing] = ordered.told
    assert (hearing.call_id, hearing.whole, hearing.confirmed) == ("a1-1", True, False)
    assert hearing.seconds >= len(INTRODUCTION) + len(TEXT)
    assert told.channel.left == ("SUCCESS", "")


def test_who_presses_a_key_hears_it_again() -> None:
    ordered = Ordered()

    async def caller(phone: Phone) -> None:
        await phone.hears(*TEXT, P.TO_REPEAT)
        phone.presses("1")
        await phone.hears(P.SPOKEN_MESSAGE, *TEXT, P.GOODBYE)

    called(ordered, caller)
    assert [one.whole for one in ordered.told] == [True]


@pytest.mark.parametrize("after", [P.SPOKEN_MESSAGE, Recorded(str(FIRST))])
def test_who_hangs_up_before_has_not_heard_it(after: P | Recorded) -> None:
    ordered = Ordered()

    async def caller(phone: Phone) -> None:
        await phone.hears(after)
        phone.hangs_up()

    called(ordered, caller)
    [hearing] = ordered.told
    assert not hearing.whole
    assert hearing.seconds > 0


def test_who_hangs_up_after_the_last_word_has_heard_it() -> None:
    ordered = Ordered()

    async def caller(phone: Phone) -> None:
        await phone.hears(*TEXT, P.TO_REPEAT)
        phone.hangs_up()

    called(ordered, caller)
    assert [one.whole for one in ordered.told] == [True]


@pytest.mark.parametrize(("keys", "confirmed"), [("2", True), ("", False), ("79", False)])
def test_the_key_that_the_sender_wants_is_asked_for(keys: str, confirmed: bool) -> None:
    ordered = Ordered(replace(SCRIPT, confirm=True))

    async def caller(phone: Phone) -> None:
        await phone.hears(*TEXT, P.TO_CONFIRM, P.PRESS, Digits("2"), *AGAIN)
        phone.presses(keys)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = called(ordered, caller)
    assert [(one.whole, one.confirmed) for one in ordered.told] == [(True, confirmed)]
    asked = told.phone.heard_names().count("en/to-confirm")
    assert asked == (1 if confirmed else 3)


def test_a_sender_without_name_and_number_is_somebody() -> None:
    ordered = Ordered(replace(SCRIPT, name=None, sender=callers.Caller()))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.SPOKEN_MESSAGE, P.FROM_UNKNOWN, *TEXT, P.GOODBYE)

    called(ordered, caller)
    assert ordered.told


def test_a_key_that_is_stuck_does_not_go_on_for_ever() -> None:
    ordered = Ordered()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.SPOKEN_MESSAGE)
        phone.presses("1" * 40)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    called(ordered, caller)
    assert [one.whole for one in ordered.told] == [False]


@pytest.mark.parametrize(
    ("ordered", "said"),
    [(Ordered(wanted=None), P.GOODBYE), (Ordered(away=True), P.TECHNICAL_PROBLEM)],
)
def test_what_nobody_wants_or_can_say_ends_politely(ordered: Ordered, said: P) -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(said)
        await phone.hears_the_end()

    called(ordered, caller)
    assert not ordered.told


@pytest.mark.feature_part("SPEECH-04", "who is called is connected with the sender")
@pytest.mark.parametrize("talks", [True, False])
def test_who_wishes_is_connected_with_the_sender(talks: bool) -> None:
    ordered = Ordered(replace(SCRIPT, back=BACK))
    line = FakeChannel()

    def dialled(leg: FakeChannel, wanted: Leg) -> None:
        assert wanted.destination is BACK
        if talks:
            leg.picks_up()
            asyncio.get_running_loop().call_later(60, leg.caller_hangs_up)
        else:
            leg.is_not_answered(Cause.BUSY)

    line.on_dial = dialled

    async def caller(phone: Phone) -> None:
        await phone.hears(*TEXT, P.TO_BE_CONNECTED, P.PRESS, Digits("3"))
        phone.presses("3")
        await phone.hears(P.PLEASE_HOLD)
        if not talks:
            await phone.hears(P.DESTINATION_BUSY, P.SPOKEN_MESSAGE)
        await phone.hears(P.GOODBYE)

    called(ordered, caller, line)
    assert [(one.whole, one.confirmed) for one in ordered.told] == [(True, talks)]
