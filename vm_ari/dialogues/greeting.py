"""The words before the tone: the greeting that was decided, and what the caller can do instead."""

from collections.abc import Sequence
from dataclasses import dataclass

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.answering import Answer
from vm_ari.domain.greeting_choice import GlobalGreeting, OwnGreeting
from vm_ari.domain.profiles import TransferOffer
from vm_ari.speech.catalogue import P
from vm_ari.speech.greeting_words import greeting_words
from vm_ari.speech.language import languages
from vm_ari.speech.parts import Digits, InLanguage, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action, Item, spoken

SECONDS_TO_CHOOSE = 4.0
"""After a greeting with a choice; who does not choose wants to leave a message."""
_LANGUAGE_KEYS = "123456789"


@dataclass(frozen=True)
class Offer:
    """What the caller can do."""

    message: bool
    """Leave one."""
    destination: str = ""
    """Be connected with this number."""
    told_by_owner: bool = False
    """Does the greeting itself tell about that?"""
    operator: str = ""
    """Number behind the operator key."""
    operator_exit: bool = False
    """The operator key leads back to the dialplan instead."""


def offer_of(answer: Answer, *, exits: str, operator: str) -> Offer:
    """What goes with a greeting; *operator* is the exit that the dialplan may have."""
    return Offer(
        message=answer.takes_message.yes,
        destination=answer.transfer.number,
        told_by_owner=answer.transfer.announced_by is TransferOffer.USER,
        operator=answer.operator.number,
        operator_exit=operator in exits,
    )


async def wished_language(call: Call, codes: Sequence[str]) -> str:
    """Ask in each language for it; empty for who does not choose."""
    by_key = dict(zip(_LANGUAGE_KEYS, (c for c in codes if c in languages()), strict=False))
    question: Sentence = tuple(
        InLanguage(code, (P.LANGUAGE_CHOICE, P.PRESS, Digits(key))) for key, code in by_key.items()
    )
    key = await call.say_or_key(question, "".join(by_key), wait=SECONDS_TO_CHOOSE)
    return by_key[key] if key else ""


async def greet(call: Call, desk: Desk, answer: Answer, offer: Offer) -> Action | None:
    """Speak; what did the caller choose meanwhile, or in the seconds after?"""
    keys = desk.keys.choices(_actions(offer))
    wait = SECONDS_TO_CHOOSE if offer.destination else 0.0
    words = (*greeting_words(answer.plays), *_choices(answer, offer, desk))
    key = await call.say_or_key(words, "".join(keys), wait=wait)
    return None if key is None else keys[key]


def _actions(offer: Offer) -> list[Action]:
    """What is accepted."""
    actions = [Action.LOG_IN]
    actions += [Action.QUICK_MESSAGE] if offer.message else []
    actions += [Action.LEAVE_MESSAGE] if offer.message and offer.destination else []
    actions += [Action.CONNECT] if offer.destination else []
    actions += [Action.OPERATOR] if offer.operator or offer.operator_exit else []
    return actions


def _choices(answer: Answer, offer: Offer, desk: Desk) -> Sentence:
    """What comes after the greeting; a recording says by itself what there is to say."""
    recorded = isinstance(answer.plays, OwnGreeting | GlobalGreeting)
    words: Sentence = ()
    if not (offer.message or recorded or answer.ends_after_greeting):
        words += (P.NO_MESSAGES_TAKEN,)
    if offer.destination and not offer.told_by_owner:
        menu = [Item(Action.LEAVE_MESSAGE, P.TO_LEAVE_A_MESSAGE)] if offer.message else []
        words += spoken([*menu, Item(Action.CONNECT, P.TO_BE_CONNECTED)], desk.keys)
    elif offer.message and not recorded:
        words += (P.LEAVE_A_MESSAGE,)
    if offer.operator and not recorded:
        words += spoken([Item(Action.OPERATOR, P.FOR_THE_OPERATOR)], desk.keys)
    if not (offer.message or offer.destination):
        words += (P.GOODBYE,)
    return words
