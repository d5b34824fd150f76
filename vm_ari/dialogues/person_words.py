"""How a person is called on the telephone: by name where somebody can say it, else by number."""

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.callers import Caller
from vm_ari.domain.numbers import extension_of
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Recorded, Sentence

KEYS = "0123456789+"


async def person_words(desk: Desk, listener: User, person: User) -> Sentence:
    """In the person's own voice, else in that of the machine, else by number."""
    number = (*person.numbers, person.mailbox)[0]
    own_voice = await desk.sender_name(listener, Caller(number))
    name = own_voice or await desk.spoken_name(person.name, listener.language)
    return (Recorded(str(name)),) if name else number_words(number, desk)


def number_words(number: str, desk: Desk) -> Sentence:
    """A telephone number or that of a list; the extension where it is one of the house."""
    short = extension_of(number, desk.rules.site_for(number)) or number
    return (P.THE_NUMBER, Digits("".join(key for key in short if key in KEYS)))
