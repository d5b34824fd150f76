"""Names as they are spelt on the keys of a telephone, each letter once (INBOX-13).

The letters lie as ITU-T E.161 says. ``ä`` is typed like ``a`` or like ``ae``; what has no letter of
that alphabet cannot be typed.
"""

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from vm_ari.domain.users import User

MOST_FOUND = 10
"""One more than keys to choose with: then the names were too many."""
_MOST_WORDS = 6
_KEYS = dict(zip("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999", strict=True))
_SIMPLE = str.maketrans(
    {"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)
_IN_TWO = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_TITLES = {"dr", "prof", "dipl", "ing", "mag"}
_INSIDE_A_WORD = re.compile("['’`´]")


class _Spelling(NamedTuple):
    """One way to type somebody."""

    keys: str
    given_first: bool
    place: int
    """Of the user in the list."""


class NameIndex:
    """Users by what may be typed for them: surname and given name, or the other way round.

    Every word of a name can be the first of the surname: in *Ana de la Cruz* ``de``, ``la`` and
    ``Cruz``. Who is found by the surname comes first.
    """

    def __init__(self, users: Iterable[User]) -> None:
        self._users = sorted(users, key=lambda user: (user.name.casefold(), user.id))
        shelves: dict[str, set[_Spelling]] = defaultdict(set)
        for place, user in enumerate(self._users):
            for keys, given_first in spellings(user.name):
                shelves[keys[:2]].add(_Spelling(keys, given_first, place))
        # one shelf after the other: sorting all at once would keep other threads waiting
        self._spellings = [one for start in sorted(shelves) for one in sorted(shelves[start])]
        self._keys = [one.keys for one in self._spellings]

    def begins_with(self, keys: str) -> Sequence[User]:
        """Whose name begins so, at most `MOST_FOUND`; ``0`` and ``1``, which have no letters, pass.

        Nobody for no letters at all.
        """
        typed = re.sub("[^2-9]", "", keys)
        found: dict[int, bool] = {}
        for one in self._from(typed) if typed else ():
            found[one.place] = found.get(one.place, True) and one.given_first
            if len(found) == MOST_FOUND:
                break
        return [self._users[place] for place in sorted(found, key=lambda p: (found[p], p))]

    def _from(self, typed: str) -> Iterator[_Spelling]:
        for place in range(bisect_left(self._keys, typed), len(self._keys)):
            if not self._keys[place].startswith(typed):
                return
            yield self._spellings[place]


def spellings(name: str) -> Iterator[tuple[str, bool]]:
    """All ways to type a name; the flag tells that the given name comes first."""
    surname_first = "," in name
    for expanded in (False, True):
        words = _words(name, expanded=expanded)
        for first in range(len(words)):
            keys = "".join((*words[first:], *words[:first]))
            yield keys, (first == 0) is not surname_first and len(words) > 1


def _words(name: str, *, expanded: bool) -> list[str]:
    """The keys of each word, without titles."""
    text = unicodedata.normalize("NFC", name).lower()
    text = _INSIDE_A_WORD.sub("", text)
    if expanded:
        text = text.translate(_IN_TWO)
    plain = unicodedata.normalize("NFKD", text.translate(_SIMPLE))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    words = [word for word in re.split("[^a-z]+", letters) if word and word not in _TITLES]
    return ["".join(_KEYS[letter] for letter in word) for word in words[:_MOST_WORDS]]
