"""What can be done with a message beside hearing it: answered, forwarded (INBOX-07, INBOX-08)."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from vm_ari.dialogues.choosing import surprise
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.recipients import (
    Choice,
    brief,
    choose_recipients,
    confirm,
    recipients_of,
)
from vm_ari.dialogues.send_review import send
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.sending import Errand, Line, Sending, Telephone
from vm_ari.domain.settings import Hideable
from vm_ari.ports import DirectoryUnavailable
from vm_ari.services.inbox import Inbox
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item

log = structlog.get_logger("vm_ari.calls")

SENDING: Sequence[Item] = (
    Item(Action.REPLY, P.TO_REPLY, Hideable.REPLY),
    Item(Action.FORWARD_MESSAGE, P.TO_SEND_ON, Hideable.FORWARD_VOICE),
)
"""In the options of a message; the second has another name to hide it by where it is a mail."""
_ACTIONS = {item.action for item in SENDING}


def fitting(menu: Sequence[Item], message: StoredMessage, desk: Desk) -> Sequence[Item]:
    """The options of that message: without what is not possible here, or hidden for its kind."""
    if desk.sendings is None:
        return [item for item in menu if item.action not in _ACTIONS]
    if message.kind is MessageKind.VOICE:
        return menu
    return [_of_a_mail(item) for item in menu]


def _of_a_mail(item: Item) -> Item:
    if item.action is not Action.FORWARD_MESSAGE:
        return item
    return replace(item, hideable=Hideable.FORWARD_OTHER)


async def reply(call: Call, desk: Desk, inbox: Inbox, message: StoredMessage) -> None:
    """Speak an answer. Raises `MailboxUnavailable`, `MessageGone`, `NoAnswer`."""
    if desk.sendings is None:
        return
    choice = Choice(call, desk, desk.sendings, inbox.user)
    try:
        recipient = await choice.sendings.answer_to(inbox.user, inbox, message)
    except DirectoryUnavailable as error:
        log.warning("no reply", call=call.id, reason=str(error))
        await surprise(call, P.NOT_POSSIBLE_NOW)
        return
    if recipient is None:
        await surprise(call, P.NO_REPLY_POSSIBLE)
    elif not isinstance(recipient, Telephone) or await confirm(choice, recipient):
        sending = Sending(Errand.REPLY, inbox.user.id, (recipient,))
        await send(choice, sending, inbox=inbox, message=message)


async def forward(call: Call, desk: Desk, inbox: Inbox, message: StoredMessage) -> None:
    """Forward it, with a spoken comment or without. Raises like `reply`."""
    if desk.sendings is None:
        return
    voice = message.kind is MessageKind.VOICE
    lines = (Line.VOICE,) if voice else (Line.FAX, Line.VOICE)
    choice = Choice(call, desk, desk.sendings, inbox.user, lines)
    if chosen := await choose_recipients(choice):
        sending = Sending(Errand.FORWARD, inbox.user.id, recipients_of(chosen))
        await send(choice, sending, names=brief(chosen), inbox=inbox, message=message)
