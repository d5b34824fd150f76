"""A call that the system has made: whatever happens in it, it ends politely."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from vm_ari.ports import DirectoryUnavailable, GreetingsUnavailable, MailboxUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.channel import LineFault

log = structlog.get_logger("vm_ari.calls")


async def serve_own_call(call: Call, story: Callable[[], Awaitable[None]]) -> None:
    """Take the line, tell the story to its end, give the line back.

    Raises only `LineFault`, as `reception.receive`.
    """
    status = "FAILED"
    try:
        await call.answer()
        await story()
        status = "SUCCESS"
    except CallerHungUp:
        return
    except NoAnswer:
        await _last(call, P.GOODBYE)
    except (DirectoryUnavailable, GreetingsUnavailable, MailboxUnavailable) as error:
        log.error("call could not serve its purpose", call=call.id, reason=str(error))
        await _last(call, P.TECHNICAL_PROBLEM)
    except LineFault:
        raise
    except Exception:
        log.exception("call failed")
        await _last(call, P.TECHNICAL_PROBLEM)
    await call.leave(status)


async def _last(call: Call, words: P) -> None:
    with suppress(CallerHungUp, LineFault):
        await call.last_words(words)
