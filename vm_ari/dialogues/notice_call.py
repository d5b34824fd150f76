"""We have called somebody who has new messages: how many, and whether he wants to hear them now.

Without a key nothing is played: an answering machine has picked up, or nobody listens. Whoever
presses the key proves to be the user as on every telephone that we call (`play_on_phone`).
"""

from collections.abc import Collection
from dataclasses import replace
from functools import partial

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.inbox import listen, read
from vm_ari.dialogues.login import Owner
from vm_ari.dialogues.main_menu import main_items, main_menu, what_is_there
from vm_ari.dialogues.own_call import serve_noted_call
from vm_ari.dialogues.play_on_phone import prove_called
from vm_ari.domain.messages import Counts, MessageKind
from vm_ari.domain.notice_call import NoticeCall, Report
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable
from vm_ari.services.inbox import Inbox
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Part, Sentence
from vm_ari.telephony.call import ACCEPT, Call
from vm_ari.telephony.dtmf import Back
from vm_ari.telephony.menu import Action

log = structlog.get_logger("vm_ari.calls")

LATER, NOT_TODAY = "2", "3"


async def serve_notice_call(call: Call, desk: Desk, wanted: NoticeCall) -> None:
    """A call that we made for this, from the first to the last word.

    Raises only `LineFault`, as `reception.receive`.
    """
    story = partial(_serve, wanted)
    await serve_noted_call(call, desk, story, wanted.owner, wanted.phone)


async def _serve(wanted: NoticeCall, call: Call, desk: Desk) -> None:
    """Raises `DirectoryUnavailable`, `MailboxUnavailable`, `NoAnswer`."""
    user = await desk.accounts.directory.user_by_id(wanted.owner)
    call.language = desk.language_of(user)
    if user is None or user.access is not Access.FULL:
        await _leave(call, Report.CLOSED, (P.LOGIN_NOT_POSSIBLE, P.GOODBYE))
        return
    try:
        async with desk.inboxes.open(user) as inbox:
            await _offer(call, desk, inbox, wanted)
    except MailboxUnavailable:
        await call.report(Report.UNAVAILABLE)
        raise


async def _offer(call: Call, desk: Desk, inbox: Inbox, wanted: NoticeCall) -> None:
    user, counts = inbox.user, await inbox.counts()
    offer = _offered(counts, user, desk)
    if offer is None:
        await _leave(call, Report.NOTHING_NEW, (P.NO_NEW_MESSAGES, P.GOODBYE))
        return
    match await call.ask(
        (P.NOTICE_CALL, *what_is_there(counts, _kinds(desk, user)), *_choices(offer)),
        {ACCEPT: Report.HEARD, LATER: Report.LATER, NOT_TODAY: Report.NOT_TODAY},
        again=_choices(offer),
    ):
        case Report.HEARD:
            await _prove(call, desk, inbox, wanted)
        case report:
            await _leave(call, report, (P.GOODBYE,))


async def _prove(call: Call, desk: Desk, inbox: Inbox, wanted: NoticeCall) -> None:
    """A colleague may have picked up."""
    match await prove_called(call, desk, inbox.user, wanted.phone):
        case Owner(_, proof):
            await call.report(Report.HEARD)
            await _hear(call, replace(desk, proof=proof), inbox)
        case Back.BACK:
            await _leave(call, Report.NO_PIN, (P.GOODBYE,))
        case farewell:
            closed = P.LOGIN_NOT_POSSIBLE in farewell or P.LOGIN_LOCKED in farewell
            await _leave(call, Report.CLOSED if closed else Report.NO_PIN, farewell)


async def _hear(call: Call, desk: Desk, inbox: Inbox) -> None:
    """At once what is new; then everything else that a login opens."""
    voice = (await inbox.counts()).new_voice
    await (listen if voice else read)(call, inbox, desk, new=True)
    await main_menu(call, inbox, desk)


def _kinds(desk: Desk, user: User) -> Collection[MessageKind]:
    """What else than voice messages can be heard here."""
    return user.read_aloud if desk.readings else ()


def _offered(counts: Counts, user: User, desk: Desk) -> Part | None:
    """What the key leads to; None: there is nothing new that could be heard."""
    if counts.new_voice:
        return P.FOR_NEW_VOICE_MESSAGES
    kinds = _kinds(desk, user)
    if not counts.new_among(kinds):
        return None
    offers = {item.action: item.offer for item in main_items(desk, kinds)}
    return offers[Action.NEW_MAIL]


def _choices(offer: Part) -> Sentence:
    return (
        *(offer, P.PRESS, Digits(ACCEPT)),
        *(P.TO_BE_CALLED_LATER, P.PRESS, Digits(LATER)),
        *(P.FOR_NO_CALLS_TODAY, P.PRESS, Digits(NOT_TODAY)),
    )


async def _leave(call: Call, report: Report, words: Sentence) -> None:
    """Who has made the call reads the report while the words are spoken."""
    log.info("notice call", call=call.id, report=report.value)
    await call.report(report)
    await call.last_words(*words)
