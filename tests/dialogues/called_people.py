"""What people do who pick up a telephone that we have called, and what must come of it.

For all dialogues that begin so: the offer is heard, "1" accepts it, and strangers type the PIN.
"""

from collections.abc import Sequence

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import PIN
from tests.phone import Caller, Phone
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Part

WRONG_PIN = "111111"


def accepts(offer: Sequence[Part], *then: Part) -> Caller:
    """Hears the offer, presses the key, hears *then*, and is hung up on."""

    async def caller(phone: Phone) -> None:
        await phone.hears(*offer)
        phone.presses("1")
        await phone.hears(*then)
        await phone.hears_the_end()

    return caller


def guesses(offer: Sequence[Part]) -> Caller:
    """A stranger, who has three tries."""

    async def caller(phone: Phone) -> None:
        await phone.hears(*offer)
        phone.presses("1")
        for _ in range(3):
            await phone.hears(P.ENTER_PIN)
            phone.presses(f"{WRONG_PIN}#")
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    return caller


def types_the_pin_of_a_locked_login(offer: Sequence[Part]) -> Caller:
    """It is the right one, and opens nothing."""

    async def caller(phone: Phone) -> None:
        await phone.hears(*offer)
        phone.presses("1")
        await phone.hears(P.ENTER_PIN)
        phone.presses(f"{PIN}#")
        await phone.hears(P.LOGIN_LOCKED)
        await phone.hears_the_end()

    return caller


async def types_a_wrong_pin_and_the_right_one(phone: Phone) -> None:
    """When it is asked for."""
    await phone.hears(P.ENTER_PIN)
    phone.presses(f"{WRONG_PIN}#")
    await phone.hears(P.LOGIN_FAILED, P.ENTER_PIN)
    phone.presses(f"{PIN}#")


def no_call_failed(logs: Logs) -> bool:
    """Has everything that happened been foreseen?"""
    return not [entry for entry in logs if entry["event"] == "call failed"]
