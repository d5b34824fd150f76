"""Commands that only look at users."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, on_users, output_option
from vm_ari.cli.users.choosing import choosing, user_argument

if TYPE_CHECKING:
    from vm_ari.domain.entries import Entry
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users

COLUMNS = ("id", "name", "mailbox", "numbers", "mail", "organisation", "pin")

Row = dict[str, object]
columns_option = click.option(
    "--columns",
    metavar="A,B,…",
    default="",
    help="Fields and settings to show, such as id,numbers,locked,language,own.language.",
)


@click.command("list")
@config_option
@output_option
@columns_option
@choosing(needed=False)
def list_(path: Path, form: str, columns: str, wanted: "Selection") -> None:
    """All users, or those who are chosen.

    Of a setting it shows and compares the value that counts; own.SETTING is the user's own one.
    """
    asked = _checked_columns(columns)

    async def look(desk: "Users") -> list[Row]:
        return await _rows(desk, await desk.select(wanted), asked)

    _show(on_users(path, look), form, asked)


@click.command()
@config_option
@output_option
@columns_option
@click.argument("words", nargs=-1, required=True)
def search(path: Path, form: str, columns: str, words: tuple[str, ...]) -> None:
    """Users who have all the WORDS somewhere in name, id, address or numbers."""
    asked = _checked_columns(columns)

    async def look(desk: "Users") -> list[Row]:
        return await _rows(desk, await desk.search(words), asked)

    _show(on_users(path, look), form, asked)


@click.command()
@config_option
@output_option
@user_argument
def show(path: Path, form: str, user: str) -> None:
    """What the directory itself says of a USER."""
    from vm_ari.cli.output import write

    async def look(desk: "Users") -> list[Row]:
        return await _rows(desk, [await desk.find(user)], ())

    (row,) = on_users(path, look)
    if form == "json":
        write([row], (), form)
        return
    settings = row.pop("settings")
    assert isinstance(settings, dict)
    pairs = [{"field": key, "value": value} for key, value in {**row, **settings}.items()]
    write(pairs, ("field", "value"), form)


@click.command()
@config_option
@output_option
@user_argument
def effective(path: Path, form: str, user: str) -> None:
    """Every setting of a USER, and whose value it is."""
    from vm_ari.cli.output import write
    from vm_ari.domain.preferences import SETTINGS

    async def look(desk: "Users") -> list[Row]:
        decided = await desk.effective(await desk.find(user))
        return [
            {
                "setting": key,
                "value": SETTINGS[key].form.write(one.value),
                "origin": one.origin.value,
                "ignored": list(one.problems),
            }
            for key, one in decided.items()
        ]

    write(on_users(path, look), ("setting", "value", "origin", "ignored"), form)


def _checked_columns(text: str) -> tuple[str, ...]:
    from vm_ari.domain.user_fields import UnknownField, known_field

    try:
        return tuple(known_field(name.strip()) for name in text.split(",") if name.strip())
    except UnknownField as error:
        raise click.BadParameter(str(error), param_hint="--columns") from None


async def _rows(desk: "Users", entries: "Sequence[Entry]", asked: Iterable[str]) -> list[Row]:
    """The columns that were asked for, or everything but what is sealed."""
    from vm_ari.domain.user_fields import NAMES, value_of

    around = await desk.surroundings(entries)
    rows = []
    for entry, theirs in zip(entries, around, strict=True):
        row: Row = {name: value_of(entry, name, theirs) for name in asked or NAMES}
        rows.append(row if asked else {**row, "settings": dict(entry.settings)})
    return rows


def _show(rows: Sequence[Row], form: str, asked: Sequence[str]) -> None:
    from vm_ari.cli.output import write

    write(rows, asked or COLUMNS, form)
