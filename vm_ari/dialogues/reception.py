"""Where every call comes in, and where every call ends, whatever happened in between."""

from contextlib import suppress

import structlog

from vm_ari.dialogues.answer import Exit, answer
from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.login import log_in
from vm_ari.ports import DirectoryUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.channel import LineFault
from vm_ari.telephony.dtmf import Back

log = structlog.get_logger("vm_ari.calls")


async def receive(call: Call, purpose: str, visit: Visit, desk: Desk) -> None:
    """Serve one call from the first to the last word.

    Raises only `LineFault`, when the line cannot even be given back to the dialplan.
    """
    try:
        leaving = await _serve(call, purpose, visit, desk)
    except CallerHungUp:
        return
    except NoAnswer:
        await _end(call, P.GOODBYE, "SUCCESS")
    except DirectoryUnavailable as error:
        log.warning("directory not available", reason=str(error))
        await _end(call, P.TECHNICAL_PROBLEM, "FAILED")
    except Exception:
        log.exception("call failed")
        await _give_up(call)
    else:
        await call.leave("SUCCESS" if leaving is Exit.END else "USEREXIT", leaving.value)


async def _serve(call: Call, purpose: str, visit: Visit, desk: Desk) -> Exit:
    if purpose != "login":
        return await answer(call, visit, desk)
    await call.answer()
    owner = await desk.accounts.owner_of(visit.dialled) if visit.dialled else None
    if await log_in(call, visit, desk, owner) is Back.BACK:
        await call.last_words(P.GOODBYE)
    return Exit.END


async def _give_up(call: Call) -> None:
    """A fault of ours; where nothing was said yet, the dialplan can still take the message."""
    if call.has_recorded:
        await _end(call, P.TECHNICAL_PROBLEM, "FAILED")
    else:
        await call.leave("FALLBACK")


async def _end(call: Call, words: P, status: str) -> None:
    with suppress(CallerHungUp, LineFault):
        await call.last_words(words)
    await call.leave(status)
