"""What a call is for: its arguments lead to one dialogue, or the call is over at once."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.clock import run_virtually
from tests.dialogues.exchange import ANNA, Exchange, message
from tests.fake_channel import FakeChannel
from tests.phone import Caller, Phone, Told, on_the_phone
from vm_ari.adapters.ari.application import Arrival
from vm_ari.domain import notice_call, playing_call, recording_call
from vm_ari.domain.greetings import GreetingKey, Slot
from vm_ari.domain.notice_call import NoticeCall
from vm_ari.domain.playing_call import CALL_BACK, PlayingCall
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Part
from vm_ari.telephony.call import Call
from vm_ari.wiring.arrivals import OWN_CALLS, serve_arrival

KEY = GreetingKey(ANNA.id, Slot.WORK, "en")
PLAYED = PlayingCall(ANNA.id, "a", "101")


def arrives(arguments: Sequence[str], caller: Caller) -> Told:
    """A call to Anna's house with these arguments, and its story."""
    site, line = Exchange(users=(ANNA,)), FakeChannel()
    site.put(replace(message("a"), genuine=True))
    arrival = Arrival(arguments, "+49301234567", "Carla Weber", "PJSIP/trunk-1")

    async def served(_call: Call) -> None:
        await serve_arrival(line, arrival, site.desk, OWN_CALLS)

    return run_virtually(on_the_phone(served, caller, channel=line))


@pytest.mark.parametrize(
    ("arguments", "beginning"),
    [
        (recording_call.arguments_for(KEY), (P.RECORDING_CALL,)),
        (playing_call.arguments_for(PLAYED), (P.MESSAGE_CALL, P.TO_HEAR, P.PRESS, Digits("1"))),
        (playing_call.arguments_for(PLAYED, CALL_BACK), (P.NUMBER_IS,)),
        (notice_call.arguments_for(NoticeCall(ANNA.id, "101")), (P.NOTICE_CALL, P.YOU_HAVE)),
        ("login,101,,allowed", (P.ENTER_PIN,)),
        ("mailbox,101,,allowed", (P.YOU_HAVE_REACHED, Digits("101"))),
        ("", (P.GOODBYE,)),
    ],
)
def test_a_purpose_leads_to_its_dialogue(arguments: str, beginning: Sequence[Part]) -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(*beginning)
        phone.hangs_up()

    arrives(arguments.split(","), caller)


@pytest.mark.parametrize(
    "arguments",
    [
        ("record",),
        ("record", "no base64 é", "work", "en"),
        ("record", "YW5uYQ==", "noon", "en"),
        ("record", "YW5uYQ==", "work", "xx"),
        ("play", "YW5uYQ=="),
        ("play", "YW5uYQ==", "ä", "MTAx"),
        ("call-back", "A" * 1001, "YQ==", "MTAx"),
        ("notice",),
        ("notice", "//8=", "MTAx"),
    ],
)
def test_what_makes_no_sense_is_over_before_a_word(arguments: Sequence[str]) -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears_the_end()

    told = arrives(arguments, caller)
    assert told.phone.heard_names() == []
    assert told.channel.left is None, "it is no caller who could be sent back to the dialplan"
