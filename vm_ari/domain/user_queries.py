"""Which users a page of the list shows (DIR-07): whose organisations, which words, after whom."""

from collections.abc import Iterable
from dataclasses import dataclass

from vm_ari.domain.entries import Entry

LONGEST_SEARCH = 100
MOST_WORDS = 5


@dataclass(frozen=True)
class UserQuery:
    """Users by id, a page of them."""

    organisations: frozenset[str]
    """Nobody else is ever shown; the empty one stands for users without an organisation."""
    words: tuple[str, ...] = ()
    """Each must be somewhere in id, name, address or mailbox; digits in id, mailbox or numbers."""
    after: str = ""
    """The id after which the page begins."""
    most: int = 50

    def fits(self, entry: Entry) -> bool:
        """Is that one of them, wherever the page begins?"""
        if entry.organisation not in self.organisations:
            return False
        names = (entry.id, entry.name, entry.given, entry.surname, entry.mail, entry.mailbox)
        text, digits = "\n".join(names).casefold(), "\n".join((entry.id, *_called(entry)))
        return all(one in (digits if one.isdecimal() else text) for one in self.words)

    def page(self, entries: Iterable[Entry]) -> list[Entry]:
        """Of all entries, in any order."""
        found = [one for one in entries if one.id > self.after and self.fits(one)]
        return sorted(found, key=lambda one: one.id)[: self.most]


def _called(entry: Entry) -> tuple[str, ...]:
    return (entry.mailbox, *entry.numbers)


def words_of(typed: str) -> tuple[str, ...]:
    """The words of a search as somebody typed it; a number counts in any spelling."""
    text = " ".join(typed[:LONGEST_SEARCH].split()).casefold()
    digits = text.translate({ord(sign): None for sign in " ()/-."})
    if digits.removeprefix("+").isdecimal() and digits.isascii():
        return (digits.removeprefix("+").lstrip("0") or digits,)  # prefixes differ by spelling
    return tuple(word for word in text.split() if word.isprintable())[:MOST_WORDS]
