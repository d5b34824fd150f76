"""The menu of a party in a conference; most of it is for moderators."""

from collections.abc import Sequence

import structlog

from vm_ari.dialogues.choosing import surprise
from vm_ari.dialogues.conference_words import named
from vm_ari.dialogues.desk import Desk
from vm_ari.domain.conference_settings import Recorded
from vm_ari.domain.conferences import (
    Conference,
    Party,
    with_hushed,
    with_locked,
    with_muted,
)
from vm_ari.services.conference_room import NotRecorded, Seat
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Number
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item, choices, spoken

log = structlog.get_logger("vm_ari.calls")

CONFERENCE_MENU = (
    Item(Action.MUTE_MYSELF, P.CONFERENCE_TO_MUTE_YOURSELF),
    Item(Action.HEAR_PARTICIPANTS, P.CONFERENCE_TO_HEAR_PARTICIPANTS),
    Item(Action.LOCK_CONFERENCE, P.CONFERENCE_TO_LOCK),
    Item(Action.MUTE_ALL, P.CONFERENCE_TO_MUTE_ALL),
    Item(Action.RECORD_CONFERENCE, P.CONFERENCE_TO_RECORD),
    Item(Action.END_CONFERENCE, P.CONFERENCE_TO_END),
    Item(Action.CONFERENCE_BACK, P.CONFERENCE_TO_RETURN),
)
"""All there is; `_offered` says what of it somebody has just now, and in which words."""
PARTICIPANT_MENU = (
    Item(Action.MUTE_PARTICIPANT, P.CONFERENCE_TO_MUTE_PARTICIPANT),
    Item(Action.REMOVE_PARTICIPANT, P.CONFERENCE_TO_REMOVE_PARTICIPANT),
    Item(Action.NEXT_PARTICIPANT, P.CONFERENCE_TO_NEXT),
    Item(Action.PARTICIPANT_BACK, P.TO_GO_BACK),
)
"""About one of the others, after the name."""
FOR_EVERYBODY = {Action.MUTE_MYSELF, Action.HEAR_PARTICIPANTS, Action.CONFERENCE_BACK}


async def conference_menu(call: Call, seat: Seat, desk: Desk) -> None:
    """One choice and what it does.

    Raises `CallerHungUp`, `NoAnswer`.
    """
    party = seat.party
    if party is None:
        return
    menu = _offered(party, seat.room.conference)
    action = await call.ask(spoken(menu, desk.keys), choices(menu, desk.keys))
    match action:
        case Action.MUTE_MYSELF:
            muted = not party.muted
            await seat.room.change(lambda now: with_muted(now, party.channel, muted))
        case Action.HEAR_PARTICIPANTS:
            await _participants(call, seat, party, desk)
        case Action.END_CONFERENCE:
            seat.room.end()
        case _:
            await _for_all(call, seat, action)


async def _for_all(call: Call, seat: Seat, action: Action) -> None:
    """What everybody hears of."""
    room = seat.room
    match action:
        case Action.LOCK_CONFERENCE:
            await room.change(lambda now: with_locked(now, not now.locked))
        case Action.MUTE_ALL:
            await room.change(lambda now: with_hushed(now, not now.hushed))
        case Action.RECORD_CONFERENCE if room.conference.recording:
            await room.stop_recording()
        case Action.RECORD_CONFERENCE:
            try:
                await room.record()
            except NotRecorded as error:
                log.error("conference not recorded", call=call.id, reason=str(error))
                await surprise(call, P.NOT_DONE)


async def _participants(call: Call, seat: Seat, party: Party, desk: Desk) -> None:
    """How many, who; a moderator can do something about each of the others."""
    parties = seat.room.conference.parties
    await call.say(P.CONFERENCE_PARTICIPANTS_ARE, Number(len(parties)))
    others = [one for one in parties if one.channel != party.channel]
    if not party.moderates:
        for one in others:
            await call.say(*named(one))
        return
    for one in others:
        if not await _about(call, seat, one, desk):
            return


async def _about(call: Call, seat: Seat, other: Party, desk: Desk) -> bool:
    """Is the next one to be heard?"""
    menu = _about_menu(other)
    question = (*named(other), *spoken(menu, desk.keys))
    match await call.ask(question, choices(menu, desk.keys)):
        case Action.MUTE_PARTICIPANT:
            await seat.room.change(lambda now: with_muted(now, other.channel, not other.muted))
        case Action.REMOVE_PARTICIPANT:
            await seat.room.rise(other.channel)
        case Action.PARTICIPANT_BACK:
            return False
    return True


def _offered(party: Party, conference: Conference) -> Sequence[Item]:
    """What this party can do now, in the words for now."""
    now = {
        Action.MUTE_MYSELF: P.CONFERENCE_TO_BE_HEARD if party.muted else None,
        Action.LOCK_CONFERENCE: P.CONFERENCE_TO_UNLOCK if conference.locked else None,
        Action.MUTE_ALL: P.CONFERENCE_TO_HEAR_ALL if conference.hushed else None,
        Action.RECORD_CONFERENCE: (
            P.CONFERENCE_TO_STOP_RECORDING if conference.recording else None
        ),
    }
    offered = [one for one in CONFERENCE_MENU if party.moderates or one.action in FOR_EVERYBODY]
    if conference.rules.recorded is not Recorded.ON_DEMAND:
        offered = [one for one in offered if one.action is not Action.RECORD_CONFERENCE]
    if conference.hushed and not party.moderates:
        offered = [one for one in offered if one.action is not Action.MUTE_MYSELF]
    return [Item(one.action, now.get(one.action) or one.offer) for one in offered]


def _about_menu(other: Party) -> Sequence[Item]:
    words = P.CONFERENCE_TO_HEAR_PARTICIPANT if other.muted else P.CONFERENCE_TO_MUTE_PARTICIPANT
    mute = Item(Action.MUTE_PARTICIPANT, words)
    return [mute, *(one for one in PARTICIPANT_MENU if one.action is not mute.action)]
