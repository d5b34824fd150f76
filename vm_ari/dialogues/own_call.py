"""A call that the system has made: whatever happens in it, it ends politely."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.journal import Kind, Result
from vm_ari.ports import DirectoryUnavailable, GreetingsUnavailable, MailboxUnavailable
from vm_ari.services.call_records import Record
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.channel import LineFault

log = structlog.get_logger("vm_ari.calls")


async def serve_noted_call(
    call: Call,
    desk: Desk,
    story: Callable[[Call, Desk], Awaitable[None]],
    owner: str,
    phone: str = "",
) -> None:
    """`serve_own_call` for the user *owner*, with an entry of the journal at the story's desk."""
    opened = desk.records.of(call.id, Kind.SYSTEM_CALL, called=phone, user_id=owner)
    async with opened as record:
        desk = replace(desk, record=record)
        await serve_own_call(call, partial(story, call, desk), record)


async def serve_own_call(
    call: Call, story: Callable[[], Awaitable[None]], record: Record | None = None
) -> None:
    """Take the line, tell the story to its end, give the line back.

    The *record* hears how it ended, unless the story has told that already. Raises only
    `LineFault`, as `reception.receive`.
    """
    status = "FAILED"
    try:
        await call.answer()
        await story()
        status = "SUCCESS"
        _note(record, Result.SERVED)
    except CallerHungUp:
        return
    except NoAnswer:
        _note(record, Result.NO_ANSWER)
        await _last(call, P.GOODBYE)
    except (DirectoryUnavailable, GreetingsUnavailable, MailboxUnavailable) as error:
        _note(record, Result.FAILED)
        log.error("call could not serve its purpose", call=call.id, reason=str(error))
        await _last(call, P.TECHNICAL_PROBLEM)
    except LineFault:
        raise
    except Exception:
        _note(record, Result.FAILED)
        log.exception("call failed")
        await _last(call, P.TECHNICAL_PROBLEM)
    await call.leave(status)


def _note(record: Record | None, result: Result) -> None:
    if record is not None and record.entry.result is Result.UNKNOWN:
        record.ends(result)


async def _last(call: Call, words: P) -> None:
    with suppress(CallerHungUp, LineFault):
        await call.last_words(words)
