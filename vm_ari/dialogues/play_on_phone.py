"""We have called somebody so that he hears a message: a key first, then perhaps the PIN (INBOX-14).

Without the key nothing is played: an answering machine has picked up, or somebody else, who learns
nothing but that there is a message.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Literal

import structlog

from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.inbox import listen_to_one
from vm_ari.dialogues.login import Owner, identify
from vm_ari.dialogues.own_call import serve_noted_call
from vm_ari.domain.access import Proof
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import Result
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.playing_call import PlayingCall, Report
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable
from vm_ari.services.play_on_phone import message_named
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Sentence
from vm_ari.telephony.call import ACCEPT, Call
from vm_ari.telephony.dtmf import Back

log = structlog.get_logger("vm_ari.calls")


async def serve_playing_call(call: Call, desk: Desk, wanted: PlayingCall) -> None:
    """A call that we made for this, from the first to the last word.

    Raises only `LineFault`, as `reception.receive`.
    """
    story = partial(_serve, wanted)
    await serve_noted_call(call, desk, story, wanted.owner, wanted.phone)


async def _serve(wanted: PlayingCall, call: Call, desk: Desk) -> None:
    """Raises `DirectoryUnavailable`, `MailboxUnavailable`, `NoAnswer`."""
    user = await desk.accounts.directory.user_by_id(wanted.owner)
    call.language = desk.language_of(user)
    question = (P.MESSAGE_CALL, P.TO_HEAR, P.PRESS, Digits(ACCEPT))
    await call.ask(question, {ACCEPT: True})
    if user is None or user.access is not Access.FULL:
        await _refuse(call, desk, Report.CLOSED, (P.LOGIN_NOT_POSSIBLE, P.GOODBYE))
        return
    match await prove_called(call, desk, user, wanted.phone):
        case Owner(owner, proof):
            await _play(call, replace(desk, proof=proof), owner, wanted.uid)
        case Back.BACK:
            await _refuse(call, desk, Report.NO_PIN, (P.GOODBYE,))
        case farewell:
            closed = P.LOGIN_NOT_POSSIBLE in farewell or P.LOGIN_LOCKED in farewell
            await _refuse(call, desk, Report.CLOSED if closed else Report.NO_PIN, farewell)


async def prove_called(
    call: Call, desk: Desk, user: User, phone: str
) -> Owner | Literal[Back.BACK] | Sentence:
    """On the user's own telephone the key is enough, unless he wants it otherwise."""
    if await desk.logins.admits_called(user, phone):
        return Owner(user, Proof.TELEPHONE)
    await call.report(Report.NO_PIN)
    return await identify(call, Visit(Caller(), user.mailbox, phone=phone), desk, user)


async def _play(call: Call, desk: Desk, owner: User, uid: str) -> None:
    """Raises `MailboxUnavailable`."""
    try:
        async with desk.inboxes.open(owner) as inbox:
            message = await message_named(inbox.mailbox, uid, _kinds(desk, owner))
            if message is None:
                await _refuse(call, desk, Report.GONE, (P.MESSAGE_GONE, P.GOODBYE))
                return
            await call.report(Report.PLAYED)
            desk.record.ends(Result.SERVED)
            await listen_to_one(call, inbox, desk, message)
    except MailboxUnavailable:
        await call.report(Report.UNAVAILABLE)
        raise
    await call.last_words(P.GOODBYE)


def _kinds(desk: Desk, owner: User) -> Iterable[MessageKind]:
    """What can be heard here."""
    return (MessageKind.VOICE, *(owner.read_aloud if desk.readings else ()))


async def _refuse(call: Call, desk: Desk, report: Report, words: Sentence) -> None:
    """Who has asked for the call reads the report while the words are spoken."""
    log.info("message not played", call=call.id, why=report.value)
    desk.record.ends(Result.REFUSED)
    await call.report(report)
    await call.last_words(*words)
