"""We have called a user who wants, from the portal, to speak with whoever has left a message.

What the telephone menu does at its key (INBOX-09) is done here: the number is said and confirmed by
a key, so no answering machine is ever connected with anybody.
"""

from dataclasses import replace
from functools import partial

import structlog

from vm_ari.dialogues.call_back import call_back
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.login import Owner
from vm_ari.dialogues.own_call import serve_noted_call
from vm_ari.dialogues.play_on_phone import prove_called
from vm_ari.domain.access import Proof
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.journal import Result
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.playing_call import PlayingCall, Report
from vm_ari.domain.preferences import Access
from vm_ari.domain.settings import Hideable
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable
from vm_ari.services.play_on_phone import message_named
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Sentence
from vm_ari.telephony.call import Call

log = structlog.get_logger("vm_ari.calls")


async def serve_call_back_call(call: Call, desk: Desk, wanted: PlayingCall) -> None:
    """A call that we made for this, from the first to the last word.

    Raises only `LineFault`, as `reception.receive`.
    """
    story = partial(_serve, wanted)
    await serve_noted_call(call, desk, story, wanted.owner, wanted.phone)


async def _serve(wanted: PlayingCall, call: Call, desk: Desk) -> None:
    """Raises `DirectoryUnavailable`, `MailboxUnavailable`, `NoAnswer`."""
    user = await desk.accounts.directory.user_by_id(wanted.owner)
    call.language = desk.language_of(user)
    if user is None or user.access is not Access.FULL:
        await _refuse(call, desk, Report.CLOSED, (P.LOGIN_NOT_POSSIBLE, P.GOODBYE))
        return
    match await prove_called(call, desk, user, wanted.phone):
        case Owner(owner):
            # the portal's sign-in, by which the call was asked for, stands for the PIN
            await _connect(call, replace(desk, proof=Proof.PIN), owner, wanted.uid)
        case _:
            await _refuse(call, desk, Report.NO_PIN, (P.GOODBYE,))


async def _connect(call: Call, desk: Desk, owner: User, uid: str) -> None:
    """Raises `MailboxUnavailable`, `NoAnswer`."""
    try:
        message = await _message(desk, owner, uid)
    except MailboxUnavailable:
        await call.report(Report.UNAVAILABLE)
        raise
    if message is None:
        await _refuse(call, desk, Report.GONE, (P.MESSAGE_GONE, P.GOODBYE))
        return
    if not _may_call(desk, owner, message):
        await _refuse(call, desk, Report.REFUSED, (P.NUMBER_NOT_ALLOWED, P.GOODBYE))
        return
    await call_back(call, desk, owner, message, confirmed=partial(call.report, Report.CALLED))
    await call.last_words(P.GOODBYE)


async def _message(desk: Desk, owner: User, uid: str) -> StoredMessage | None:
    """Nobody holds a mailbox open while people talk. Raises `MailboxUnavailable`."""
    async with desk.inboxes.open(owner) as inbox:
        return await message_named(inbox.mailbox, uid, [MessageKind.VOICE])


def _may_call(desk: Desk, owner: User, message: StoredMessage) -> bool:
    if desk.call_backs is None or not desk.rules.shows(Hideable.CALL_BACK):
        return False
    return isinstance(desk.call_backs.judge(message, owner, desk.proof), Allowed)


async def _refuse(call: Call, desk: Desk, report: Report, words: Sentence) -> None:
    """Who has asked for the call reads the report while the words are spoken."""
    log.info("no call back", call=call.id, why=report.value)
    desk.record.ends(Result.REFUSED)
    await call.report(report)
    await call.last_words(*words)
