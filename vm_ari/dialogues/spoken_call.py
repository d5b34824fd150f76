"""We have called somebody to whom a user has sent a text: who sends it, and the words (SPEECH-04).

Nothing here tells a person from an answering machine: it, too, is played everything. Where that
matters the sender asks for a key, which no machine presses.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.own_call import serve_own_call
from vm_ari.dialogues.transfer import GIVE_UP, how_it_ended
from vm_ari.domain.callers import Caller
from vm_ari.domain.spoken_orders import Hearing
from vm_ari.domain.transfer import Outcome
from vm_ari.ports.orders import OrdersUnavailable
from vm_ari.ports.spoken import Speaking, SpokenScript
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import UnknownLanguage, language
from vm_ari.speech.parts import Digits, Recorded, Sentence
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.channel import Leg, LineFault

log = structlog.get_logger("vm_ari.calls")

AGAIN, CONFIRM, CONNECT = "1", "2", "3"
TO_THE_EAR = 0.8
"""Seconds from picking up to listening."""
FOR_A_KEY = 5.0
"""Seconds after the menu."""
TRIES = 3
"""How often a key is asked for that the sender wants."""
ROUNDS = 10
"""How often somebody may hear the same: a key that is stuck ends, too."""


@dataclass
class _Heard:
    """So far."""

    began: float
    whole: bool = False
    confirmed: bool = False

    def as_told(self, call_id: str) -> Hearing:
        """For who has ordered the call."""
        lasted = asyncio.get_running_loop().time() - self.began
        return Hearing(call_id, self.whole, self.confirmed, round(lasted, 1))


async def serve_spoken_call(call: Call, desk: Desk, speaking: Speaking, call_id: str) -> None:
    """A call that we made for this, from the first to the last word.

    Raises only `LineFault`, as `reception.receive`.
    """
    await serve_own_call(call, partial(_serve, call, desk, speaking, call_id))


async def _serve(call: Call, desk: Desk, speaking: Speaking, call_id: str) -> None:
    """Raises `NoAnswer` where the key was not pressed that the sender wants."""
    try:
        script = await speaking.script(call_id)
    except OrdersUnavailable as error:
        log.error("spoken message cannot be said", call=call.id, reason=str(error))
        await call.last_words(P.TECHNICAL_PROBLEM)
        return
    if script is None:  # cancelled, or not allowed any more, while it rang
        await call.last_words(P.GOODBYE)
        return
    heard = _Heard(asyncio.get_running_loop().time())
    try:
        await _speak(call, desk, script, heard)
    except (CallerHungUp, NoAnswer):
        await _tell(speaking, heard.as_told(call_id))
        raise
    await _tell(speaking, heard.as_told(call_id))
    await call.last_words(P.GOODBYE)


async def _tell(speaking: Speaking, hearing: Hearing) -> None:
    """Who cannot be told makes the call once more, and that is better than none."""
    log.info("spoken message", call=hearing.call_id, whole=hearing.whole, key=hearing.confirmed)
    try:
        await speaking.heard(hearing)
    except OrdersUnavailable as error:
        log.error("nobody knows that a message was heard", reason=str(error))


async def _speak(call: Call, desk: Desk, script: SpokenScript, heard: _Heard) -> None:
    """Raises `CallerHungUp`, `NoAnswer`."""
    with suppress(UnknownLanguage):  # then what the system says itself is in the site's
        call.language = language(script.language)
    text = tuple(Recorded(str(sound)) for sound in script.sounds)
    await call.say_or_key((), "", wait=TO_THE_EAR)
    for _ in range(ROUNDS):
        key = await call.say_or_key((*_sender(script), *text), AGAIN)
        if key is None:
            await call.stays()  # a hang-up, too, ends what is played
            heard.whole = True
            key = await _choice(call, script, heard)
        if key == CONNECT and await _connected(call, desk, script):
            heard.confirmed = True  # who has talked with the sender need not press a key
            return
        if key is None:
            return


async def _choice(call: Call, script: SpokenScript, heard: _Heard) -> str | None:
    """What the listener wants next; None: nothing more. Raises `NoAnswer`."""
    for _ in range(TRIES if script.confirm else 1):
        keys = AGAIN + (CONFIRM if script.confirm else "") + (CONNECT if script.back else "")
        key = await call.say_or_key(_menu(script), keys, wait=FOR_A_KEY)
        if key == CONFIRM:
            heard.confirmed = True
            return None
        if key is not None or not script.confirm:
            return key
    raise NoAnswer


def _sender(script: SpokenScript) -> Sentence:
    """The number as well: a name can be anybody's."""
    number = (P.FROM, Digits(script.sender.number)) if script.sender.number else ()
    if script.name is None:
        return (P.SPOKEN_MESSAGE, *(number or (P.FROM_UNKNOWN,)))
    said = Recorded(str(script.name))
    digits = (Digits(script.sender.number),) if script.sender.number else ()
    return (P.SPOKEN_MESSAGE, P.FROM_NAME, said, *digits)


def _menu(script: SpokenScript) -> Sentence:
    return (
        *((P.TO_CONFIRM, P.PRESS, Digits(CONFIRM)) if script.confirm else ()),
        *(P.TO_REPEAT, P.PRESS, Digits(AGAIN)),
        *((P.TO_BE_CONNECTED, P.PRESS, Digits(CONNECT)) if script.back else ()),
    )


async def _connected(call: Call, desk: Desk, script: SpokenScript) -> bool:
    """Have they talked? Else the listener is back. Raises `CallerHungUp`."""
    assert script.back, "the key is offered only then"
    await call.say(P.PLEASE_HOLD)
    leg = Leg(script.back, shown=Caller(), chain=await call.chain())
    try:
        outcome = await call.transfer(leg, hears=desk.transfer.hears, give_up=GIVE_UP)
    except LineFault as error:
        log.warning("listener not connected", call=call.id, reason=str(error))
        outcome = Outcome.UNREACHABLE
    if words := how_it_ended(outcome):
        await call.say(*words)
    return outcome.connected
