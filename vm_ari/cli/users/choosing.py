"""The options by which users are chosen, the same for every command."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from vm_ari.cli.completing import user_ids

if TYPE_CHECKING:
    from vm_ari.services.user_selection import Selection

Command = Callable[..., None]

user_argument = click.argument("user", shell_complete=user_ids)
_OPTIONS = (
    click.option(
        "-u", "--user", "patterns", metavar="GLOB", multiple=True,
        help="Whose id or address matches; of several one is enough.",
    ),
    click.option(
        "--ou", "units", metavar="NAME", multiple=True,
        help="Whose organisation, or organisational unit in LDAP, is NAME.",
    ),
    click.option(
        "--filter", "filters", metavar="CONDITION", multiple=True,
        help='For whom it holds: "language=de and mail!=*@example.org".',
    ),
    click.option("--all", "everybody", is_flag=True, help="All users."),
)  # fmt: skip
_ARGUMENT = click.argument("named", nargs=-1, metavar="[USER]...", shell_complete=user_ids)


def choosing(*, needed: bool, named: bool = True) -> Callable[[Command], Command]:
    """Give a command the options, and their `Selection` as *wanted*.

    *needed*: whoever says nothing is asked to say for whom; otherwise that means everybody.
    *named*: users can be arguments.
    """

    def decorate(function: Command) -> Command:
        @wraps(function)
        def command(
            *args: Any,
            patterns: Sequence[str],
            units: Sequence[str],
            filters: Sequence[str],
            everybody: bool,
            **more: Any,
        ) -> None:
            wanted = _selection(more.pop("named", ()), patterns, units, filters, everybody)
            if needed:
                need_somebody(wanted)
            function(*args, wanted=wanted, **more)

        for decorator in reversed((*_OPTIONS, _ARGUMENT) if named else _OPTIONS):
            command = decorator(command)
        return command

    return decorate


def need_somebody(wanted: "Selection") -> None:
    """A forgotten argument must not mean everybody."""
    if not wanted:
        raise click.UsageError("Say for whom: USER, -u GLOB, --ou NAME, --filter, or --all.")


def _selection(
    named: Sequence[str],
    patterns: Sequence[str],
    units: Sequence[str],
    filters: Sequence[str],
    everybody: bool,
) -> "Selection":
    from vm_ari.domain.conditions import BadCondition, parse_conditions
    from vm_ari.services.user_selection import Selection

    try:
        conditions = tuple(one for text in filters for one in parse_conditions(text))
    except BadCondition as error:
        raise click.UsageError(str(error)) from None
    return Selection(tuple(named), tuple(patterns), tuple(units), conditions, everybody)
