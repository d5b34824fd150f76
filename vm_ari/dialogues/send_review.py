"""What is sent is spoken, heard again, marked, sent or discarded (INBOX-07, -08, -13)."""

from collections.abc import Sequence

import structlog

from vm_ari.dialogues.choosing import choose, surprise
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.recipients import Choice
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.sending import Errand, Sending
from vm_ari.ports import SpoolFull
from vm_ari.services.inbox import Inbox
from vm_ari.services.sendings import Dispatch, OriginalTooLarge, TooManySendings
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Recorded, Sentence
from vm_ari.telephony.call import Call, CallerHungUp, NoAnswer
from vm_ari.telephony.menu import Action, Item

log = structlog.get_logger("vm_ari.calls")

SEND_REVIEW: Sequence[Item] = (
    Item(Action.DISPATCH, P.TO_SEND),
    Item(Action.HEAR_SPOKEN, P.TO_HEAR),
    Item(Action.SPEAK, P.TO_REDO),
    Item(Action.SENDING_URGENT, P.TO_MARK_URGENT),
    Item(Action.DISCARD, P.TO_DISCARD),
)
WITHOUT_COMMENT: Sequence[Item] = (
    Item(Action.DISPATCH, P.TO_SEND_WITHOUT_COMMENT),
    Item(Action.SPEAK, P.TO_RECORD_COMMENT),
    *SEND_REVIEW[3:],
)
NOTHING_SPOKEN: Sequence[Item] = (SEND_REVIEW[2], SEND_REVIEW[4])


async def send(
    choice: Choice,
    sending: Sending,
    *,
    names: Sentence = (),
    inbox: Inbox | None = None,
    message: StoredMessage | None = None,
) -> None:
    """Take what the user says, and send it when he is content; *names*: those who get it.

    What was said is sent however the call ends; a forward without a comment only when the user
    says so. *message*, of that *inbox*, is answered or forwarded. Raises `NoAnswer`,
    `MailboxUnavailable`, `MessageGone`.
    """
    call = choice.call
    try:
        dispatch = await choice.sendings.begin(
            channel_id=call.id, owner=choice.owner, sending=sending, inbox=inbox, message=message
        )
        sent = await _take(call, choice.desk, dispatch, spoken_first=not _is_forward(sending))
    except SpoolFull as error:
        await surprise(call, _why_not(error))
        return
    await call.say(*(_sent(names) if sent else (P.NOT_SENT,)))


def _why_not(error: SpoolFull) -> P:
    """What was recorded stays in the spool, if anything was."""
    match error:
        case TooManySendings():
            log.warning("sending refused", reason=str(error))
            return P.NO_MORE_TODAY
        case OriginalTooLarge():
            log.info("sending refused", reason=str(error))
            return P.MESSAGE_TOO_LARGE
    log.error("nothing sent; what was recorded stays in the spool", reason=str(error))
    return P.CANNOT_STORE


def _is_forward(sending: Sending) -> bool:
    return sending.errand is Errand.FORWARD


def _sent(names: Sentence) -> Sentence:
    return (P.SENT_TO, *names) if names else (P.MESSAGE_SENT,)


async def _take(call: Call, desk: Desk, dispatch: Dispatch, *, spoken_first: bool) -> bool:
    """Was it sent? Raises `SpoolFull`."""
    try:
        begun = not spoken_first or await _record(call, desk, dispatch)
        decision = await _review(call, desk, dispatch, optional=not spoken_first) if begun else None
    except (CallerHungUp, NoAnswer):
        await _close(call, dispatch, send=dispatch.has_take)
        raise
    return await _close(call, dispatch, send=decision is Action.DISPATCH)


async def _close(call: Call, dispatch: Dispatch, *, send: bool) -> bool:
    """Was it sent? Raises `SpoolFull`."""
    sent = await dispatch.send() if send else False
    if not send:
        await dispatch.drop()
    log.info("sending", call=call.id, sent=sent)
    return sent


async def _record(call: Call, desk: Desk, dispatch: Dispatch) -> bool:
    """False: the user went back before the tone."""
    back = desk.keys[Action.DISCARD]
    if await call.say_or_key((P.SPEAK_AFTER_TONE,), f"#{back}") == back:
        return False
    ending = await call.record(dispatch.next_take(), desk.rules.limits, tone=P.BEEP)
    if not await dispatch.judge(ending):
        await call.say(P.NOT_DONE if dispatch.faulty else P.NOTHING_RECORDED)
    return True


async def _review(call: Call, desk: Desk, dispatch: Dispatch, *, optional: bool) -> Action:
    """Until the user sends or discards it."""
    while True:
        match await choose(call, desk, _menu(dispatch, optional=optional)):
            case Action.SPEAK:
                await _record(call, desk, dispatch)
            case Action.HEAR_SPOKEN:
                await call.say(Recorded(dispatch.audio))
            case Action.SENDING_URGENT:
                await call.say(await _toggle_urgent(dispatch))
            case decision:
                return decision


def _menu(dispatch: Dispatch, *, optional: bool) -> Sequence[Item]:
    nothing_yet = WITHOUT_COMMENT if optional else NOTHING_SPOKEN
    menu = SEND_REVIEW if dispatch.has_take else nothing_yet
    return marked(menu) if dispatch.urgent else menu


def marked(menu: Sequence[Item]) -> Sequence[Item]:
    """The menu for what is urgent: the mark can be taken back."""
    back = Item(Action.SENDING_URGENT, P.TO_MARK_NORMAL)
    return [back if item.action is back.action else item for item in menu]


async def _toggle_urgent(dispatch: Dispatch) -> P:
    """What to say about it; a full disk costs the mark, not the message."""
    try:
        await dispatch.toggle_urgent()
    except SpoolFull as error:
        log.error("message could not be marked", reason=str(error))
        return P.NOT_DONE
    return P.MARKED_URGENT if dispatch.urgent else P.MARKED_NORMAL
