"""What callers hear: recorded, heard and deleted by telephone (GREET-04, GREET-05)."""

from collections.abc import Sequence
from typing import Literal

from vm_ari.dialogues.choosing import choose, choose_language, choose_profile, done, profiles_of
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.record_greeting import record_greeting
from vm_ari.domain.greetings import Greeting, GreetingKey, GreetingType, Slot
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.settings import Hideable
from vm_ari.domain.users import User
from vm_ari.ports import GreetingsUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import languages
from vm_ari.speech.parts import Recorded, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.dtmf import Back
from vm_ari.telephony.menu import Action, Item

GREETINGS_MENU = (
    Item(Action.OF_PROFILE, P.FOR_PROFILE_GREETINGS),
    Item(Action.NAME, P.FOR_NAME),
    Item(Action.GREETING_TYPE, P.FOR_GREETING_TYPE, Hideable.GREETING_TYPE),
    Item(Action.DELETE_ALL, P.TO_DELETE_ALL_GREETINGS, Hideable.DELETE_ALL_GREETINGS),
    Item(Action.GREETINGS_BACK, P.TO_GO_BACK),
)
_BACK = Item(Action.RECORDING_BACK, P.TO_GO_BACK)
NO_GREETING_MENU = (Item(Action.RECORD, P.TO_RECORD), _BACK)
GREETING_MENU = (
    Item(Action.HEAR_GREETING, P.TO_HEAR_GREETING),
    Item(Action.RECORD, P.TO_RECORD),
    Item(Action.DELETE_GREETING, P.TO_DELETE_GREETING, Hideable.DELETE_GREETING),
    _BACK,
)
NO_NAME_MENU = (Item(Action.RECORD, P.TO_RECORD_NAME), _BACK)
NAME_MENU = (
    Item(Action.HEAR_GREETING, P.TO_HEAR_NAME),
    Item(Action.RECORD, P.TO_RECORD_NAME),
    Item(Action.DELETE_GREETING, P.TO_DELETE_NAME, Hideable.DELETE_GREETING),
    _BACK,
)
TYPE_MENU = (
    Item(Action.INDIVIDUAL, P.FOR_INDIVIDUAL),
    Item(Action.PERSONALISED, P.FOR_PERSONALISED),
    Item(Action.TYPE_BACK, P.TO_GO_BACK),
)
CONFIRM_MENU = (Item(Action.CONFIRM, P.TO_CONFIRM), Item(Action.CONFIRM_BACK, P.TO_GO_BACK))
_TYPES = {
    Action.INDIVIDUAL: GreetingType.INDIVIDUAL,
    Action.PERSONALISED: GreetingType.PERSONALISED,
}
_TYPE_SAID = {
    GreetingType.INDIVIDUAL: P.TYPE_INDIVIDUAL,
    GreetingType.PERSONALISED: P.TYPE_PERSONALISED,
}


async def greetings_menu(call: Call, desk: Desk, owner: User) -> User:
    """Until the back key. The owner as he is then."""
    while True:
        match await choose(call, desk, GREETINGS_MENU):
            case Action.OF_PROFILE:
                await _of_profiles(call, desk, owner)
            case Action.NAME:
                await _recording(call, desk, owner, Slot.NAME)
            case Action.GREETING_TYPE:
                owner = await _type(call, desk, owner)
            case Action.DELETE_ALL:
                await _delete_all(call, desk, owner)
            case _:
                return owner


async def _of_profiles(call: Call, desk: Desk, owner: User) -> None:
    """One profile after the other, until the back key."""
    while True:
        profile = await choose_profile(call, desk, profiles_of(desk.rules))
        if profile is Back.BACK:
            return
        await _recording(call, desk, owner, Slot(profile.value))


async def _recording(call: Call, desk: Desk, owner: User, slot: Slot) -> None:
    """What can be done with one recording, until the back key."""
    language = await _language(call, desk, owner)
    if language is Back.BACK:
        return
    key = GreetingKey(owner.id, slot, language)
    while True:
        there = await done(call, desk.greetings.of(owner.id))
        if there is None:
            return
        greeting = there.get(key)
        match await choose(call, desk, _menu(slot, greeting), *_heading(slot, greeting)):
            case Action.HEAR_GREETING if greeting:
                await call.say(Recorded(str(greeting.path)))
            case Action.RECORD:
                await done(call, record_greeting(call, desk, key))
            case Action.DELETE_GREETING:
                await _delete(call, desk, key)
            case _:
                return


async def _language(call: Call, desk: Desk, owner: User) -> str | Literal[Back.BACK]:
    """Only asked where callers can hear more than one."""
    if owner.greeting_language is LanguageMode.FIXED:
        return owner.language
    return await choose_language(call, desk, languages())


def _menu(slot: Slot, greeting: Greeting | None) -> Sequence[Item]:
    if slot is Slot.NAME:
        return NAME_MENU if greeting else NO_NAME_MENU
    return GREETING_MENU if greeting else NO_GREETING_MENU


def _heading(slot: Slot, greeting: Greeting | None) -> Sentence:
    if slot is Slot.NAME:
        return () if greeting else (P.NO_NAME,)
    name = P(f"profile/{slot}")
    return (name,) if greeting else (name, P.NO_GREETING)


async def _delete(call: Call, desk: Desk, key: GreetingKey) -> None:
    if await done(call, desk.greetings.delete(key)) is not None:
        await call.say(P.NAME_DELETED if key.slot is Slot.NAME else P.GREETING_DELETED)


async def _delete_all(call: Call, desk: Desk, owner: User) -> None:
    if await choose(call, desk, CONFIRM_MENU, P.SURE_TO_DELETE_ALL) is not Action.CONFIRM:
        return
    if await done(call, desk.greetings.delete_all(owner.id)) is not None:
        await call.say(P.ALL_GREETINGS_DELETED)


async def _type(call: Call, desk: Desk, owner: User) -> User:
    action = await choose(call, desk, TYPE_MENU, _TYPE_SAID[owner.greeting_type])
    if action not in _TYPES:
        return owner
    new = await done(call, desk.own_settings.set_greeting_type(owner, _TYPES[action]))
    if new:
        await call.say(_TYPE_SAID[new.greeting_type], *await _name_missing(desk, new))
    return new or owner


async def _name_missing(desk: Desk, owner: User) -> Sentence:
    """A standard greeting needs a name, or it does not play; where nobody knows, say nothing."""
    if owner.greeting_type is not GreetingType.PERSONALISED:
        return ()
    try:
        there = await desk.greetings.of(owner.id)
    except GreetingsUnavailable:
        return ()
    return () if any(key.slot is Slot.NAME for key in there) else (P.NO_NAME,)
