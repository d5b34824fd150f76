"""After the greeting: the tone, the message, and the caller's second thoughts."""

import structlog

from vm_ari.dialogues.desk import Desk, Visit
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


async def leave_message(call: Call, visit: Visit, desk: Desk, user: User | None) -> None:
    """Take a message; what was said is kept, however the call ends."""
    try:
        draft = await desk.drafts.begin(
            channel_id=call.id, called=visit.dialled, user=user, caller=visit.caller
        )
    except SpoolFull as error:
        log.error("no room for a message", reason=str(error))
        await call.say(P.CANNOT_STORE, P.GOODBYE)
        return
    try:
        wanted = await _record_and_review(call, desk, draft)
    except (CallerHungUp, NoAnswer):
        await _keep(desk, draft)
        raise
    await _close(call, desk, draft, wanted)


async def _record_and_review(call: Call, desk: Desk, draft: Draft) -> bool:
    """Record until the caller is content; False if nothing was said."""
    while True:
        await call.say(P.BEEP, barge_in=False)
        ending = await call.record(draft.next_take(), desk.rules.limits)
        if not await draft.judge(ending):
            return False
        if not desk.rules.caller_may_review:
            return True
        if await _review(call, desk, draft) is Action.SEND:
            return True


async def _review(call: Call, desk: Desk, draft: Draft) -> Action:
    """Let the caller hear it, mark it, send it (SEND) or record it again (REDO)."""
    while True:
        menu = REVIEW_URGENT if draft.urgent else REVIEW
        match await call.ask(spoken(menu, desk.keys), choices(menu, desk.keys)):
            case Action.HEAR:
                await call.say(Recorded(draft.audio))
            case Action.URGENT:
                await draft.toggle_urgent()
                await call.say(P.MARKED_URGENT if draft.urgent else P.MARKED_NORMAL)
            case chosen:
                return chosen


async def _close(call: Call, desk: Desk, draft: Draft, wanted: bool) -> None:
    """Keep first, thank later."""
    if await _keep(desk, draft):
        farewell: Sentence = (P.THANK_YOU_GOODBYE,)
    elif wanted:
        farewell = (P.CANNOT_STORE, P.GOODBYE)
    else:
        farewell = (P.NOTHING_RECORDED, P.GOODBYE)
    await call.say(*farewell)


async def _keep(desk: Desk, draft: Draft) -> bool:
    try:
        return await desk.drafts.close(draft)
    except SpoolFull as error:
        log.error("message stays in the spool, not yet safe", reason=str(error))
        return False
