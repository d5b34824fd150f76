"""The configuration as it counts, written down: as TOML with secrets masked, and as JSON schema."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vm_ari.config.keys import Where, field_at, is_secret, models, plain, words_of
from vm_ari.config.problems import toml, toml_key, without_password
from vm_ari.config.sources import Given

MASK = "********"


@dataclass(frozen=True)
class Wish:
    """What of it is shown."""

    changed_only: bool = False
    """Nothing that is as it would be without being written."""
    origins: bool = False
    """Who says so, behind each value."""


def values_of(config: BaseModel, wish: Wish) -> dict[str, Any]:
    """As tables of plain values, without secrets."""
    shown: dict[str, Any] = {}
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        if value is None or (wish.changed_only and value == _default(field)):
            continue
        if isinstance(value, BaseModel):
            inner = values_of(value, wish)
            if inner or not wish.changed_only:
                shown[name] = inner
        else:
            shown[name] = _masked(field, value, wish)
    return shown


def listing(config: BaseModel, given: Given, wish: Wish) -> Iterator[str]:
    """Lines of TOML."""
    yield from _table((), values_of(config, wish), type(config), given, wish)


def _masked(field: FieldInfo, value: Any, wish: Wish) -> Any:
    """Passwords, and those inside addresses of databases."""
    if is_secret(field.annotation):
        return MASK if plain(value) else ""
    match value:
        case BaseModel():
            return values_of(value, wish)
        case Mapping():
            return {key: _masked(field, one, wish) for key, one in value.items()}
        case tuple() | list() | frozenset():
            return [_masked(field, one, wish) for one in value]
        case str():
            return without_password(plain(value))
    return plain(value)


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True, validated_data={})


def _table(
    at: Where, values: Mapping[str, Any], root: type[BaseModel], given: Given, wish: Wish
) -> Iterator[str]:
    """Its own keys first, then what is below: another order would change the meaning."""
    below = {key: value for key, value in values.items() if _is_table(value)}
    own = [(key, value) for key, value in values.items() if key not in below]
    if at and (own or not below):
        yield f"[{_name(at)}]"
    for key, value in own:
        line = f"{toml_key(key)} = {toml(value)}"
        yield f"{line}  # {_origin((*at, key), root, given)}" if wish.origins else line
    if own or (at and not below):
        yield ""
    for key, value in below.items():
        yield from _below((*at, key), value, root, given, wish)


def _below(at: Where, value: Any, root: type[BaseModel], given: Given, wish: Wish) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _table(at, value, root, given, wish)
        return
    for place, one in enumerate(value):
        first, *rest = [*_table((*at, place), one, root, given, wish)] or ["", ""]
        yield f"[{first}]" if first else f"[[{_name(at)}]]"
        yield from rest


def _name(at: Where) -> str:
    """Places in lists are no part of a header."""
    return ".".join(toml_key(part) for part in at if isinstance(part, str))


def _is_table(value: object) -> bool:
    several = isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) or several


def _origin(where: Where, root: type[BaseModel], given: Given) -> str:
    if said := given.said(where):
        return said
    return "default" if field_at(root, where) else given.origin(where)


def schema_of(root: type[BaseModel]) -> dict[str, Any]:
    """JSON schema for editors: what there may be, with what the documentation says of it."""
    schema = root.model_json_schema(mode="validation")
    described = {model.__name__: words_of(model) for model in models(root)}
    for name, one in {root.__name__: schema, **schema.get("$defs", {})}.items():
        for key, text in described.get(name, {}).items():
            one["properties"][key].setdefault("description", text)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "vm-ari.toml",
    }
