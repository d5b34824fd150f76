"""In which line of a TOML file each key stands: the parser of the standard library does not say."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
"""Keys from the top: ``("directory", "ldap", "servers")``; numbers count in lists."""


def lines_of(text: str) -> dict[Path, int]:
    """Line numbers by path, of a text that is TOML; the first one counts."""
    lines: dict[Path, int] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, statement in _statements(text):
        given = tomllib.loads(statement)
        if statement.lstrip().startswith("["):
            table = _opened(given, counts)
            paths = [table[:end] for end in range(1, len(table) + 1)]
        else:
            paths = [(*table, *path) for path in _paths(given)]
        for path in paths:
            lines.setdefault(path, number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Headers and assignments, each with its first line: a statement ends where it can be read."""
    begun, first = "", 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        if not begun and (not line.strip() or line.lstrip().startswith("#")):
            continue
        begun, first = begun + line, first or number
        if _is_whole(begun):
            yield first, begun
            begun, first = "", 0


def _is_whole(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _opened(header: Mapping[str, Any], counts: dict[Path, int]) -> Path:
    """The table that a header opens; one in double brackets opens another table of a list."""
    path: Path = ()
    inside: Any = header
    while inside:
        if isinstance(inside, list):
            count = counts[path] = counts.get(path, -1) + 1
            path, inside = (*path, count), inside[0]
        else:
            [(key, inside)] = inside.items()
            path = (*path, key)
            if path in counts and not isinstance(inside, list):
                path = (*path, counts[path])
    return path


def _paths(given: object) -> Iterator[Path]:
    """All places in a value, itself left out."""
    pairs: Iterator[tuple[str | int, object]] = iter(())
    match given:
        case dict():
            pairs = iter(given.items())
        case list():
            pairs = iter(enumerate(given))
    for key, value in pairs:
        yield (key,)
        for path in _paths(value):
            yield (key, *path)
