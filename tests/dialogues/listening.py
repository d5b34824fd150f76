"""What a user does during a remote inquiry."""

from collections.abc import Awaitable, Callable

from tests.dialogues.exchange import Exchange, audio_of, message
from tests.phone import Phone, Told
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.settings import Rules
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Number

A, B, C = (message(uid, minutes_ago=minutes) for uid, minutes in [("a", 1), ("b", 2), ("c", 3)])
"""In the order in which they are heard: newest first."""


def inbox_of(*messages: StoredMessage, **rules: object) -> Exchange:
    site = Exchange(rules=Rules(**rules))  # type: ignore[arg-type]
    site.put(*(messages or (A, B, C)))
    return site


def played(told: Told) -> list[str]:
    """Which messages were heard, in order."""
    names = told.phone.heard_names()
    return [name.removeprefix("/listening/") for name in names if name.startswith("/listening/")]


async def at_heading(phone: Phone, number: int = 1) -> None:
    await phone.hears(P.MESSAGE_NUMBER, Number(number))


async def at_audio(phone: Phone, stored: StoredMessage = A) -> None:
    await phone.hears(audio_of(stored))


async def at_options(phone: Phone, stored: StoredMessage = A) -> None:
    await phone.hears(audio_of(stored), P.TO_REPEAT)


PLACES: dict[str, Callable[[Phone], Awaitable[None]]] = {
    "heading": at_heading,
    "audio": at_audio,
    "options": at_options,
}
