"""All settings of a user in one attribute, as text (DIR-03).

Two forms: many values ``key=value``, or one string ``key=value;key=value`` where the attribute
takes one value only; in the string a backslash makes a following ``;`` or backslash part of the
value. Whatever else lies in the attribute, of other programs or of later versions, is left exactly
as it is.

A change says which values to delete and which to add, for one modify operation that the server
does as a whole or not at all. Two changes of the same value delete the same old one, so the second
fails (*noSuchAttribute*) and is made again from what is there now. Where many values hold a key
for the first time there is nothing to delete; then a count called ``revision`` is changed with it,
so that of two such changes one fails, too (*noSuchAttribute* or *attributeOrValueExists*).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

REVISION = "revision"
AD_EXTENSION_LIMIT = 1024
"""Characters that Active Directory's extension attributes take."""
_KEY = re.compile("[a-z][a-z0-9_]{0,39}")
_SEGMENT = re.compile(r"(?:[^;\\]|\\.|\\\Z)*", re.DOTALL)


class Unstorable(ValueError):
    """A value does not fit. The text names the setting, and sizes where they are the reason."""


class Change(NamedTuple):
    """One atomic change of an attribute; both empty: there is nothing to do."""

    delete: set[str]
    add: set[str]


class SettingsText(Protocol):
    """A form that settings take in an attribute."""

    def read(self, values: Iterable[str]) -> dict[str, str]:
        """Texts by key; what is not of that form is left out."""
        ...

    def change(self, values: Iterable[str], new: Mapping[str, str | None]) -> Change:
        """Set each key to a text, or (None) remove it. Raises `Unstorable`."""
        ...


@dataclass(frozen=True)
class ManyValues:
    """Each setting is a value of a multi-valued attribute."""

    prefix: str = ""
    """Before each key, to tell ours from others' in a shared attribute."""
    limit: int | None = None
    """Characters that one value may have."""

    def read(self, values: Iterable[str]) -> dict[str, str]:
        """Of two values for one key, as two servers may have got them, the last by alphabet."""
        texts = self._texts(values)
        texts.pop(REVISION, None)
        return texts

    def change(self, values: Iterable[str], new: Mapping[str, str | None]) -> Change:
        """See `SettingsText`; all values of a changed key are deleted, also misspelled ones."""
        there = set(values)
        texts = self._texts(there)
        wanted = {key: text for key, text in new.items() if texts.get(key) != text}
        if any(text is not None and key not in texts for key, text in wanted.items()):
            wanted[REVISION] = _next(texts.get(REVISION, ""))
        add = {self._value(key, text) for key, text in wanted.items() if text is not None}
        delete = {value for value in there if _key_of(value, self.prefix) in wanted}
        return Change(delete - add, add - there)

    def _texts(self, values: Iterable[str]) -> dict[str, str]:
        pairs = (_pair(value, self.prefix) for value in sorted(values))
        return dict(filter(None, pairs))

    def _value(self, key: str, text: str) -> str:
        _check(key, text)
        value = f"{self.prefix}{key}={text}"
        if self.limit is not None and len(value) > self.limit:
            raise Unstorable(
                f"{key} needs {len(value)} characters in the directory, {self.limit} are possible."
            )
        return value


@dataclass(frozen=True)
class OneString:
    """All settings are the value of a single-valued attribute; what is new comes last."""

    prefix: str = ""
    limit: int | None = AD_EXTENSION_LIMIT
    """Characters that the attribute takes."""

    def read(self, values: Iterable[str]) -> dict[str, str]:
        """Of several values, which should not be there, the last by alphabet."""
        string = max(values, default="")
        pairs = (_pair(segment, self.prefix) for segment in _segments(string))
        return {key: _unescaped(text) for key, text in filter(None, pairs)}

    def change(self, values: Iterable[str], new: Mapping[str, str | None]) -> Change:
        """See `SettingsText`; the whole string is changed, so nothing can come between."""
        old = _only(values)
        texts = self.read([old])
        wanted = {key: text for key, text in new.items() if texts.get(key) != text}
        if not wanted:
            return Change(set(), set())
        for key, text in wanted.items():
            _check(key, text or "")
        changed = ";".join(self._changed(_segments(old), wanted))
        if self.limit is not None and len(changed) > self.limit:
            raise Unstorable(self._too_long(changed, wanted))
        return Change({old} - {""}, {changed} - {""})

    def _changed(self, segments: list[str], wanted: Mapping[str, str | None]) -> list[str]:
        left = dict(wanted)
        result = []
        for segment in segments:
            key = _key_of(segment, self.prefix)
            if key is None or key not in wanted:
                result.append(segment)
            elif (text := left.pop(key, None)) is not None:
                result.append(self._segment(key, text))
        added = [self._segment(key, text) for key, text in left.items() if text is not None]
        # a lone backslash at the end of somebody's text would swallow our separator
        end = len(result) - (bool(result) and _ends_open(result[-1]))
        return result[:end] + added + result[end:]

    def _segment(self, key: str, text: str) -> str:
        return f"{self.prefix}{key}={_escaped(text)}"

    def _too_long(self, changed: str, wanted: Mapping[str, str | None]) -> str:
        sizes = {key: len(self._segment(key, text)) for key, text in wanted.items() if text}
        key = max(sizes, key=lambda name: sizes[name], default="")
        return (
            f"{key} needs {sizes.get(key, 0)} characters; with it the settings need "
            f"{len(changed)}, and the attribute takes {self.limit}."
        )


def _check(key: str, text: str) -> None:
    if not _KEY.fullmatch(key):
        raise Unstorable(f"“{key[:40]}” cannot be the name of a setting.")
    if text != text.strip() or not text.isprintable():
        raise Unstorable(f"{key} may only hold visible characters, and no blanks around them.")


def _pair(value: str, prefix: str) -> tuple[str, str] | None:
    key = _key_of(value, prefix)
    return None if key is None else (key, value.partition("=")[2].strip())


def _key_of(value: str, prefix: str) -> str | None:
    """The key, however people wrote it; None for what is not ours."""
    name, equals, _ = value.partition("=")
    name = name.strip()
    key = name.removeprefix(prefix).lower()
    ours = equals and name.startswith(prefix) and _KEY.fullmatch(key)
    return key if ours else None


def _next(revision: str) -> str:
    """Any other text does; a number tells the reader what it is."""
    return str(int(revision) + 1) if re.fullmatch("[0-9]{1,9}", revision) else "1"


def _only(values: Iterable[str]) -> str:
    there = list(values)
    if len(there) > 1:
        raise Unstorable(f"The attribute holds {len(there)} values where one string was expected.")
    return there[0] if there else ""


def _segments(text: str) -> list[str]:
    """The parts between separators, as they are."""
    if not text:
        return []
    segments, position = [], 0
    while position <= len(text):
        found = _SEGMENT.match(text, position)
        end = found.end() if found else len(text)
        segments.append(text[position:end])
        position = end + 1
    return segments


def _ends_open(segment: str) -> bool:
    return (len(segment) - len(segment.rstrip("\\"))) % 2 == 1


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;")


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\\;])", r"\1", text)
