"""What can be shown of a user, and by what users are chosen: fields and settings by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from vm_ari.domain.callers import printable
from vm_ari.domain.entries import PIN, Entry
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK, is_locked
from vm_ari.domain.preferences import SETTINGS, Layers, effective

OWN = "own."
"""Before a setting's key: the user's own value, empty where there is none."""
Value = str | bool | int | list[str]
FIELDS: Mapping[str, Callable[[Entry], Value]] = {
    "id": lambda entry: entry.id,
    "name": lambda entry: entry.name,
    "given": lambda entry: entry.given,
    "surname": lambda entry: entry.surname,
    "mailbox": lambda entry: entry.mailbox,
    "numbers": lambda entry: list(entry.numbers),
    "mail": lambda entry: entry.mail,
    "organisation": lambda entry: entry.organisation,
    "units": lambda entry: list(entry.units),
    "pin": lambda entry: PIN in entry.sealed,
    "pin_failures": lambda entry: entry.pin_failures,
}
"""Everything that the entry alone decides; nothing that is sealed."""
LOCKED = "locked"
NAMES = (*FIELDS, LOCKED)
"""Everything that is no setting."""


@dataclass(frozen=True)
class Surroundings:
    """What decides about a user beside the entry."""

    layers: Layers = field(default_factory=Layers)
    allowed_failures: int = FAILURES_BEFORE_LOCK


class UnknownField(ValueError):
    """There is no such field or setting. The text says which one was perhaps meant."""


def known_field(name: str) -> str:
    """The name as it is; raises `UnknownField`."""
    if name in NAMES or name in SETTINGS or name.removeprefix(OWN) in SETTINGS:
        return name
    possible = (*NAMES, *SETTINGS)
    near = get_close_matches(name[:40], possible, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(possible)}."
    raise UnknownField(f"There is no field or setting “{printable(name, 40)}”; {hint}")


def value_of(entry: Entry, name: str, around: Surroundings) -> Value:
    """A field of the user; of a setting, the value that counts."""
    if name in FIELDS:
        return FIELDS[name](entry)
    if name == LOCKED:
        return is_locked(entry.pin_failures, around.allowed_failures)
    if name.startswith(OWN):
        return entry.settings.get(name.removeprefix(OWN), "")
    setting = SETTINGS[name]
    return setting.form.write(effective(setting, around.layers).value)


def texts_of(value: Value) -> tuple[str, ...]:
    """A value as filters compare it."""
    match value:
        case bool():
            return ("yes" if value else "no",)
        case list():
            return tuple(value) or ("",)
    return (str(value),)
