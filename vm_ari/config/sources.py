"""Where settings come from: the file, ``conf.d/`` beside it, credentials of systemd, environment.

Each later one wins, key by key. What they say is put together here; whether it can be used is
judged by the models. No value is ever part of an error.
"""

import json
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from vm_ari.config.directory import first_line
from vm_ari.config.keys import Model, Where, form_at, is_list_or_table, meant
from vm_ari.config.lines import lines_of

PREFIX = "VM_ARI__"
LEVEL = "__"
FILE = "_file"
DROP_INS = "conf.d"
CREDENTIALS = "CREDENTIALS_DIRECTORY"
_CONTAINER_SECRETS = Path("/run/secrets")
_LARGEST = 1_000_000
"""Bytes of a file: nobody writes so much, and a wrong path must not fill the memory."""


class BadSource(Exception):
    """A source cannot be read. The text says which, where in it, and what to do."""


@dataclass(frozen=True)
class Source:
    """One place that settings come from."""

    values: Mapping[str, Any]
    told: Callable[[Where], str] = field(repr=False)
    """Where exactly a key stands: a file with its line, or a variable."""

    def holds(self, where: Where) -> bool:
        """Does it say something there?"""
        return _found(self.values, where)


@dataclass(frozen=True)
class Given:
    """What all sources say together."""

    main: Path
    sources: Sequence[Source]
    """The later one wins."""

    @cached_property
    def values(self) -> dict[str, Any]:
        """The tables, put together."""
        merged: dict[str, Any] = {}
        for source in self.sources:
            merged = _merged(merged, source.values)
        return merged

    def origin(self, where: Where) -> str:
        """Who says what counts there; the file itself for what nobody says."""
        for end in range(len(where), 0, -1):
            if said := self.said(where[:end]):
                return said
        return str(self.main)

    def said(self, where: Where) -> str:
        """Who says what counts at exactly this place; empty for nobody."""
        for source in reversed(self.sources):
            if source.holds(where):
                return source.told(where)
        return ""


def gather(main: Path, root: Model, environ: Mapping[str, str], text: str | None = None) -> Given:
    """Read everything; *text* instead of what the main file says now.

    Raises `BadSource` for what is no TOML, or in no place that is known.
    """
    pieces = drop_ins(main)
    named = [key for key in environ if key.startswith(PREFIX)]
    sources = [] if text is None else [from_text(main, text)]
    if text is None and main.exists():
        sources.append(from_file(main))
    sources += [from_file(path) for path in pieces]
    without_file = not sources
    if directory := environ.get(CREDENTIALS):
        sources.append(_from_credentials(Path(directory), root))
    if named:
        sources.append(_from_environment(root, {key: environ[key] for key in sorted(named)}))
    given = Given(main, sources)
    needed = {name for name, field in root.model_fields.items() if field.is_required()}
    if without_file and not needed <= given.values.keys():
        raise BadSource(
            f"{main}: there is no such configuration file; name one with --config, or let "
            "vm-ari init make one"
        )
    return given


def drop_ins(main: Path) -> list[Path]:
    """Further files, in order of their names."""
    found = sorted((main.parent / DROP_INS).glob("*.toml"))
    return [path for path in found if not path.name.startswith(".")]


def from_file(path: Path) -> Source:
    """Read a file. Raises `BadSource`."""
    return from_text(path, text_of(path))


