"""Remote inquiry: voice messages one after the other, and what can be done with each."""

from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.numbers import extension_of
from vm_ari.domain.users import User
from vm_ari.ports import MessageGone
from vm_ari.services.inbox import Inbox
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Duration, Moment, Number, Recorded, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item, choices, spoken

log = structlog.get_logger("vm_ari.calls")

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
    Item(Action.DELETE, P.TO_UNDELETE) if item.action is Action.DELETE else item
    for item in OPTIONS
    if item.action is not Action.KEEP_NEW
)
MORE = (Item(Action.OPTIONS, P.FOR_OPTIONS),)
"""A reminder for those who do not want to hear all options after each message."""


@dataclass
class _Round:
    """One walk through the list."""

    call: Call
    inbox: Inbox
    desk: Desk
    messages: list[StoredMessage]
    place: int = 0
    deleted: dict[str, Path] = field(default_factory=dict)
    """Audio by uid: what was deleted can be heard until the end of the call."""
    settled: set[str] = field(default_factory=set)
    """Uids of messages that are marked as heard already, or stay new because the user wants it."""
    audio: Path = Path()
    """Of the message that is being heard."""

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
        action = None
        while action not in _MOVES:
            action = await _choice(round_, asked=action is Action.OPTIONS)
            await _do(round_, action)
        return action
    except MessageGone:
        await round_.call.forget_keys()  # or they would strike the next message
        await round_.call.say(P.MESSAGE_GONE)
        round_.place += 1
        return Action.NEXT


_MOVES = {Action.NEXT, Action.SKIP, Action.PREVIOUS, Action.BACK}


async def _choice(round_: _Round, *, asked: bool) -> Action:
    """The options are spoken where the site wants that, and when the user has *asked* for them."""
    keys = round_.desk.keys
    menu = OPTIONS_DELETED if round_.message.uid in round_.deleted else OPTIONS
    if asked or round_.desk.rules.options_after_message:
        return await round_.call.ask(spoken(menu, keys), choices(menu, keys))
    return await round_.call.ask((), choices(menu, keys), again=spoken(MORE, keys))


async def _do(round_: _Round, action: Action) -> None:
    call, inbox, message = round_.call, round_.inbox, round_.message
    match action:
        case Action.PREVIOUS if round_.place == 0:
            await call.forget_keys()  # they were meant for another message
            await call.say(P.NO_EARLIER_MESSAGE)
        case Action.PREVIOUS:
            round_.place -= 1
        case Action.NEXT | Action.SKIP:
            round_.place += 1
        case Action.REPEAT:
            await _play(round_)
        case Action.DETAILS:
            await call.say(*_details(round_))
        case Action.KEEP_NEW:
            await inbox.mark(message, new=True)
            round_.settled.add(message.uid)
            await call.say(P.MESSAGE_KEPT_NEW)
        case Action.DELETE if message.uid in round_.deleted:
            await inbox.undelete(message)
            del round_.deleted[message.uid]
            await call.say(P.MESSAGE_RESTORED)
        case Action.DELETE:
            await inbox.delete(message)
            round_.deleted[message.uid] = round_.audio
            await call.say(P.MESSAGE_DELETED)
        case _:
            pass


async def _play(round_: _Round) -> None:
    """Heading, then the audio; any key goes on to its effect, the skip key to the next part.

    It counts as heard once the user has listened to the audio, at least to its beginning; not
    when he hangs up in the middle.
    """
    call, skip, message = round_.call, round_.desk.keys[Action.SKIP], round_.message
    round_.audio = round_.deleted.get(message.uid) or await round_.inbox.audio(message)
    await call.say(*_heading(round_), skip=skip)
    heard = await call.say(Recorded(str(round_.audio.with_suffix(""))), skip=skip)
    await call.stays()
    if heard and message.new and message.uid not in {*round_.deleted, *round_.settled}:
        await round_.inbox.mark(message, new=False)
        round_.settled.add(message.uid)


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
    zone = _zone(round_.inbox.user)
    now = round_.desk.clock.now().astimezone(zone)
    try:
        return Moment(message.received.astimezone(zone), now)
    except OverflowError:  # the Date of a mail can be in the year 1 or 9999
        return Moment(message.received, now)


def _zone(user: User) -> tzinfo:
    try:
        return ZoneInfo(user.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        log.warning("unknown time zone", user=user.id)
        return UTC


def _sender(round_: _Round, message: StoredMessage) -> Sentence:
    number = message.caller.number
    if not number:
        return (P.FROM_UNKNOWN,)
    own = (*round_.inbox.user.numbers, "")[0]
    home = round_.desk.rules.site_for(own)  # an extension of another site says nothing here
    return (P.FROM, Digits(extension_of(number, home) or number))
