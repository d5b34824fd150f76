"""How what is written becomes something to hear."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vm_ari.domain.mail_speech.utterances import Utterance


class NoOcr(Exception):
    """No fax can be read on this machine. The text says what to install."""


class FaxUnreadable(Exception):
    """A fax, or the rest of it, cannot be read. The text says why."""


class MailReader(Protocol):
    """Finds out what is said of a mail, whoever wrote it."""

    def read(self, mail: Path | bytes, languages: Sequence[str]) -> AsyncGenerator[Utterance, None]:
        """Sender, subject, text and notices, the first of it at once; raises nothing for a mail.

        *languages* are those that can be spoken, the listener's own first.
        """
        ...


@dataclass(frozen=True)
class FaxPage:
    """One page of a fax."""

    number: int
    """From 1."""
    text: str
    """Empty where there is none."""
    of: int | None = None
    """How many there are, if that is known."""


class FaxReader(Protocol):
    """Finds out what is written on a fax that came by mail."""

    def pages(self, mail: Path) -> AsyncGenerator[FaxPage, None]:
        """Each page as soon as it is recognised.

        Raises `NoOcr`; `FaxUnreadable`, also after some pages.
        """
        ...


class VoiceUnavailable(Exception):
    """No text can be spoken now. The text says what is missing."""


class Unspeakable(Exception):
    """This text cannot be spoken. The text says what to change."""


class Voice(Protocol):
    """Speech synthesis."""

    async def spoken(self, text: str, language: str) -> Path:
        """A sound file that says it. Raises `VoiceUnavailable`, `Unspeakable`."""
        ...