def from_text(path: Path, text: str) -> Source:
    """What a file of that name says, or would say. Raises `BadSource`."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSource(_no_toml(path, text, error)) from None
    return Source(values, _Lines(path, text))


def text_of(path: Path) -> str:
    """The text of a file. Raises `BadSource`."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise BadSource(f"{path}: is larger than a configuration can be; name another file")
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except PermissionError:
        raise BadSource(f"{path}: we may not read it; run this as its owner or as root") from None
    except OSError as error:
        raise BadSource(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadSource(f"{path}:{line}: this is no UTF-8; save the file as UTF-8") from None


class _Lines:
    """Where keys stand in a file; looked up only when somebody asks."""

    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text

    @cached_property
    def _lines(self) -> Mapping[Where, int]:
        return lines_of(self._text)

    def __call__(self, where: Where) -> str:
        for end in range(len(where), 0, -1):
            if line := self._lines.get(where[:end]):
                return f"{self._path}:{line}"
        return str(self._path)


def _no_toml(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    """With the line, but without its words: a password may be among them."""
    told = str(error)
    reason, _, place = told.rpartition(" (at ")
    if place.startswith("line "):
        line = place.removeprefix("line ").partition(",")[0]
    else:
        line = str(text.rstrip("\n").count("\n") + 1)
    hints = {
        "Invalid value": 'write texts in quotes: key = "text"',
        "Expected '='": "write key = value; texts stand in quotes",
        "Cannot overwrite": "this key is there twice: remove one",
        "Cannot declare": "this table is there twice: put the keys together",
        "Illegal character": "close the quotes in the same line",
        "Unterminated": "close the quotes",
        "Unclosed": "close the bracket",
        "Expected newline": "one key in each line; texts stand in quotes",
    }
    hint = next((words for begun, words in hints.items() if reason.startswith(begun)), "")
    return (
        f"{path}:{line}: {hint or _harmless(reason or told)}; correct this line, which is no TOML"
    )


def _harmless(reason: str) -> str:
    """The parser quotes at most a character or a key's name."""
    return reason[:100].lower()


def _from_credentials(directory: Path, root: Model) -> Source:
    """Files that systemd hands to the service, named by key: ``asterisk.password``."""
    values: dict[str, Any] = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        where = tuple(path.name.split("."))
        if len(where) < 2 or form_at(root, where[:1]) is None:
            continue  # of somebody else: a service may be given more
        if form_at(root, where) is None:
            raise BadSource(_unknown(f"credential {path.name}", root, where))
        _put(values, where, _only_line(path, f"credential {path.name}"))
    return Source(values, lambda where: f"credential {'.'.join(map(str, where))}")


def _from_environment(root: Model, given: Mapping[str, str]) -> Source:
    values: dict[str, Any] = {}
    names: dict[Where, str] = {}
    for name, text in given.items():
        where: Where = tuple(name.removeprefix(PREFIX).lower().split(LEVEL))
        secret = _named_by_file(root, where)
        if form_at(root, secret or where) is None:
            raise BadSource(_unknown(f"environment {name}", root, where))
        if secret:
            where, value = secret, _only_line(Path(text), f"environment {name}")
        else:
            value = _value(form_at(root, where), text)
        _put(values, where, value)
        names[where] = name

    def told(where: Where) -> str:
        for end in range(len(where), 0, -1):
            if name := names.get(where[:end]):
                return f"environment {name}"
        return "environment"

    return Source(values, told)


def _named_by_file(root: Model, where: Where) -> Where:
    """The key whose value is in a file, for ``<KEY>_FILE``; empty where none is meant."""
    *table, key = where
    if not str(key).endswith(FILE):
        return ()
    inner = (*table, str(key).removesuffix(FILE))
    known = form_at(root, inner)
    return inner if known is not None and not is_list_or_table(known) else ()


def _only_line(path: Path, told: str) -> str:
    """Its first line; others must not be able to read it, but in a container there are none."""
    try:
        if path.parent in {_CONTAINER_SECRETS, Path(os.environ.get(CREDENTIALS, "/nowhere"))}:
            return path.read_text(encoding="utf-8").split("\n")[0]
        return first_line(path, told)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        raise BadSource(f"{told}: {path}: {reason}") from None
    except ValueError as error:
        raise BadSource(str(error)) from None


def _value(form: Any, text: str) -> Any:
    """One value is taken as it is; lists and tables are written as JSON or TOML."""
    return parsed(text) if is_list_or_table(form) else text


def parsed(text: str) -> Any:
    """JSON, else TOML, else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except tomllib.TOMLDecodeError:
        return text


def _unknown(source: str, root: Model, where: Where) -> str:
    known: Where = ()
    while form_at(root, (*known, where[len(known)])) is not None:
        known = (*known, where[len(known)])
    hint = meant(root, (*known, where[len(known)]))
    told = f"{source}: there is no key {'.'.join(map(str, where))}; correct or remove it"
    return f"{told}: {hint}" if hint else told


def _put(values: dict[str, Any], where: Where, value: Any) -> None:
    *path, last = where
    for key in path:
        inner = values.setdefault(str(key), {})
        if not isinstance(inner, dict):
            inner = values[str(key)] = {}
        values = inner
    values[str(last)] = _merged(values.get(str(last)), value)


def _merged(low: Any, high: Any) -> Any:
    """Tables key by key, all else as the higher one says.

    A password there and a password_file below are one setting said twice: the higher one counts.
    """
    if not (isinstance(low, dict) and isinstance(high, Mapping)):
        return _copy(high)
    kept = {key: value for key, value in low.items() if not _replaced(key, high)}
    return kept | {key: _merged(kept.get(key), value) for key, value in high.items()}


def _replaced(key: str, high: Mapping[str, Any]) -> bool:
    other = key.removesuffix(FILE) if key.endswith(FILE) else key + FILE
    return key not in high and other in high


def _copy(value: Any) -> Any:
    return {key: _copy(one) for key, one in value.items()} if isinstance(value, dict) else value


def _found(values: Any, where: Where) -> bool:
    for key in where:
        match values, key:
            case dict(), str() if key in values:
                values = values[key]
            case list(), int() if key < len(values):
                values = values[key]
            case _:
                return False
    return bool(where)


def leaves(values: Mapping[str, Any], at: Where = ()) -> Iterator[tuple[Where, Any]]:
    """All values that are no tables, with their places."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, (*at, key))
        else:
            yield (*at, key), value
