"""The configuration while it is being made: what was there before, with the answers in it."""

import copy
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from vm_ari.config import BadConfig, Config, judged, sources
from vm_ari.config.document import BadChange, changed, read
from vm_ari.config.keys import form_at, plain, table_of, words_of
from vm_ari.config.problems import explained, toml, toml_key
from vm_ari.config.sources import leaves

STATE = Path("/var/lib/vm-ari")
"""Where everything is kept that is kept, unless somebody says otherwise."""
_CACHE = Path("/var/cache/vm-ari")
_WIDTH = 98
_HEAD = """\
# The configuration of vm-ari, written by vm-ari init, which may be run again.
#
# Whoever reads this file knows the passwords: it belongs to the account of the service alone.
# vm-ari config show      all keys, with the values that count
# vm-ari config set       changes one, and checks it before
# vm-ari check            says what is wrong with the connections, and what to do
"""


class Draft:
    """Tables of the file at *path*; nothing is written by them."""

    def __init__(self, path: Path) -> None:
        """Raises `BadConfig` for a file that is there and cannot be read."""
        self.path = path
        try:
            self.before = read(path)
            self.values: dict[str, Any] = tomllib.loads(self.before)
        except (BadChange, tomllib.TOMLDecodeError) as error:
            raise BadConfig(f"{path}: {error}; mend it, or move it away") from None
        self._said = sources(path, self.before).values if self.before else {}

    def get(self, key: str, default: str = "") -> str:
        """What was said before, here or in conf.d and the environment."""
        found = _looked_up(self.values, key) or _looked_up(self._said, key)
        return default if found is None or isinstance(found, dict) else str(found)

    def put(self, key: str, value: Any) -> None:
        """Say so; what is the default already needs no line. None takes it away."""
        *tables, last = key.split(".")
        inner = self.values
        for name in tables:
            inner = inner.setdefault(name, {})
        if value is None or value == _default(key):
            inner.pop(last, None)
        else:
            inner[last] = value

    def put_table(self, key: str, table: Mapping[str, Any] | None) -> None:
        """Say all of a table anew; None takes it away."""
        *tables, last = key.split(".")
        inner = self.values
        for name in tables:
            inner = inner.setdefault(name, {})
        inner.pop(last, None)
        if table is not None:
            inner[last] = {name: value for name, value in table.items() if value not in (None, "")}

    def text(self) -> str:
        """The file as it will be: an older one keeps its comments, if that is possible."""
        values = _in_order(_without_empty(self.values))
        if self.before:
            with suppress(BadChange):
                return _edited(self.before, values)
        return _HEAD + "".join(f"\n{block}" for block in _blocks(values))

    def config(self) -> Config:
        """What it will be, with conf.d and the environment. Raises `BadConfig`."""
        return judged(sources(self.path, self.text()))

    def config_for_trial(self, place: Path) -> Config:
        """The same, but what is kept is kept at *place*: a trial leaves nothing behind.

        Raises `BadConfig`.
        """
        given = sources(self.path, self.text())
        values = copy.deepcopy(given.values)
        for key, value in kept_at(place).items():
            *tables, last = key.split(".")
            inner = values
            for name in tables:
                inner = inner.setdefault(name, {})
            inner[last] = value
        if values.get("directory", {}).get("ldap") is None:
            values.get("directory", {}).pop("ldap", None)
        try:
            return Config(**values)
        except ValidationError as error:
            raise BadConfig(explained(error, Config, given)) from None


def _edited(text: str, values: Mapping[str, Any]) -> str:
    """Raises `BadChange`."""
    old = tomllib.loads(text)
    for gone in dict.fromkeys(_missing(values, where) for where, _value in leaves(old)):
        text = changed(text, gone, None) if gone else text
    for where, value in leaves(values):
        if _at(old, where) != value:
            text = changed(text, where, value)
    return text


def _in_order(values: Mapping[str, Any]) -> dict[str, Any]:
    """As the documentation has it; what is not known comes last, and is told soon."""
    known = {key: values[key] for key in Config.model_fields if key in values}
    return known | dict(values)


def kept_at(place: Path) -> dict[str, str]:
    """All keys that name something below `STATE`, moved to another place."""
    moved = {}
    for key, value in _defaults(Config):
        new = value.replace(str(STATE), str(place)).replace(str(_CACHE), str(place / "cache"))
        if new != value:
            moved[key] = new
    return moved


def _defaults(table: type[BaseModel], at: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Of tables that are always there."""
    for name, field in table.model_fields.items():
        value = None if field.is_required() else field.get_default(call_default_factory=True)
        if isinstance(value, BaseModel):
            yield from _defaults(type(value), (*at, name))
        elif isinstance(value, str | Path):
            yield ".".join((*at, name)), str(value)


def _default(key: str) -> Any:
    *tables, last = key.split(".")
    table = table_of(form_at(Config, tuple(tables)))
    field = table.model_fields.get(last) if table else None
    if field is None or field.is_required():
        return None
    return plain(field.get_default(call_default_factory=True))


def _blocks(values: Mapping[str, Any], at: tuple[str, ...] = ()) -> Iterator[str]:
    """Each table with what the documentation says of it and of its keys."""
    below = {key: value for key, value in values.items() if isinstance(value, dict)}
    own = {key: value for key, value in values.items() if key not in below}
    table = table_of(form_at(Config, at)) or Config
    if own:
        lines = [f"# {_first_line(table)}", f"[{'.'.join(map(toml_key, at))}]"] if at else []
        for key, value in own.items():
            lines += _comment(words_of(table).get(key, ""))
            lines.append(f"{toml_key(key)} = {toml(value)}")
        yield "\n".join([*lines, ""])
    for key, value in below.items():
        yield from _blocks(value, (*at, key))


def _first_line(table: type[BaseModel]) -> str:
    return (table.__doc__ or "").strip().splitlines()[0]


def _comment(text: str) -> list[str]:
    line = "#"
    lines: list[str] = []
    for word in text.split():
        if len(line) + 1 + len(word) > _WIDTH:
            lines, line = [*lines, line], "#"
        line += f" {word}"
    return [*lines, line] if text else []


def _without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    inner = {k: _without_empty(v) if isinstance(v, dict) else v for k, v in values.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _looked_up(values: Any, key: str) -> Any:
    for name in key.split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return values


def _missing(values: Any, where: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The widest part of it that is not there any more; empty: all is."""
    ends = (end for end in range(1, len(where) + 1) if _at(values, where[:end]) is None)
    return where[: next(ends, 0)]


def _at(values: Any, where: tuple[str | int, ...]) -> Any:
    for name in where:
        values = values.get(name) if isinstance(values, dict) else None
    return values
