"""A conference as one party hears it: the door, the room, the menu on the key ``*`` (UM-04)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from vm_ari.dialogues.conference_menu import conference_menu
from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.domain.conference_settings import Alone, Announcement
from vm_ari.domain.conferences import Admission, Party, Role, with_aside
from vm_ari.domain.journal import Result
from vm_ari.domain.number_services import service_of
from vm_ari.domain.numbers import normalise
from vm_ari.domain.packages import Service
from vm_ari.domain.recording import Limits
from vm_ari.domain.users import User
from vm_ari.ports.conference import MemoryFailed, RoomFault
from vm_ari.services.conference_room import Seat, Word
from vm_ari.services.conferences import Conferences
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Sentence
from vm_ari.telephony.call import TRIES, Call, NoAnswer
from vm_ari.telephony.channel import LineFault
from vm_ari.telephony.dtmf import Back, number_until_hash

log = structlog.get_logger("vm_ari.calls")

NAME_LIMITS = Limits(longest=8, silence=2, shortest=0.3, warning=0)
"""How long a name may be."""
MENU_KEY = "*"
LONG = 3600.0
"""Seconds between two looks at a party that does nothing; the room looks after its own time."""
_REFUSALS = {
    Admission.LOCKED: P.CONFERENCE_LOCKED,
    Admission.FULL: P.CONFERENCE_FULL,
}


@dataclass(frozen=True)
class Door:
    """Whose room it is, and by which of the owner's numbers it is reached."""

    owner: User
    number: str


def door_of(owner: User | None, dialled: str, desk: Desk) -> Door | None:
    """The room behind the number that was dialled; None: it is for something else."""
    if owner is None or desk.conferences is None or not owner.conference_numbers:
        return None
    for number in _spellings(dialled, desk):
        if service_of(owner, number) is Service.CONFERENCE:
            return Door(owner, number)
    return None


async def goes_to_another_node(call: Call, visit: Visit, desk: Desk) -> bool:
    """Does the conference of that number go on there, and can the call still be brought there?

    To be asked before the call is answered. Where no other node is asked the caller comes in here,
    and makes a room of his own: the other one is out of reach.
    """
    there = desk.conferences
    if there is None or not there.is_elsewhere(_spellings(visit.dialled, desk)):
        return False
    try:
        possible = await call.has_other_nodes()
    except LineFault as error:
        log.warning("not known whether there are other nodes", reason=str(error))
        return False
    log.info("conference at another node", call=call.id, goes_there=possible)
    return possible


def _spellings(dialled: str, desk: Desk) -> Sequence[str]:
    """As it was dialled, and as the directory may have it."""
    spelt = (normalise(dialled, site) for site in desk.rules.sites)
    return (dialled, *(one for one in spelt if one))


async def conference(call: Call, visit: Visit, desk: Desk, door: Door | None) -> None:
    """From the first word to the last; ends politely where somebody is not let in.

    Raises `CallerHungUp`, `NoAnswer`, `DirectoryUnavailable`, `LineFault`.
    """
    await call.answer()
    if door is None or desk.conferences is None:
        desk.record.ends(Result.NO_MAILBOX)
        await call.last_words(P.CONFERENCE_NO_CONFERENCE, P.GOODBYE)
        return
    call.language = desk.language_of(door.owner)
    desk.record.at_conference(door.owner)
    try:
        await _come_in(call, visit, desk, door, desk.conferences)
    except RoomFault as error:
        log.error("nobody can come in", call=call.id, reason=str(error))
        desk.record.ends(Result.FAILED)
        await call.last_words(P.TECHNICAL_PROBLEM)


async def resume(call: Call, seat: Seat, desk: Desk) -> None:
    """For somebody in the room whose script died with an earlier controller."""
    if desk.conferences is not None:
        await _take_part(call, seat, desk, desk.conferences)


