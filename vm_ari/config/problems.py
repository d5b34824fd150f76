"""What is wrong with a configuration, for whoever wrote it: where, what, and what to write."""

import json
import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import Any

from pydantic import SecretStr, ValidationError

from vm_ari.config.keys import (
    Model,
    Where,
    choices_of,
    example_of,
    expected,
    field_at,
    form_at,
    is_secret,
    meant,
    table_of,
)
from vm_ari.config.sources import Given
from vm_ari.domain.callers import printable

_LONGEST_VALUE = 40
_OWN_WORDS = {"value_error", "assertion_error"}
_OF_A_TEXT = {"string_pattern_mismatch", "string_too_short", "string_too_long", "too_short"}
_PATTERNS: Mapping[str, str] = {
    "^[A-Z]{2}$": "write two capital letters",
    r"^(\+[0-9]{2,14})?$": "write + and digits",
    "^([1-9][0-9]{0,5})?$": "write up to six digits, without the first 0",
    "^[0-9]{0,3}$": "write up to three digits",
}


def explained(error: ValidationError, root: Model, given: Given) -> str:
    """A line for each problem."""
    return "\n".join(_line(problem, root, given) for problem in error.errors(include_url=False))


def _line(problem: Any, root: Model, given: Given) -> str:
    where: Where = problem["loc"]
    key = ".".join(str(part) for part in where)
    told = _sentence(problem, root, where, key)
    return f"{given.origin(where)}: {key}: {told}" if key else f"{given.main}: {told}"


def _sentence(problem: Any, root: Model, where: Where, key: str) -> str:
    kind, hint = problem["type"], ""
    if kind == "extra_forbidden":
        hint = meant(root, where)
        told = "unknown key; remove it or correct its spelling"
        return f"{told}: {hint}" if hint else told
    if kind == "missing" and len(where) == 1:
        return f"is missing; add the table [{key}] (docs/{key}.md shows one)"
    if kind == "missing":
        return "is missing; add it"
    if kind in _OWN_WORDS:
        return str(problem["msg"]).removeprefix("Value error, ")
    return _wrong_form(problem, root, where)


def _wrong_form(problem: Any, root: Model, where: Where) -> str:
    form, field = form_at(root, where), field_at(root, where)
    value, name = problem["input"], str(where[-1])
    shown = "" if is_secret(form) else _shown(value)
    if problem["type"] in _OF_A_TEXT:
        wanted = _PATTERNS.get(str(problem["ctx"].get("pattern")), problem["msg"].lower())
        return f"{shown}: {wanted}" if shown else str(wanted)
    if isinstance(value, str) and (near := get_close_matches(value, choices_of(form), n=1)):
        return f"{shown} does not fit: did you mean “{near[0]}”?"
    wanted = f"write {expected(form, field)}"
    if isinstance(value, bool | int | float) and _is_text(form):
        wanted = "a text is needed; put it in quotes"
    example = example_of(field)
    if example is not None and isinstance(where[-1], str) and table_of(form) is None:
        wanted += f", such as {name} = {toml(example)}"
    return f"{shown} does not fit; {wanted}" if shown else wanted


def _is_text(form: Any) -> bool:
    return form is str or form is SecretStr


def _shown(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return f"“{printable(without_password(value), _LONGEST_VALUE)}”"
        case int() | float() | date():
            return str(value)
        case dict():
            return "a table"
        case list() | tuple():
            return "a list"
    return ""


def without_password(text: str) -> str:
    """An address, such as that of a database, as others may see it."""
    return re.sub(r"(://[^/@:\s]*):[^/\s]*@", r"\1:********@", text)


def toml(value: Any) -> str:
    """One value as TOML, in one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case date():
            return value.isoformat()
        case list() | tuple():
            return f"[{', '.join(toml(one) for one in value)}]"
        case dict():
            pairs = ", ".join(f"{toml_key(key)} = {toml(one)}" for key, one in value.items())
            return f"{{ {pairs} }}" if pairs else "{}"
    return str(value)


def toml_key(key: str) -> str:
    """A key as TOML: quoted where it must be."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml(key)
