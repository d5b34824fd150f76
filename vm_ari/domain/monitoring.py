"""What monitoring systems read: the one line of a plugin, and its exit code.

Source: the Monitoring Plugins Development Guidelines ("Plugin Output", "Performance data").
"""

from collections.abc import Mapping, Sequence
from enum import Enum

from vm_ari.domain.callers import printable

LONGEST = 1000
"""Characters that are told; older systems cut at 4 kB."""


class State(Enum):
    """The exit codes."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def plugin_line(state: State, told: Sequence[str], figures: Mapping[str, str]) -> str:
    """``VM-ARI OK: all is well | time=1.2s``: the first of what is *told*, and how much more.

    *figures* are ``value[unit][;warning[;critical]]``. No text can add figures of its own.
    """
    more = f" (and {len(told) - 1} more)" if len(told) > 1 else ""
    text = printable(" ".join(told[0].split()), LONGEST).replace("|", "/")
    data = " ".join(f"{name}={value}" for name, value in figures.items())
    return f"VM-ARI {state.name}: {text}{more}" + (f" | {data}" if data else "")
