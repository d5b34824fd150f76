"""Recording a greeting by telephone: record, listen, keep, again (GREET-05, GREET-09)."""

from contextlib import suppress

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.own_call import serve_noted_call
from vm_ari.domain.greetings import GreetingKey, Slot
from vm_ari.ports import GreetingsUnavailable, GreetingTake, UnusableAudio
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Recorded
from vm_ari.telephony.call import Call, NoAnswer
from vm_ari.telephony.menu import Action, Item, choices, spoken

log = structlog.get_logger("vm_ari.calls")

TRIES = 3
"""Recordings without anything in them, before we give up."""
REVIEW = (
    Item(Action.KEEP_GREETING, P.TO_KEEP),
    Item(Action.HEAR_TAKE, P.TO_HEAR_GREETING),
    Item(Action.REDO_GREETING, P.TO_REDO),
    Item(Action.DISCARD_GREETING, P.TO_GO_BACK),
)


async def record_greeting(call: Call, desk: Desk, key: GreetingKey) -> bool:
    """Record a greeting or a name; was it kept?

    Until the user has said so the older one stays, and a hang-up keeps nothing. Raises
    `GreetingsUnavailable`, `NoAnswer`.
    """
    take = desk.studio.new_take()
    try:
        kept = await _until_content(call, desk, key, take)
    finally:
        with suppress(GreetingsUnavailable):  # the start of the controller sweeps up
            await desk.studio.discard(take)
    await call.say(P.GREETING_KEPT if kept else P.GREETING_DISCARDED)
    return kept


async def _until_content(call: Call, desk: Desk, key: GreetingKey, take: GreetingTake) -> bool:
    """Record until it is kept (True) or given up (False)."""
    for _ in range(TRIES):
        while await _record(call, desk, key, take):
            match await _review(call, desk, take):
                case Action.DISCARD_GREETING:
                    return False
                case Action.KEEP_GREETING if await _keep(call, desk, key, take):
                    return True
        await call.say(P.TOO_SHORT)
    raise NoAnswer


async def _record(call: Call, desk: Desk, key: GreetingKey, take: GreetingTake) -> bool:
    """Is there anything in it?"""
    name = key.slot is Slot.NAME
    invitation = P.RECORD_NAME_AFTER_TONE if name else P.RECORD_GREETING_AFTER_TONE
    await call.say(invitation, skip="#")
    ending = await call.record(take.name, desk.studio.limits, tone=P.BEEP)
    return await desk.studio.is_usable(take, ending)


async def _review(call: Call, desk: Desk, take: GreetingTake) -> Action:
    """Let the user hear it as often as wanted."""
    while True:
        action = await call.ask(spoken(REVIEW, desk.keys), choices(REVIEW, desk.keys))
        if action is not Action.HEAR_TAKE:
            return action
        await call.say(Recorded(str(take.path)))


async def _keep(call: Call, desk: Desk, key: GreetingKey, take: GreetingTake) -> bool:
    try:
        await desk.studio.keep(key, take)
    except UnusableAudio as error:
        log.info("greeting not usable", owner=key.owner, slot=key.slot.value, reason=str(error))
        await call.say(P.TOO_SHORT)
        return False
    log.info("greeting kept", owner=key.owner, slot=key.slot.value, language=key.language)
    return True


async def serve_recording_call(call: Call, desk: Desk, key: GreetingKey) -> None:
    """A call that we made for this: say what for, record, say goodbye.

    Raises only `LineFault`, as `reception.receive`.
    """

    async def story(call: Call, desk: Desk) -> None:
        await call.say(P.RECORDING_CALL, _subject(key.slot))
        await record_greeting(call, desk, key)
        await call.last_words(P.GOODBYE)

    await serve_noted_call(call, desk, story, key.owner)


def _subject(slot: Slot) -> P:
    match slot:
        case Slot.GLOBAL:
            return P.GLOBAL_GREETING
        case Slot.NAME:
            return P.YOUR_NAME
        case _:
            return P(f"profile/{slot.value}")
