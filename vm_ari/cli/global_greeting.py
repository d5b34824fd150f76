"""``vm-ari global-greeting``: one recording for all mailboxes (GREET-07)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.greeting_work import (
    Owner,
    export_file,
    import_file,
    language_option,
    on_greetings,
    phone_option,
    record,
    row,
    show_one,
    show_rows,
    site_owner,
    speak,
    until_option,
)
from vm_ari.cli.invite import invite
from vm_ari.cli.opening import config_option, output_option
from vm_ari.domain.greetings import SITE, GlobalMode, GreetingKey, Slot

if TYPE_CHECKING:
    from vm_ari.services.greetings import GreetingBook


@click.group("global-greeting")
def global_greeting() -> None:
    """One recording for all mailboxes, in each language.

    Exit codes: 0 done, 1 refused, 2 wrong usage, 3 configuration, 4 greetings or voice not usable.
    """


global_greeting.add_command(invite)


def _key(owner: Owner) -> GreetingKey:
    return GreetingKey(SITE, Slot.GLOBAL, owner.language)


@global_greeting.command()
@config_option
@output_option
def show(path: Path, form: str) -> None:
    """When it plays, and what there is."""
    owner = site_owner(path, "")
    mode = on_greetings(path, lambda book: book.global_mode())
    found = on_greetings(path, lambda book: book.listed(SITE))
    rows = [row(one, owner.zone) for one in found]
    if form == "json":
        from vm_ari.cli.output import write

        write([{"mode": mode.value, "greetings": rows}], (), form)
        return
    click.echo(f"mode: {mode.value}", err=form == "tsv")
    show_rows(rows, form)


@global_greeting.command("import")
@config_option
@output_option
@language_option
@until_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_(path: Path, form: str, language: str, until: str | None, file: Path) -> None:
    """A sound FILE (WAV of any kind, MP3, Ogg, FLAC, AIFF …) becomes the global greeting."""
    owner = site_owner(path, language)
    show_one(import_file(path, _key(owner), file, until, owner.zone), owner.zone, form)


@global_greeting.command()
@config_option
@language_option
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def export(path: Path, language: str, file: Path) -> None:
    """Write it into a FILE (- for standard output): WAV, 16 kHz."""
    export_file(path, _key(site_owner(path, language)), file)


@global_greeting.command("record")
@config_option
@output_option
@language_option
@phone_option
def record_(path: Path, form: str, language: str, phone: str) -> None:
    """Call a telephone and lead through the recording: speak, listen, keep."""
    owner = site_owner(path, language)
    show_one(record(path, _key(owner), phone), owner.zone, form)


@global_greeting.command()
@config_option
@output_option
@language_option
@until_option
@click.argument("text")
def tts(path: Path, form: str, language: str, until: str | None, text: str) -> None:
    """Speak a TEXT (- for standard input) as the global greeting."""
    owner = site_owner(path, language)
    show_one(speak(path, _key(owner), text, until, owner.zone), owner.zone, form)


@global_greeting.command()
@config_option
@click.argument("when", type=click.Choice([mode.value for mode in GlobalMode]), required=False)
def mode(path: Path, when: str | None) -> None:
    """Say, or decide, when it plays: off; if-none, where a mailbox has no greeting; always."""
    if when is not None:
        chosen = GlobalMode(when)
        on_greetings(path, lambda book: book.set_global_mode(chosen))
    current, recorded = on_greetings(path, _mode)
    click.echo(current.value)
    if current is not GlobalMode.OFF and not recorded:
        click.echo(
            "Nothing is recorded: callers hear it once there is a global greeting.", err=True
        )


async def _mode(book: "GreetingBook") -> tuple[GlobalMode, bool]:
    """When it plays, and is there anything that could play?"""
    return await book.global_mode(), bool(await book.listed(SITE))


@global_greeting.command()
@config_option
@language_option
def delete(path: Path, language: str) -> None:
    """Forget it in one language."""
    owner = site_owner(path, language)
    on_greetings(path, lambda book: book.delete(_key(owner)))
    click.echo(f"global greeting ({owner.language}) deleted")
