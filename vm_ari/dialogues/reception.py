"""Where every call comes in, and where every call ends, whatever happened in between."""

import structlog

from vm_ari.dialogues.answer import Exit, answer
from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.login import log_in
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.channel import LineFault

log = structlog.get_logger("vm_ari.calls")


async def receive(call: Call, purpose: str, visit: Visit, desk: Desk) -> None:
    """Serve one call from the first to the last word; never raises an error of its own."""
    try:
        leaving = await _serve(call, purpose, visit, desk)
    except CallerHungUp:
        return
    except NoAnswer:
        await _last_words(call, P.GOODBYE)
        await call.leave("SUCCESS")
        return
    except Exception:
        log.exception("call failed")
        await _last_words(call, P.TECHNICAL_PROBLEM)
        await call.leave("FAILED")
        return
    await call.leave("SUCCESS" if leaving is Exit.END else "USEREXIT", leaving.value)


async def _serve(call: Call, purpose: str, visit: Visit, desk: Desk) -> Exit:
    if purpose != "login":
        return await answer(call, visit, desk)
    await call.answer()
    owner = await desk.accounts.owner_of(visit.dialled) if visit.dialled else None
    await log_in(call, visit, desk, owner)
    return Exit.END


async def _last_words(call: Call, words: P) -> None:
    try:
        await call.say(words)
    except (CallerHungUp, LineFault):
        return
