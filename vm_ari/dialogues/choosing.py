"""What the menus share: to choose an item, a profile or a language, and to hear of a failure."""

from collections.abc import Awaitable, Collection, Sequence
from typing import Literal, TypeVar

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.settings import Rules
from vm_ari.ports import GreetingsUnavailable
from vm_ari.services.own_settings import NotStored
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, InLanguage, Part
from vm_ari.telephony.call import Call
from vm_ari.telephony.dtmf import Back
from vm_ari.telephony.menu import Action, Item, choices, spoken

T = TypeVar("T")

log = structlog.get_logger("vm_ari.calls")

PROFILES = {
    Action(f"profiles.{name.replace('-', '_')}"): (name, P(f"profile/{name}"))
    for name in ProfileName
}
"""Each profile by its action, with its name."""
PROFILE_MENU = (
    *(Item(action, words) for action, (_name, words) in PROFILES.items()),
    Item(Action.PROFILES_BACK, P.TO_GO_BACK),
)
LANGUAGES_END = (Item(Action.LANGUAGES_BACK, P.TO_GO_BACK),)
LANGUAGE_KEYS = "123456789"


async def choose(call: Call, desk: Desk, menu: Sequence[Item], *heading: Part) -> Action:
    """Ask for an item of a menu; the *heading* is said once. Raises `NoAnswer`."""
    items = spoken(menu, desk.keys)
    return await call.ask((*heading, *items), choices(menu, desk.keys), again=items)


async def choose_profile(
    call: Call, desk: Desk, offered: Collection[ProfileName], *heading: Part
) -> ProfileName | Literal[Back.BACK]:
    """Ask for one of the profiles that are offered. Raises `NoAnswer`."""
    menu = [i for i in PROFILE_MENU if i.action not in PROFILES or PROFILES[i.action][0] in offered]
    action = await choose(call, desk, menu, *heading)
    return PROFILES[action][0] if action in PROFILES else Back.BACK


async def choose_language(
    call: Call, desk: Desk, codes: Collection[str]
) -> str | Literal[Back.BACK]:
    """Ask for one of the languages, each offered in itself. Raises `NoAnswer`.

    There are keys for nine.
    """
    by_key = dict(zip(LANGUAGE_KEYS, sorted(codes), strict=False))
    offers = (InLanguage(c, (P.LANGUAGE_CHOICE, P.PRESS, Digits(k))) for k, c in by_key.items())
    back: dict[str, Back] = dict.fromkeys(choices(LANGUAGES_END, desk.keys), Back.BACK)
    question = (*offers, *spoken(LANGUAGES_END, desk.keys))
    answers: dict[str, str | Literal[Back.BACK]] = {**by_key, **back}
    return await call.ask(question, answers)


def profiles_of(rules: Rules) -> Sequence[ProfileName]:
    """All that can have greetings and a transfer of their own."""
    return (*rules.profiles, *([ProfileName.INTERNAL] if rules.internal_profile else ()))


def name_of(profile: ProfileName) -> P:
    """How a profile is called on the telephone."""
    return P(f"profile/{profile}")


async def surprise(call: Call, *words: Part) -> None:
    """Say what the user could not know; keys typed ahead were meant for another situation."""
    await call.forget_keys()
    await call.say(*words)


async def done(call: Call, change: Awaitable[T]) -> T | None:
    """What comes of a change; None when it was not possible, and the user has been told so.

    Keys typed ahead are forgotten then: they were meant for another situation.
    """
    try:
        return await change
    except (NotStored, GreetingsUnavailable) as error:
        log.warning("change not possible", call=call.id, reason=str(error))
        await surprise(call, P.NOT_POSSIBLE_NOW)
        return None
