"""A caller whose script died with an earlier controller: what he is saying is kept."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.leave_message import KEPT, NOT_STORED, NOTHING_SAID
from vm_ari.domain.journal import Kind, Result, Teller
from vm_ari.ports import DirectoryUnavailable, SpoolFull
from vm_ari.services.call_records import Record
from vm_ari.services.drafts import Draft
from vm_ari.speech.language import Language
from vm_ari.speech.parts import Sentence
from vm_ari.telephony.call import Call, CallerHungUp

log = structlog.get_logger("vm_ari.calls")

Adopt = Callable[[], Awaitable[object]]


async def finish(call: Call, desk: Desk, adopt: Adopt) -> None:
    """Wait until he has said it, *adopt* it, thank him; with nothing begun, begin anew.

    *adopt* keeps what was recorded on this line; it runs before the thanks.
    """
    draft = await desk.drafts.left_behind(call.id)
    async with _noted(call, desk, draft) as record:
        if draft is None:
            record.ends(Result.LEFT_TO_DIALPLAN)
            await call.leave("FALLBACK")
        else:
            await _finish(call, replace(desk, record=record), draft, adopt)


def _noted(call: Call, desk: Desk, draft: Draft | None) -> AbstractAsyncContextManager[Record]:
    """What an earlier controller has noted of the call counts more."""
    told_by = Teller.OUTBOX
    if draft is None:
        return desk.records.of(call.id, Kind.CALL, told_by=told_by)
    facts = draft.facts
    return desk.records.of(
        call.id,
        Kind.CALL,
        caller=facts.caller,
        called=facts.called,
        user_id=facts.user_id or "",
        started=facts.started,
        told_by=told_by,
    )


async def _finish(call: Call, desk: Desk, draft: Draft, adopt: Adopt) -> None:
    with suppress(CallerHungUp):
        await call.rejoin(draft.newest, desk.rules.limits)
    farewell = await _keep(call, desk, draft, adopt)
    call.language = await _language(draft.called, desk)
    with suppress(CallerHungUp):
        await call.last_words(*farewell)
    await call.leave("SUCCESS")


async def _keep(call: Call, desk: Desk, draft: Draft, adopt: Adopt) -> Sentence:
    """What may be said after the adoption: thanks only for what is safe."""
    try:
        said_something = await draft.holds_a_message()
        await adopt()
        still_there = await desk.drafts.left_behind(call.id)
    except SpoolFull as error:
        log.error("message stays in the spool", reason=str(error))
        desk.record.ends(Result.NOT_STORED)
        return NOT_STORED
    if not said_something:
        desk.record.ends(Result.NOTHING_SAID)
        return NOTHING_SAID
    if still_there:
        desk.record.ends(Result.NOT_STORED)
        return NOT_STORED
    desk.record.left(draft.facts)
    return KEPT


async def _language(called: str, desk: Desk) -> Language:
    try:
        user = await desk.accounts.owner_of(called)
    except DirectoryUnavailable:
        user = None
    return desk.language_of(user)
