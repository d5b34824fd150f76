"""The words of every prompt: ``sounds/<language>/texts.csv``, for people to read and re-record."""

import csv
from dataclasses import dataclass
from pathlib import Path

FILE = "texts.csv"
COLUMNS = ["id", "words", "spoken"]


class BadTexts(ValueError):
    """A texts.csv that cannot be used; the text names the file and the line."""


@dataclass(frozen=True)
class Prompt:
    """One prompt: what it says, and how to spell it so that the shipped voice says it well."""

    id: str
    words: str
    spoken: str = ""

    @property
    def utterance(self) -> str:
        """What a speech engine is given: always something that ends like speech.

        A fragment that opens a sentence ("For new voice messages") gets a comma, so that the voice
        stays up; any other a full stop. Engines swallow the ends of bare words: over a telephone
        line 50 of 57 were understood bare, and 55 as ``Word.``.
        """
        return _ended(self.spoken or self.words)

    @property
    def plain_utterance(self) -> str:
        """The same for an engine that cannot read phonemes in square brackets."""
        return _ended(self.words) if self.spoken.startswith("[") else self.utterance


def _ended(text: str) -> str:
    if not text[-1].isalnum():
        return text
    opens = " " in text and text[0].isupper()
    return f"{text[0].upper()}{text[1:]}{',' if opens else '.'}"


def read_texts(folder: Path) -> dict[str, Prompt]:
    """The prompts of one language by id, in the order of the file. Raises BadTexts, OSError."""
    path = folder / FILE
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if rows.fieldnames != COLUMNS:
            raise BadTexts(f"{path}: the first line must be {','.join(COLUMNS)}")
        prompts: dict[str, Prompt] = {}
        for row in rows:
            prompt = Prompt(row["id"], row["words"] or "", row["spoken"] or "")
            if not prompt.words or prompt.id in prompts:
                raise BadTexts(f"{path}:{rows.line_num}: {prompt.id!r} has no words or comes twice")
            prompts[prompt.id] = prompt
    return prompts
