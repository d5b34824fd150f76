"""Results as a table for people, JSON or tab-separated values for programs."""

import json
import unicodedata
from collections.abc import Mapping, Sequence

import click

from vm_ari.domain.callers import printable

Row = Mapping[str, object]
_LONGEST = 1000


def write(rows: Sequence[Row], columns: Sequence[str], form: str) -> None:
    """Print rows; JSON holds every key of theirs, the other forms the *columns*."""
    match form:
        case "json":
            click.echo(json.dumps([dict(row) for row in rows], ensure_ascii=False, indent=2))
        case "tsv":
            for line in (columns, *(_cells(row, columns) for row in rows)):
                click.echo("\t".join(line))
        case _:
            _write_table([_cells(row, columns) for row in rows], columns)


def _write_table(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    heads = [name.replace("_", " ") for name in columns]
    widths = [max(map(_width, column)) for column in zip(heads, *rows, strict=True)]
    for cells in (heads, *rows):
        padded = (text + " " * (w - _width(text)) for text, w in zip(cells, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _cells(row: Row, columns: Sequence[str]) -> list[str]:
    """One line each, and nothing that could steer a terminal."""
    return [printable(_text(row.get(name, "")), _LONGEST) for name in columns]


def _text(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return " ".join(str(one) for one in value)
    return "" if value is None else str(value)


def _width(text: str) -> int:
    """Columns on a terminal: accents take none, East Asian letters two."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)
