"""Whom a message is sent to: numbers, lists and people, one after the other (INBOX-08, -13)."""

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from vm_ari.dialogues.choosing import choose, surprise
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.dial_by_name import find_by_name
from vm_ari.dialogues.greetings_menu import CONFIRM_MENU
from vm_ari.dialogues.person_words import number_words, person_words
from vm_ari.domain.sending import Colleague, DistributionList, Line, Recipient, Telephone
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable
from vm_ari.services.sendings import Sendings
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Recorded, Sentence
from vm_ari.telephony.call import TRIES, Call, NoAnswer
from vm_ari.telephony.dtmf import Back, number_until_hash
from vm_ari.telephony.menu import Action, Item

log = structlog.get_logger("vm_ari.calls")

NOBODY_YET: Sequence[Item] = (
    Item(Action.BY_NUMBER, P.FOR_NUMBER_OR_LIST),
    Item(Action.BY_NAME, P.FOR_SEARCH_BY_NAME),
    Item(Action.RECIPIENTS_BACK, P.TO_GO_BACK),
)
SOMEBODY_CHOSEN: Sequence[Item] = (
    Item(Action.RECIPIENTS_DONE, P.TO_CONTINUE),
    *NOBODY_YET[:2],
    Item(Action.HEAR_RECIPIENTS, P.TO_HEAR_RECIPIENTS),
    Item(Action.REMOVE_LAST, P.TO_REMOVE_LAST),
    NOBODY_YET[2],
)
LINE_MENU: Sequence[Item] = (
    Item(Action.AS_FAX, P.AS_FAX),
    Item(Action.AS_VOICE, P.AS_VOICE),
    Item(Action.LINE_BACK, P.TO_GO_BACK),
)
_LINES = {Action.AS_FAX: Line.FAX, Action.AS_VOICE: Line.VOICE}
MOST_NAMED = 3
"""So many recipients are said without being asked for."""


@dataclass(frozen=True)
class Chosen:
    """What was entered at once: a person, a telephone number, or a whole list."""

    words: Sentence
    """How it is called."""
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True)
class Choice:
    """Who chooses recipients, and what they can get."""

    call: Call
    desk: Desk
    sendings: Sendings
    owner: User
    lines: tuple[Line, ...] = (Line.VOICE,)
    """By which an outside number may get it."""


async def choose_recipients(choice: Choice) -> Sequence[Chosen]:
    """Until the user goes on with those chosen; empty when the user goes back.

    Raises `NoAnswer`.
    """
    call, chosen = choice.call, list[Chosen]()
    while True:
        match await choose(call, choice.desk, SOMEBODY_CHOSEN if chosen else NOBODY_YET):
            case Action.BY_NUMBER | Action.BY_NAME as way:
                if found := await _found(choice, by_name=way is Action.BY_NAME):
                    await _add(choice, chosen, found)
            case Action.HEAR_RECIPIENTS:
                await call.say(P.MESSAGE_GOES_TO, *words_of(chosen))
            case Action.REMOVE_LAST:
                chosen.pop()
                await call.say(P.RECIPIENT_REMOVED)
            case Action.RECIPIENTS_DONE:
                return chosen
            case _:
                return ()


async def _add(choice: Choice, chosen: list[Chosen], found: Chosen) -> None:
    """Unless there would be too many."""
    if len(recipients_of([*chosen, found])) > choice.sendings.rules.most_recipients:
        log.info("too many recipients", call=choice.call.id)
        await surprise(choice.call, P.TOO_MANY_RECIPIENTS)
        return
    chosen.append(found)
    await choice.call.say(P.MESSAGE_GOES_TO, *found.words)


def recipients_of(chosen: Sequence[Chosen]) -> tuple[Recipient, ...]:
    """Everybody once, in the order in which they were chosen."""
    return tuple(dict.fromkeys(one for entry in chosen for one in entry.recipients))


def words_of(chosen: Sequence[Chosen]) -> Sentence:
    """All of them."""
    return tuple(part for entry in chosen for part in entry.words)


def brief(chosen: Sequence[Chosen]) -> Sentence:
    """All of them where they are few; else nothing."""
    return words_of(chosen) if len(chosen) <= MOST_NAMED else ()


async def confirm(choice: Choice, telephone: Telephone) -> bool:
    """Is it really this number? A slip of the finger would send a message to a stranger."""
    heading = (P.MESSAGE_GOES_TO, *number_words(telephone.number, choice.desk))
    action = await choose(choice.call, choice.desk, CONFIRM_MENU, *heading)
    return action is Action.CONFIRM


async def _found(choice: Choice, *, by_name: bool) -> Chosen | None:
    """None when the user goes back, or nobody can be asked just now."""
    try:
        return await (_by_name(choice) if by_name else _by_number(choice))
    except DirectoryUnavailable as error:
        log.warning("recipient not found", call=choice.call.id, reason=str(error))
        await surprise(choice.call, P.NOT_POSSIBLE_NOW)
        return None


async def _by_name(choice: Choice) -> Chosen | None:
    user = await find_by_name(choice.call, choice.desk, choice.sendings, choice.owner)
    return await _person(choice, user) if user else None


async def _by_number(choice: Choice) -> Chosen | None:
    """Raises `NoAnswer` after three numbers that nothing can be sent to."""
    for _ in range(TRIES):
        typed = await choice.call.collect((P.ENTER_DESTINATION,), number_until_hash())
        if typed is Back.BACK:
            return None
        found = await _at(choice, typed)
        if not isinstance(found, P):
            return found
        await surprise(choice.call, found)
    raise NoAnswer


async def _at(choice: Choice, typed: str) -> Chosen | P | None:
    """Who is at that number; why nothing can be sent there; None: the user does not want it."""
    if listed := choice.sendings.list_at(typed):
        members = await choice.sendings.members(listed)
        words = (P.THE_LIST, *await _list_name(choice, listed))
        return Chosen(words, members) if members else P.UNKNOWN_RECIPIENT
    if user := await choice.sendings.colleague(typed):
        return await _person(choice, user)
    return await _outside(choice, typed)


async def _list_name(choice: Choice, listed: DistributionList) -> Sentence:
    name = await choice.desk.spoken_name(listed.name, choice.owner.language)
    return (Recorded(str(name)),) if name else number_words(listed.number, choice.desk)


async def _outside(choice: Choice, typed: str) -> Chosen | P | None:
    ways = {line: choice.sendings.outside(typed, line) for line in choice.lines}
    telephones = {line: way for line, way in ways.items() if isinstance(way, Telephone)}
    if not telephones:
        log.info("recipient refused", call=choice.call.id, known=any(ways.values()))
        return P.CANNOT_SEND_THERE if any(ways.values()) else P.UNKNOWN_RECIPIENT
    line = await _line(choice) if len(telephones) > 1 else next(iter(telephones))
    if line is None or not await confirm(choice, telephones[line]):
        return None
    return Chosen(number_words(telephones[line].number, choice.desk), (telephones[line],))


async def _line(choice: Choice) -> Line | None:
    return _LINES.get(await choose(choice.call, choice.desk, LINE_MENU))


async def _person(choice: Choice, user: User) -> Chosen:
    words = await person_words(choice.desk, choice.owner, user)
    return Chosen(words, (Colleague(user.id),))
