"""What a machine has understood of a voice message, and which messages it is asked about."""

from collections.abc import Sequence
from dataclasses import dataclass

from vm_ari.domain.recognised_text import readable_lines

LONGEST_TEXT = 20_000
"""Characters of a transcript: two hours of fast speech would be more, a joke or an attack too."""
MOST_PASSAGES = 500
UNSURE = 0.4
"""A passage with a smaller probability is marked."""


class NotTranscribed(Exception):
    """There is no transcript of this recording, nor will there be one. The text says why.

    It holds nothing of what was said.
    """


@dataclass(frozen=True)
class Passage:
    """Some words in a row."""

    text: str
    sure: bool = True
    """Has the machine little doubt about them?"""


@dataclass(frozen=True)
class Transcript:
    """What was said, as far as a machine has understood it; never empty."""

    passages: tuple[Passage, ...]
    language: str = ""
    """Such as ``de``; empty where the machine does not tell."""

    @property
    def text(self) -> str:
        """Only the words."""
        return " ".join(passage.text for passage in self.passages)

    @property
    def sure(self) -> bool:
        """Is no passage doubtful?"""
        return all(passage.sure for passage in self.passages)


@dataclass(frozen=True)
class TranscriptRules:
    """Which messages are transcribed, and how long a mail may be kept waiting for it."""

    wait_seconds: float = 0.0
    """The message is delivered at the latest after so many; the transcript then follows."""
    longest_seconds: float = 600.0
    """Longer messages are not transcribed."""
    languages: tuple[str, ...] = ()
    """Those that are spoken here; none: the machine finds out among all that it knows."""

    def language_for(self, usual: str) -> str:
        """What an engine is told that has to be told one; *usual* is the mailbox's language."""
        own = usual.replace("_", "-").partition("-")[0].lower()
        return own if own in self.languages or not self.languages else self.languages[0]


def transcript_of(passages: Sequence[Passage], language: str) -> Transcript | None:
    """Made of what an engine answered, which may be anything; None where nothing was said."""
    kept, left = [], LONGEST_TEXT
    for passage in passages[:MOST_PASSAGES]:
        text = " ".join(readable_lines(passage.text, left).split())
        if any(sign.isalnum() for sign in text):
            kept.append(Passage(text, passage.sure))
            left -= len(text)
    known = language.isascii() and language.isalpha() and 2 <= len(language) <= 3
    return Transcript(tuple(kept), language.lower() if known else "") if kept else None
