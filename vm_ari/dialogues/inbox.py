"""Remote inquiry: voice messages one after the other, and what can be done with each."""

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.numbers import extension_of
from vm_ari.ports import MessageGone
from vm_ari.services.inbox import Inbox
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Duration, Moment, Number, Recorded, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item, choices, spoken

OPTIONS = (
    Item(Action.REPEAT, P.TO_REPEAT),
    Item(Action.DELETE, P.TO_DELETE),
    Item(Action.KEEP_NEW, P.TO_KEEP_NEW),
    Item(Action.NEXT, P.FOR_NEXT),
    Item(Action.PREVIOUS, P.FOR_PREVIOUS),
    Item(Action.DETAILS, P.FOR_DETAILS),
    Item(Action.BACK, P.TO_GO_BACK),
    Item(Action.OPTIONS),
    Item(Action.SKIP),
)
OPTIONS_DELETED = tuple(
    Item(Action.DELETE, P.TO_UNDELETE) if item.action is Action.DELETE else item for item in OPTIONS
)


@dataclass
class _Round:
    """One walk through the list."""

    call: Call
    inbox: Inbox
    desk: Desk
    messages: list[StoredMessage]
    place: int = 0
    deleted: set[str] = field(default_factory=set)

    @property
    def message(self) -> StoredMessage:
        return self.messages[self.place]


async def listen(call: Call, inbox: Inbox, desk: Desk, *, new: bool) -> None:
    """Walk through the new or the heard voice messages until the last one or the back key."""
    messages = list(await inbox.voice_messages(new=new))
    if not messages:
        await call.say(P.NO_NEW_MESSAGES if new else P.NO_HEARD_MESSAGES)
        return
    round_ = _Round(call, inbox, desk, messages)
    while round_.place < len(messages):
        if await _one_message(round_) is Action.BACK:
            return
    await call.say(P.NO_MORE_MESSAGES)


async def _one_message(round_: _Round) -> Action:
    """Play one message and do what the user wants, until he moves on."""
    try:
        await _play(round_)
        while True:
            action = await _choice(round_)
            if action in _MOVES:
                return await _move(round_, action)
            await _do(round_, action)
    except MessageGone:
        await round_.call.say(P.MESSAGE_GONE)
        round_.place += 1
        return Action.NEXT


_MOVES = {Action.NEXT, Action.SKIP, Action.PREVIOUS, Action.BACK}


async def _choice(round_: _Round) -> Action:
    menu = OPTIONS_DELETED if round_.message.uid in round_.deleted else OPTIONS
    offers = spoken(menu, round_.desk.keys) if round_.desk.rules.options_after_message else ()
    return await round_.call.ask(offers, choices(menu, round_.desk.keys))


async def _move(round_: _Round, action: Action) -> Action:
    match action:
        case Action.PREVIOUS if round_.place == 0:
            await round_.call.say(P.NO_EARLIER_MESSAGE)
        case Action.PREVIOUS:
            round_.place -= 1
        case Action.NEXT | Action.SKIP:
            round_.place += 1
        case _:
            pass
    return action


async def _do(round_: _Round, action: Action) -> None:
    call, inbox, message = round_.call, round_.inbox, round_.message
    match action:
        case Action.REPEAT:
            await _play(round_)
        case Action.DETAILS:
            await call.say(*_details(round_))
        case Action.KEEP_NEW:
            await inbox.mark(message, new=True)
            await call.say(P.MESSAGE_KEPT_NEW)
        case Action.DELETE if message.uid in round_.deleted:
            await inbox.undelete(message)
            round_.deleted.discard(message.uid)
            await call.say(P.MESSAGE_RESTORED)
        case Action.DELETE:
            await inbox.delete(message)
            round_.deleted.add(message.uid)
            await call.say(P.MESSAGE_DELETED)
        case _:
            pass


async def _play(round_: _Round) -> None:
    """Heading, then the audio; any key goes on to its effect, the skip key to the next part.

    It counts as heard once the caller has listened, not when he hangs up in the middle.
    """
    call, skip = round_.call, round_.desk.keys[Action.SKIP]
    audio = await round_.inbox.audio(round_.message)
    await call.say(*_heading(round_), skip=skip)
    await call.say(Recorded(str(audio.with_suffix(""))), skip=skip)
    if round_.message.uid not in round_.deleted:
        await round_.inbox.mark(round_.message, new=False)


def _heading(round_: _Round) -> Sentence:
    message = round_.message
    urgent: Sentence = (P.URGENT,) if message.urgent else ()
    return (
        P.MESSAGE_NUMBER,
        Number(round_.place + 1),
        *urgent,
        _moment(round_, message),
        *_sender(round_, message),
    )


def _details(round_: _Round) -> Sentence:
    message = round_.message
    return (
        P.RECEIVED,
        _moment(round_, message),
        *_sender(round_, message),
        P.LENGTH,
        Duration(round(message.seconds)),
    )


def _moment(round_: _Round, message: StoredMessage) -> Moment:
    zone = ZoneInfo(round_.inbox.user.time_zone)
    return Moment(message.received.astimezone(zone), round_.desk.clock.now().astimezone(zone))


def _sender(round_: _Round, message: StoredMessage) -> Sentence:
    number = message.caller.number
    if not number:
        return (P.FROM_UNKNOWN,)
    return (P.FROM, Digits(extension_of(number, round_.desk.rules.site) or number))
