"""What the configuration may hold: its keys, and the form of their values, found in the models."""

import ast
import inspect
import types
from collections.abc import Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from enum import Enum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

Where = tuple[str | int, ...]
Model = type[BaseModel]


def table_of(annotation: Any) -> Model | None:
    """The model of a table, also of one that may be missing."""
    for one in _possible(annotation):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


def inside(annotation: Any, key: str | int) -> Any:
    """The form of what is one level below; None where nothing can be."""
    for one in _possible(annotation):
        if isinstance(one, type) and issubclass(one, BaseModel):
            field = one.model_fields.get(str(key))
            return field.annotation if field else None
        if get_origin(one) in {dict, Mapping}:
            return get_args(one)[1]
        if get_origin(one) in {tuple, list, frozenset}:
            return get_args(one)[0]
    return None


def form_at(root: Model, where: Where) -> Any:
    """The form of the value at a place; None where nothing can be."""
    form: Any = root
    for key in where:
        form = inside(form, key)
    return form


def field_at(root: Model, where: Where) -> FieldInfo | None:
    """What the table says of a key of its own."""
    table = table_of(form_at(root, where[:-1])) if where else None
    return table.model_fields.get(str(where[-1])) if table else None


def is_secret(form: Any) -> bool:
    """May nobody see it?"""
    return SecretStr in _possible(form)


def is_list_or_table(form: Any) -> bool:
    """Is it more than one value?"""
    many = {dict, Mapping, tuple, list, frozenset}
    return table_of(form) is not None or any(get_origin(one) in many for one in _possible(form))


def models(root: Model) -> Iterator[Model]:
    """Every table's model, also of those in lists and by name."""
    yield root
    for field in root.model_fields.values():
        form: Any = field.annotation
        while form is not None and table_of(form) is None:
            form = inside(form, 0)
        if table := table_of(form):
            yield from models(table)


def is_text(form: Any) -> bool:
    """Is it written in quotes?"""
    texts = {str, SecretStr, Path, Literal}
    enums = (isinstance(one, type) and issubclass(one, Enum) for one in _possible(form))
    return any(enums) or any((get_origin(one) or one) in texts for one in _possible(form))


def tables(root: Model, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Model]]:
    """Every table with its path; those of lists and by name are left out."""
    yield at, root
    for name, field in root.model_fields.items():
        if table := table_of(field.annotation):
            yield from tables(table, (*at, name))


def meant(root: Model, where: Where) -> str:
    """What an unknown key could have been meant to be, as a question; empty if nobody knows."""
    key, table = str(where[-1]), table_of(form_at(root, where[:-1]))
    if table and (near := get_close_matches(key, table.model_fields, n=1, cutoff=0.6)):
        return f"did you mean “{near[0]}”?"
    homes = [".".join(at) for at, one in tables(root) if at and key in one.model_fields]
    return f"did you mean it for [{homes[0]}]?" if len(homes) == 1 else ""


def expected(form: Any, field: FieldInfo | None) -> str:
    """In words: ``a whole number from 5 to 3600``."""
    if choices := choices_of(form):
        return _listed(choices)
    for one in _possible(form):
        match get_origin(one) or one:
            case builtin if builtin in _WORDS:
                return _WORDS[builtin] + _range(field)
            case model if isinstance(model, type) and issubclass(model, BaseModel):
                return "a table"
    return "something else"


def example_of(field: FieldInfo | None) -> Any:
    """A value that is possible, with which the key could be written; None if there is none."""
    if field is None or is_secret(field.annotation):
        return None
    if field.default_factory is None and field.default not in (None, "", ()):
        shown = plain(field.default)
        if not isinstance(shown, dict) and not field.is_required():
            return shown
    if any(getattr(limit, "pattern", None) for limit in field.metadata):
        return None
    choices = choices_of(field.annotation)
    return choices[0] if choices else _EXAMPLES.get(_kind(field.annotation))


def choices_of(form: Any) -> tuple[str, ...]:
    """The texts that a choice allows; of a list, for each of its values."""
    for one in _possible(form):
        if get_origin(one) is Literal:
            return tuple(str(value) for value in get_args(one))
        if isinstance(one, type) and issubclass(one, Enum):
            return tuple(str(member.value) for member in one)
    return ()


def plain(value: Any) -> Any:
    """As TOML holds it: texts, numbers, lists and tables."""
    made = value
    match value:
        case BaseModel():
            made = {key: plain(getattr(value, key)) for key in type(value).model_fields}
        case SecretStr():
            made = value.get_secret_value()
        case Enum():
            made = plain(value.value)
        case Path():
            made = str(value)
        case Mapping():
            made = {str(key): plain(one) for key, one in value.items()}
        case tuple() | list() | frozenset():
            made = [plain(one) for one in value]
    return made


@cache
def words_of(model: Model) -> Mapping[str, str]:
    """What the source says below each key; empty where the source is not at hand."""
    try:
        tree = ast.parse(inspect.getsource(model))
    except (OSError, TypeError, SyntaxError):
        return {}
    [body] = [node.body for node in tree.body if isinstance(node, ast.ClassDef)]
    words = {}
    for this, after in pairwise(body):
        match this, after:
            case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(str(text))):
                words[key] = _quoted(" ".join(text.split()))
    return words


def _quoted(text: str) -> str:
    """Marks of the source become quotation marks: each second one closes."""
    parts = text.split("``")
    opened = "".join(
        part + ("" if place == len(parts) - 1 else "“”"[place % 2])
        for place, part in enumerate(parts)
    )
    return opened.replace("\\\\", "\\")


def _possible(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, None left out."""
    if get_origin(annotation) in {Union, types.UnionType}:
        members = (_possible(one) for one in get_args(annotation) if one is not type(None))
        return tuple(one for each in members for one in each)
    return (annotation,)


def _kind(annotation: Any) -> Any:
    first = _possible(annotation)[0]
    return get_origin(first) or first


def _listed(choices: tuple[str, ...]) -> str:
    *others, last = choices
    return f"{', '.join(others)} or {last}" if others else last


def _range(field: FieldInfo | None) -> str:
    """Limits of a number, of field or value."""
    low = high = ""
    for limit in field.metadata if field else ():
        match limit:
            case Ge(ge=bound):
                low = f"{bound}"
            case Gt(gt=bound):
                low = f"more than {bound}"
            case Le(le=bound) | Lt(lt=bound):
                high = f"{bound}"
    if low and high:
        return f" from {low.removeprefix('more than ')} to {high}"
    if low:
        return f", {low}" if low.startswith("more") else f", at least {low}"
    return f", at most {high}" if high else ""


_WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    SecretStr: "a text in quotes",
    Path: "a path in quotes",
    date: "a date",
    tuple: "a list",
    list: "a list",
    frozenset: "a list",
    dict: "a table",
}
_EXAMPLES: Mapping[Any, Any] = {
    bool: True,
    int: 5,
    float: 1.5,
    str: "text",
    Path: "/path/to/file",
    date: date(2026, 1, 31),
    tuple: ["one", "two"],
    dict: {"name": "value"},
}
