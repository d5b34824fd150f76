"""Changing one key of the configuration file: its comments stay, and it is replaced in one step."""

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from vm_ari.config.keys import Model, Where, field_at, form_at, is_list_or_table, is_text, meant
from vm_ari.config.keys import table_of as _table_of
from vm_ari.config.sources import BadSource, parsed, text_of

_MODE = 0o600


class BadChange(Exception):
    """A change is not possible. The text says why."""


def where_of(root: Model, key: str) -> Where:
    """The place of ``section.key``. Raises `BadChange` for one that is not known."""
    where = tuple(key.strip().split("."))
    form = form_at(root, where)
    if form is None:
        hint = _hint(root, where)
        raise BadChange(f"{key}: there is no such key{f'; {hint}' if hint else ''}")
    if _table_of(form) is not None:
        raise BadChange(f"{key}: this is a table; name a key in it, such as {_example(key, form)}")
    return where


def value_of(root: Model, where: Where, texts: Sequence[str]) -> Any:
    """What is written into the file for these words of a command line."""
    form = form_at(root, where)
    if not is_list_or_table(form):
        text = " ".join(texts)
        return text if is_text(form) else parsed(text)
    first = parsed(texts[0]) if len(texts) == 1 else None
    return first if isinstance(first, list | dict) else list(texts)


def changed(text: str, where: Where, value: Any) -> str:
    """The text with another value at a place; None takes the key away. Raises `BadChange`."""
    document = tomlkit.parse(text)
    try:
        _put(document, where, value)
        made = tomlkit.dumps(document)
        as_wished = tomllib.loads(made) == _wished(tomllib.loads(text), where, value)
    except (TOMLKitError, tomllib.TOMLDecodeError, TypeError, KeyError):
        as_wished = False
    if not as_wished:  # no library may turn somebody's file into another one
        raise BadChange(f"{'.'.join(map(str, where))}: please write it into the file by hand")
    return made


def read(path: Path) -> str:
    """The present text; empty for a file that is not there. Raises `BadChange`."""
    try:
        return text_of(path) if path.exists() else ""
    except BadSource as error:
        raise BadChange(str(error)) from None


def replace(path: Path, text: str, *, was: str | None = None) -> None:
    """Give the file another content in one step; owner and mode stay, a new one is ours alone.

    Raises `BadChange` if it is not *was* any more, or cannot be written.
    """
    target = path.resolve()
    if was is not None and read(target) != was:
        raise BadChange(f"{path}: somebody else has just changed it; try again")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        _write(unfinished, text, target)
        unfinished.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise BadChange(f"{path}: {error.strerror}; nothing is changed") from None
    finally:
        unfinished.unlink(missing_ok=True)


def _write(path: Path, text: str, like: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, flags, _MODE), "w", encoding="utf-8") as file:
        if like.exists():
            state = like.stat()
            if (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), state.st_uid, state.st_gid)
            os.fchmod(file.fileno(), state.st_mode & 0o777)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _put(document: Any, where: Where, value: Any) -> None:
    *tables, last = where
    for key in tables:
        if key not in document:
            if value is None:
                return
            document[key] = tomlkit.table()
        document = document[key]
    if value is not None:
        document[last] = value
    elif last in document:
        del document[last]


def _wished(values: dict[str, Any], where: Where, value: Any) -> dict[str, Any]:
    inner, (*tables, last) = values, where
    for key in tables:
        if key not in inner and value is None:
            return values
        inner = inner.setdefault(str(key), {})
    inner.pop(str(last), None)
    if value is not None:
        inner[str(last)] = value
    return values


def _hint(root: Model, where: Where) -> str:
    for end in range(1, len(where) + 1):
        if form_at(root, where[:end]) is None:
            return meant(root, where[:end])
    return ""


def _example(key: str, form: Any) -> str:
    table = _table_of(form)
    names = [name for name in table.model_fields if field_at(table, (name,))] if table else []
    return f"{key}.{names[0]}" if names else key
