"""Somebody is found by name, spelt with the letters on the keys (INBOX-13)."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from vm_ari.dialogues.choosing import surprise
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.person_words import number_words, person_words
from vm_ari.domain.users import User
from vm_ari.services.sendings import Sendings
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Sentence
from vm_ari.telephony.call import TRIES, Call, NoAnswer
from vm_ari.telephony.dtmf import Back, number_until_hash
from vm_ari.telephony.menu import Action, Item, choices, spoken

KEYS = "123456789"
"""Of the people who are offered."""
AT_ONCE = 9
LONGEST = 30
"""Letters that are typed in one go, and all together: more tell nothing new."""
NAMES_END: Sequence[Item] = (
    Item(Action.MORE_LETTERS, P.TO_ENTER_MORE_LETTERS),
    Item(Action.NAMES_BACK, P.TO_GO_BACK),
)


async def find_by_name(call: Call, desk: Desk, sendings: Sendings, owner: User) -> User | None:
    """Somebody the user has chosen; None when the user goes back.

    Raises `NoAnswer` after three names that nobody has; `DirectoryUnavailable`.
    """
    typed, failures = "", 0
    while failures < TRIES:
        question = P.ENTER_MORE_LETTERS if typed else P.ENTER_NAME
        letters = await call.collect((question,), number_until_hash(AT_ONCE))
        if letters is Back.BACK:
            return None
        typed += letters
        match await _among(call, desk, owner, await sendings.named(typed)):
            case User() as person:
                return person
            case Back.BACK:
                return None
            case P.NOBODY_FOUND:
                typed, failures = "", failures + 1
            case _ if len(typed) >= LONGEST:
                typed, failures = "", failures + 1
    raise NoAnswer


async def _among(
    call: Call, desk: Desk, owner: User, people: Sequence[User]
) -> User | P | Literal[Back.BACK] | None:
    """One of them; None: more letters are needed."""
    if not people or len(people) > len(KEYS):
        words = P.TOO_MANY_NAMES if people else P.NOBODY_FOUND
        await surprise(call, words)
        return words
    return await _choose(call, desk, await _names(desk, owner, people))


async def _choose(
    call: Call, desk: Desk, names: Sequence[tuple[User, Sentence]]
) -> User | Literal[Back.BACK] | None:
    offers: Sentence = ()
    answers: dict[str, User | Literal[Back.BACK] | None] = {}
    for key, (person, name) in zip(KEYS, names, strict=False):
        offers += (*name, P.PRESS, Digits(key))
        answers[key] = person
    for key, action in choices(NAMES_END, desk.keys).items():
        answers[key] = Back.BACK if action is Action.NAMES_BACK else None
    return await call.ask((*offers, *spoken(NAMES_END, desk.keys)), answers)


async def _names(
    desk: Desk, owner: User, people: Sequence[User]
) -> Sequence[tuple[User, Sentence]]:
    """With the number, too, where two of them are called alike."""
    same = Counter(person.name.casefold() for person in people)
    words = await asyncio.gather(*(person_words(desk, owner, person) for person in people))
    return [
        (person, name if same[person.name.casefold()] == 1 else _with_number(person, name, desk))
        for person, name in zip(people, words, strict=True)
    ]


def _with_number(person: User, name: Sentence, desk: Desk) -> Sentence:
    number = number_words((*person.numbers, person.mailbox)[0], desk)
    return name if name == number else (*name, *number)
