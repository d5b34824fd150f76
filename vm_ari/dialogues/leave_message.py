"""After the greeting: the tone, the message, and the caller's second thoughts."""

import structlog

from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.domain.journal import Result
from vm_ari.domain.recording import Ending
from vm_ari.domain.users import User
from vm_ari.ports import SpoolFull
from vm_ari.services.drafts import Draft
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Recorded, Sentence
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.menu import Action, Item, choices, spoken

log = structlog.get_logger("vm_ari.calls")

REVIEW = (
    Item(Action.SEND, P.TO_SEND),
    Item(Action.HEAR, P.TO_HEAR),
    Item(Action.REDO, P.TO_REDO),
    Item(Action.URGENT, P.TO_MARK_URGENT),
)
REVIEW_URGENT = (*REVIEW[:3], Item(Action.URGENT, P.TO_MARK_NORMAL))

KEPT: Sentence = (P.THANK_YOU_GOODBYE,)
NOT_STORED: Sentence = (P.CANNOT_STORE, P.GOODBYE)
NOTHING_SAID: Sentence = (P.NOTHING_RECORDED, P.GOODBYE)

TRIES_UNANSWERED = 3
"""So often a recording is begun where Asterisk does not say that it has."""


async def leave_message(call: Call, visit: Visit, desk: Desk, user: User | None) -> bool:
    """Take a message; what was said is kept, however the call ends. False: it could not be."""
    desk.record.takes_message()
    try:
        draft = await desk.drafts.begin(
            channel_id=call.id, called=visit.dialled, user=user, caller=visit.caller
        )
        return await _take(call, desk, draft)
    except SpoolFull as error:
        log.error("message not stored; what was recorded stays in the spool", reason=str(error))
        desk.record.ends(Result.NOT_STORED)
        await call.last_words(*NOT_STORED)
        return False


async def _take(call: Call, desk: Desk, draft: Draft) -> bool:
    """Keep first, thank later. Raises `SpoolFull`."""
    try:
        await _record_and_review(call, desk, draft)
    except CallerHungUp:
        await _close(desk, draft)
        raise  # with nothing kept he was gone before the tone
    except NoAnswer:
        pass  # somebody who says nothing about his message wants it to be sent
    kept = await _close(desk, draft)
    if not kept:
        desk.record.ends(Result.NOT_STORED if draft.faulty else Result.NOTHING_SAID)
    await call.last_words(*(KEPT if kept else NOT_STORED if draft.faulty else NOTHING_SAID))
    return kept or not draft.faulty


async def _close(desk: Desk, draft: Draft) -> bool:
    """Was anything kept? Then the journal hears of it. Raises `SpoolFull`."""
    kept = await desk.drafts.close(draft)
    if kept:
        desk.record.left(draft.facts, partial=draft.partial)
    return kept


async def _record_and_review(call: Call, desk: Desk, draft: Draft) -> None:
    """Record until the caller is content, or has said nothing at all."""
    again = TRIES_UNANSWERED
    while True:
        ending = await call.record(draft.next_take(), desk.rules.limits, tone=P.BEEP)
        good = await draft.judge(ending)
        if ending is Ending.UNANSWERED and not draft.has_take:
            call.has_recorded = False  # then the dialplan can still take it
        if ending is Ending.UNANSWERED and not good and (again := again - 1):
            continue  # perhaps he has not even heard a tone
        if not draft.has_take:
            return
        if not good:
            await call.say(P.NOTHING_RECORDED)  # the review is about the take before
        elif draft.faulty and ending is not Ending.UNANSWERED:
            await call.say(P.RECORDING_INTERRUPTED)  # he may still be talking
        if not desk.rules.caller_may_review or await _review(call, desk, draft) is Action.SEND:
            return


async def _review(call: Call, desk: Desk, draft: Draft) -> Action:
    """Let the caller hear it, mark it, send it (SEND) or record it again (REDO)."""
    while True:
        menu = REVIEW_URGENT if draft.urgent else REVIEW
        match await call.ask(spoken(menu, desk.keys), choices(menu, desk.keys)):
            case Action.HEAR:
                await call.say(Recorded(draft.audio))
            case Action.URGENT:
                await call.say(await _toggle_urgent(draft))
            case chosen:
                return chosen


async def _toggle_urgent(draft: Draft) -> P:
    """What to say about it; a full disk costs the mark, not the message."""
    try:
        await draft.toggle_urgent()
    except SpoolFull as error:
        log.error("message could not be marked", reason=str(error))
        return P.NOT_DONE
    return P.MARKED_URGENT if draft.urgent else P.MARKED_NORMAL
