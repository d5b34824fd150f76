"""What the reading of a mail comes to: utterances, one after the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

FIRST_LENGTH = 120
"""Characters of the first utterance at most, so that the listener hears something at once."""
LENGTH = 400
_END = re.compile(r"[.!?…:;](?=\s)")
_PAUSE = re.compile(r",(?=\s)|\s")


class About(StrEnum):
    """What an utterance tells."""

    SENDER = "sender"
    SUBJECT = "subject"
    TEXT = "text"
    """What the sender has written."""
    NOTICE = "notice"
    """Something about the mail: attachments, or what is left out."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Some words for a voice: clean, not empty, and at most `LENGTH` characters."""

    text: str
    language: str
    """Its code: ``de``."""
    about: About = About.TEXT


def pieces(text: str, first: int = LENGTH) -> Iterator[str]:
    """Cut *text* at the ends of sentences, or else between words, or at last anywhere."""
    most = first
    while len(text) > most:
        cut = _cut(text, most)
        yield text[:cut].strip()
        text, most = text[cut:].lstrip(), LENGTH
    if text:
        yield text


def _cut(text: str, most: int) -> int:
    for border in (_END, _PAUSE):
        found = [match.end() for match in border.finditer(text, 0, most)]
        if found and found[-1] > most // 4:
            return found[-1]
    return most
