"""Remote inquiry: messages one after the other, and what can be done with each."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from vm_ari.dialogues.call_back import call_back, with_call_back
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.listening import listen_to
from vm_ari.dialogues.message_words import around_content, details
from vm_ari.dialogues.reading import Reading, read_aloud
from vm_ari.dialogues.reply_and_forward import SENDING, fitting, forward, reply
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.settings import Hideable
from vm_ari.ports import MailboxFull, MessageGone, Unplayable
from vm_ari.services.inbox import Inbox
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Counted, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item, choices, spoken

OPTIONS = (
    Item(Action.REPEAT, P.TO_REPEAT),
    Item(Action.DELETE, P.TO_DELETE),
    Item(Action.KEEP_NEW, P.TO_KEEP_NEW),
    *SENDING,
    Item(Action.NEXT, P.FOR_NEXT),
    Item(Action.PREVIOUS, P.FOR_PREVIOUS),
    Item(Action.DETAILS, P.FOR_DETAILS),
    Item(Action.CALL_BACK, P.TO_CALL_BACK, Hideable.CALL_BACK),
    Item(Action.BACK, P.TO_GO_BACK),
    Item(Action.OPTIONS),
    Item(Action.SKIP),
)
OPTIONS_DELETED = tuple(
    Item(Action.DELETE, P.TO_UNDELETE) if item.action is Action.DELETE else item
    for item in OPTIONS
    if item.action is not Action.KEEP_NEW and item not in SENDING
)
MORE = (Item(Action.OPTIONS, P.FOR_OPTIONS),)
"""A reminder for those who do not want to hear all options after each message."""


@dataclass
class _Walk:
    """One walk through a list, which others change meanwhile."""

    call: Call
    inbox: Inbox
    desk: Desk
    new: bool
    """Through the new messages, or through those that were heard or read before."""
    kinds: Collection[MessageKind] = (MessageKind.VOICE,)
    messages: list[StoredMessage] = field(default_factory=list)
    place: int = 0
    backward: bool = False
    """Did the user come to this message from the one behind it?"""
    numbers: dict[str, int] = field(default_factory=dict)
    """By uid of all that have ever been in the list: others may vanish, a number stays."""
    deleted: dict[str, Path] = field(default_factory=dict)
    """Audio or mail by uid: what was deleted can be heard until the end of the call."""
    senders: dict[str, Sentence] = field(default_factory=dict)
    """By uid of what was read aloud."""
    settled: set[str] = field(default_factory=set)
    """Uids of messages that are marked as heard already, or stay new because the user wants it."""
    soundless: set[str] = field(default_factory=set)
    """Uids of voice messages that cannot be played: their text is read aloud."""
    content: Path = Path()
    """Audio of the message that is being heard, or the mail that is read."""
    alone: bool = False
    """Is there only this message, whatever else lies in the mailbox?"""

    @property
    def message(self) -> StoredMessage:
        return self.messages[self.place]

    async def look(self) -> bool:
        """Put what has arrived at the end of the list; has anything?"""
        listed = await self.inbox.messages(self.kinds, new=self.new)
        arrived = [message for message in listed if message.uid not in self.numbers]
        self.messages += arrived
        for message in arrived:
            self.numbers[message.uid] = len(self.numbers) + 1
        return bool(arrived)

    def step(self, *, backward: bool = False) -> None:
        """Go to the next message, or to the one before."""
        self.place += -1 if backward else 1
        self.backward = backward

    def lose(self) -> None:
        """This message is gone: go on in the direction in which the user walks."""
        self.deleted.pop(self.messages.pop(self.place).uid, None)
        if self.backward and self.place:
            self.place -= 1


async def listen(call: Call, inbox: Inbox, desk: Desk, *, new: bool) -> None:
    """Walk through the new or the heard voice messages until the last one or the back key."""
    nothing = P.NO_NEW_MESSAGES if new else P.NO_HEARD_MESSAGES
    await _walk(_Walk(call, inbox, desk, new), (nothing,))


async def read(call: Call, inbox: Inbox, desk: Desk, *, new: bool) -> None:
    """The same for e-mails, faxes and text messages, as far as they are read aloud here."""
    nothing = (P.YOU_HAVE, Counted(0, Noun.NEW_OTHER_MESSAGE)) if new else (P.NO_READ_MAILS,)
    await _walk(_Walk(call, inbox, desk, new, inbox.user.read_aloud), nothing)


async def listen_to_one(call: Call, inbox: Inbox, desk: Desk, message: StoredMessage) -> None:
    """Hear one message, with everything that can be done with it, until the user leaves it."""
    numbers = {message.uid: 1}
    walk = _Walk(call, inbox, desk, message.new, messages=[message], numbers=numbers, alone=True)
    await _one_message(walk)


async def _walk(walk: _Walk, nothing: Sentence) -> None:
    if not await walk.look():
        await walk.call.say(*nothing)
        return
    while walk.place < len(walk.messages) or await _another(walk):
        if await _one_message(walk) is Action.BACK:
            return
    await walk.call.say(P.NO_MORE_MESSAGES)


async def _another(walk: _Walk) -> bool:
    """At the end of the list: has a new message arrived? The user has not reckoned with it."""
    if not (walk.new and await walk.look()):
        return False
    await _surprise(walk.call, P.NEW_MESSAGE_ARRIVED)
    return True


async def _surprise(call: Call, prompt: P) -> None:
    """Tell what the user could not know; his keys, before and meanwhile, were for another message.

    One of them would be the key that deletes.
    """
    await call.forget_keys()
    await call.say(prompt)
    await call.forget_keys()


async def _one_message(walk: _Walk) -> Action:
    """Play one message and do what the user wants, until he moves on."""
    try:
        await _play(walk)
        action = None
        while action not in _MOVES:
            action = await _choice(walk, asked=action is Action.OPTIONS)
            await _do(walk, action)
        return action
    except MessageGone:
        await _surprise(walk.call, P.MESSAGE_GONE)
        walk.lose()
        return Action.NEXT


_MOVES = {Action.NEXT, Action.SKIP, Action.PREVIOUS, Action.BACK}


async def _choice(walk: _Walk, *, asked: bool) -> Action:
    """The options are spoken where the site wants that, and when the user has *asked* for them."""
    keys = walk.desk.keys
    usual = OPTIONS_DELETED if walk.message.uid in walk.deleted else OPTIONS
    menu = with_call_back(usual, walk.desk, walk.inbox.user, walk.message)
    menu = fitting(menu, walk.message, walk.desk)
    if walk.alone:
        menu = [item for item in menu if item.action not in {Action.NEXT, Action.PREVIOUS}]
    if asked or walk.desk.rules.options_after_message:
        return await walk.call.ask(spoken(menu, keys), choices(menu, keys))
    return await walk.call.ask((), choices(menu, keys), again=spoken(MORE, keys))


async def _do(walk: _Walk, action: Action) -> None:
    call, message = walk.call, walk.message
    match action:
        case Action.PREVIOUS if walk.place == 0:
            await call.forget_keys()  # they were meant for another message
            await call.say(P.NO_EARLIER_MESSAGE)
        case Action.PREVIOUS:
            walk.step(backward=True)
        case Action.NEXT | Action.SKIP:
            walk.step()
        case Action.REPEAT:
            await _play(walk)
        case Action.DETAILS:
            sender = walk.senders.get(message.uid)
            await call.say(*await details(message, walk.inbox.user, walk.desk, sender=sender))
        case Action.KEEP_NEW:
            await walk.inbox.mark(message, new=True)
            walk.settled.add(message.uid)
            await call.say(P.MESSAGE_KEPT_NEW)
        case Action.DELETE:
            await _delete(walk)
        case Action.REPLY:
            await reply(call, walk.desk, walk.inbox, message)
        case Action.FORWARD_MESSAGE:
            await forward(call, walk.desk, walk.inbox, message)
        case Action.CALL_BACK:
            await call_back(call, walk.desk, walk.inbox.user, message)
        case _:
            pass


async def _delete(walk: _Walk) -> None:
    """Or bring back what was deleted before; some servers need room for that."""
    message = walk.message
    try:
        if message.uid in walk.deleted:
            await walk.inbox.undelete(message)
            del walk.deleted[message.uid]
            await walk.call.say(P.MESSAGE_RESTORED)
        else:
            await walk.inbox.delete(message)
            walk.deleted[message.uid] = walk.content
            await walk.call.say(P.MESSAGE_DELETED)
    except MailboxFull:
        await _surprise(walk.call, P.NOT_POSSIBLE_NOW)


async def _play(walk: _Walk) -> None:
    """What is said of it, and the content; any key goes on to its effect, skip to the next part.

    It counts as heard once the user has listened to the content, at least to its beginning; not
    when he hangs up in the middle.
    """
    call, message = walk.call, walk.message
    heard, after = await _content(walk)
    await call.stays()
    if heard and message.new and message.uid not in {*walk.deleted, *walk.settled}:
        await walk.inbox.mark(message, new=False)
        walk.settled.add(message.uid)
    if after:
        await call.say(*after, skip=walk.desk.keys[Action.SKIP])


async def _content(walk: _Walk) -> tuple[bool, Sentence]:
    """Was any of it to be heard, and what is to be said after it?"""
    uid = walk.message.uid
    if walk.message.kind is not MessageKind.VOICE or uid in walk.soundless:
        return await _read_aloud(walk)
    try:
        return await _play_recording(walk)
    except Unplayable:
        if walk.desk.readings is None:
            raise
        walk.soundless.add(uid)
        return await _read_aloud(walk)


async def _play_recording(walk: _Walk) -> tuple[bool, Sentence]:
    """What a caller has left. Raises `Unplayable`."""
    call, desk, message = walk.call, walk.desk, walk.message
    walk.content = walk.deleted.get(message.uid) or await walk.inbox.audio(message)
    number = walk.numbers[message.uid]
    before, after = await around_content(message, number, walk.inbox.user, desk)
    await call.say(*before, skip=desk.keys[Action.SKIP])
    return await listen_to(call, desk, walk.content), after


async def _read_aloud(walk: _Walk) -> tuple[bool, Sentence]:
    """The same for a mail, whose sender is said by the voice that reads it."""
    desk, message, user = walk.desk, walk.message, walk.inbox.user
    readings = desk.readings
    assert readings, "without them no mail is offered"
    most = readings.most_of(message.kind)
    walk.content = walk.deleted.get(message.uid) or await walk.inbox.mail(message, most)
    number = walk.numbers[message.uid]
    clips = readings.clips(walk.content, message.kind, walk.call.language.CODE)
    reading = Reading(walk.call, desk, clips)
    before, _ = await around_content(message, number, user, desk, sender=())
    await read_aloud(reading, before)
    walk.senders[message.uid] = reading.sender
    _, after = await around_content(message, number, user, desk, sender=reading.sender)
    return reading.begun, after