async def _come_in(
    call: Call, visit: Visit, desk: Desk, door: Door, conferences: Conferences
) -> None:
    await call.say(P.CONFERENCE_WELCOME)
    role = await _role(call, visit, door, conferences)
    if role is None:
        await call.last_words(P.GOODBYE)
        return
    judged = conferences.may_enter(door.number, door.owner, role)
    if judged is Admission.WELCOME:
        name = await _name(call, door, conferences)
        await _at_the_door(call, door, role, conferences)
        party = Party(
            channel=call.id,
            number=0,
            role=role,
            joined=desk.clock.now(),
            caller=visit.caller,
            withheld=visit.withheld,
            name=name,
        )
        entered = await conferences.enter(door.number, door.owner, party)
        if isinstance(entered, Seat):
            await _take_part(call, entered, desk, conferences)
            return
        judged = entered
    desk.record.ends(Result.REFUSED)
    await call.last_words(_REFUSALS[judged], P.GOODBYE)


async def _role(call: Call, visit: Visit, door: Door, conferences: Conferences) -> Role | None:
    """Whose PIN was typed; None after three that are nobody's."""
    for _ in range(TRIES):
        pin = await call.collect((P.ENTER_PIN,), number_until_hash())
        if pin is Back.BACK:
            return None
        role = await conferences.door.role(door.owner, pin, visit.origin, door.number)
        if role is not None:
            return role
        await call.forget_keys()
        await call.say(P.CONFERENCE_WRONG_PIN)
    return None


async def _name(call: Call, door: Door, conferences: Conferences) -> str:
    """Path of what was said; empty where nobody asks, or nothing was said."""
    if door.owner.conference_announcement is not Announcement.NAMES:
        return ""
    take = conferences.memory.new_name()
    await call.say(P.RECORD_NAME_AFTER_TONE, skip="#")
    await call.record(take.name, NAME_LIMITS, tone=P.BEEP)
    try:
        found = await conferences.memory.inspect(take)
    except MemoryFailed as error:
        log.warning("name not kept", call=call.id, reason=str(error))
        return ""
    said = found is not None and found.speech_seconds >= NAME_LIMITS.shortest
    return str(take.path) if said else ""


async def _at_the_door(call: Call, door: Door, role: Role, conferences: Conferences) -> None:
    """What the newcomer must know; whether to hear it out is up to nobody."""
    await call.forget_keys()  # they were meant for what is over
    alone = conferences.is_empty(door.number)
    if conferences.waits_for_moderator(door.number, door.owner, role):
        await call.say(P.CONFERENCE_WAIT_FOR_MODERATOR)
    elif alone and door.owner.conference_alone is Alone.SENTENCE:
        await call.say(P.CONFERENCE_ALONE)
    if conferences.is_recorded(door.number):
        await call.say(P.CONFERENCE_RECORDED)


async def _take_part(call: Call, seat: Seat, desk: Desk, conferences: Conferences) -> None:
    """In the room, until this party leaves or must leave."""
    desk.record.in_conference()
    seat.talks = lambda: call.talking
    farewell: Sentence = (P.GOODBYE,)
    try:
        while True:
            match await _next_word(call, seat):
                case None:
                    async with _aside(call, seat):
                        await conference_menu(call, seat, desk)
                case Word.MUTED:
                    async with _aside(call, seat):
                        await call.say(P.CONFERENCE_YOU_ARE_MUTED)
                case Word.HEARD:
                    async with _aside(call, seat):
                        await call.say(P.CONFERENCE_YOU_ARE_HEARD)
                case Word.REMOVED:
                    farewell = (P.CONFERENCE_REMOVED, P.GOODBYE)
                    break
                case Word.ENDED:
                    farewell = (P.CONFERENCE_ENDED, P.GOODBYE)
                    break
    except asyncio.CancelledError:
        raise  # we stop; the conference goes on, and another controller has it
    except BaseException:
        await conferences.leave(seat)
        raise
    await conferences.leave(seat)
    await call.last_words(*farewell)


async def _next_word(call: Call, seat: Seat) -> Word | None:
    """What the room says to this party; None: the menu is wanted. Raises `CallerHungUp`."""
    word = asyncio.ensure_future(seat.words.get())
    try:
        while not await call.ready(word, LONG):
            if call.next_key() == MENU_KEY:
                return None
        return word.result()
    finally:
        word.cancel()


@asynccontextmanager
async def _aside(call: Call, seat: Seat) -> AsyncIterator[None]:
    """Alone with us for a moment: neither hears the others nor is heard by them."""
    await seat.room.change(lambda now: with_aside(now, seat.channel, True))
    with suppress(NoAnswer):
        yield
    await seat.room.change(lambda now: with_aside(now, seat.channel, False))
