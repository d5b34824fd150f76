"""Where every call comes in, and where every call ends, whatever happened in between."""

import asyncio
from contextlib import suppress
from dataclasses import replace

import structlog

from vm_ari.dialogues.answer import Exit, answer
from vm_ari.dialogues.conference import conference, door_of, goes_to_another_node
from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.login import log_in
from vm_ari.dialogues.receive_fax import takes_heard_fax
from vm_ari.domain.journal import Kind, Result
from vm_ari.domain.redirection import Hop, Redirection
from vm_ari.ports import DirectoryUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.channel import LineFault, LineSilent
from vm_ari.telephony.dtmf import Back

log = structlog.get_logger("vm_ari.calls")

_AT_ONCE = ("leave", "conference")
"""What calls are for that nobody has answered yet."""
TELL_AGAIN = (0.5, 1.0, 2.0, 4.0)
"""Seconds between tries to give a line back while Asterisk does not answer."""


async def receive(call: Call, purpose: str, visit: Visit, desk: Desk) -> None:
    """Serve one call from the first to the last word; the journal hears of it in any case.

    Raises only `LineFault`, when the line cannot even be given back to the dialplan.
    """
    opened = desk.records.of(
        call.id,
        Kind.REMOTE_INQUIRY if purpose == "login" else Kind.CALL,
        caller=visit.caller,
        called=visit.dialled,
        withheld=visit.withheld,
        redirected_from=next((hop.number for hop in visit.redirection.hops), ""),
    )
    async with opened as record:
        await _receive(call, purpose, visit, replace(desk, record=record))
        if await call.was_fax():
            record.became_fax()


async def _receive(call: Call, purpose: str, visit: Visit, desk: Desk) -> None:
    try:
        leaving = await _serve(call, purpose, visit, desk)
    except CallerHungUp:
        return
    except NoAnswer:
        await _end(call, P.GOODBYE, "SUCCESS")
    except DirectoryUnavailable as error:
        log.warning("directory not available", reason=str(error))
        desk.record.fails(Result.FAILED)
        await _end(call, P.TECHNICAL_PROBLEM, "FAILED")
    except LineFault as error:
        log.warning("line does not obey", reason=str(error))
        await _give_up(call, desk)
    except Exception:
        log.exception("call failed")
        await _give_up(call, desk)
    else:
        await _leave(call, leaving.status, leaving.extension)


async def _serve(call: Call, purpose: str, visit: Visit, desk: Desk) -> Exit:
    if purpose in _AT_ONCE and await goes_to_another_node(call, visit, desk):
        desk.record.ends(Result.LEFT_TO_DIALPLAN)
        return Exit.ELSEWHERE
    match purpose:
        case "login":
            return await _remote_inquiry(call, visit, desk)
        case "common":
            return await _common_number(call, visit, desk)
        case "conference":
            owner = await desk.accounts.owner_of(visit.dialled)
            await conference(call, visit, desk, door_of(owner, visit.dialled, desk))
            return Exit.END
        case "fax":
            return Exit.FAX if await takes_heard_fax(call, visit, desk) else Exit.END
    return await answer(call, visit, desk)


async def _remote_inquiry(call: Call, visit: Visit, desk: Desk) -> Exit:
    """For a mailbox that was named, that of the phone that calls, or one to be asked for."""
    await call.answer()
    mailbox = visit.dialled or desk.logins.known_number(visit.origin)
    owner = await desk.accounts.owner_of(mailbox) if mailbox else None
    went_back = await log_in(call, replace(visit, dialled=mailbox), desk, owner) is Back.BACK
    if went_back and owner and not visit.dialled:  # somebody else's phone: another mailbox
        call.language = desk.language_of(None)
        went_back = await log_in(call, visit, desk) is Back.BACK
    if went_back:
        await call.last_words(P.GOODBYE)
    return Exit.END


async def _common_number(call: Call, visit: Visit, desk: Desk) -> Exit:
    """One number for everybody: a redirected call leaves a message, a direct one logs in.

    A redirection is a mere claim, so it never leads to a login.
    """
    if not (await call.chain()).numbers:  # one that we have dialled may have to be refused
        await call.answer()
    hop = await _meant(visit.redirection, desk)
    if hop is None and not visit.redirection.certain:
        return await _remote_inquiry(call, replace(visit, dialled=""), desk)
    number = hop.number if hop else visit.dialled
    log.info("redirected call", mailbox=number, told_by=str(hop or "nobody that can be read"))
    return await answer(call, replace(visit, dialled=number), desk)


async def _meant(redirection: Redirection, desk: Desk) -> Hop | None:
    """The first hop with a mailbox; the likeliest one where none has, or nobody can tell."""
    try:
        for hop in redirection.hops:
            if await desk.accounts.owner_of(hop.number):
                return hop
    except DirectoryUnavailable as error:
        log.warning("redirecting number not known yet", reason=str(error))
    return redirection.likeliest(desk.rules.site) if redirection.certain else None


async def _give_up(call: Call, desk: Desk) -> None:
    """A fault of ours; where nothing was said yet, the dialplan can still take the message."""
    desk.record.fails(Result.FAILED if call.has_recorded else Result.LEFT_TO_DIALPLAN)
    if call.has_recorded:
        await _end(call, P.TECHNICAL_PROBLEM, "FAILED")
    else:
        await call.leave("FALLBACK")


async def _end(call: Call, words: P, status: str) -> None:
    with suppress(CallerHungUp, LineFault):
        await call.last_words(words)
    await _leave(call, status)


async def _leave(call: Call, status: str, extension: str = "") -> None:
    """Who has been served is not greeted anew only because Asterisk did not answer for a moment."""
    for pause in TELL_AGAIN:
        try:
            await call.leave(status, extension)
        except LineSilent:
            await asyncio.sleep(pause)
        else:
            return
    await call.leave(status, extension)
