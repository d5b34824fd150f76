"""``vm-ari greeting``: what callers of a mailbox hear (GREET-03, GREET-09)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.greeting_work import (
    end,
    export_file,
    import_file,
    language_option,
    on_greetings,
    owner_of,
    phone_option,
    record,
    row,
    show_one,
    show_rows,
    speak,
    until_option,
)
from vm_ari.cli.opening import config_option, output_option
from vm_ari.domain.greetings import GreetingKey, Slot

if TYPE_CHECKING:
    from vm_ari.services.greetings import GreetingBook

SLOTS = [slot.value for slot in Slot if slot is not Slot.GLOBAL]

user_argument = click.argument("user", shell_complete=user_ids)
profile_argument = click.argument("profile", type=click.Choice(SLOTS))


@click.group()
def greeting() -> None:
    """What callers of a mailbox hear.

    A USER is an id, or a number in any spelling; a PROFILE is one of work, mobile, home, vacation,
    custom-1, custom-2, internal, or name, the user's spoken name. Exit codes: 0 done, 1 refused,
    2 wrong usage, 3 configuration, 4 directory, greetings or voice not usable.
    """


@greeting.command("list")
@config_option
@output_option
@user_argument
def list_(path: Path, form: str, user: str) -> None:
    """All greetings of a USER."""
    owner = owner_of(path, user, "")
    found = on_greetings(path, lambda book: book.listed(owner.id))
    show_rows([row(one, owner.zone) for one in found], form)


@greeting.command()
@config_option
@output_option
@language_option
@user_argument
@profile_argument
def show(path: Path, form: str, language: str, user: str, profile: str) -> None:
    """One greeting: how long, from when and whence, and where its file is."""
    owner = owner_of(path, user, language)
    key = GreetingKey(owner.id, Slot(profile), owner.language)
    show_one(on_greetings(path, lambda book: book.find(key)), owner.zone, form)


@greeting.command("import")
@config_option
@output_option
@language_option
@until_option
@user_argument
@profile_argument
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def import_(
    path: Path, form: str, language: str, until: str | None, user: str, profile: str, file: Path
) -> None:
    """A sound FILE (WAV of any kind, MP3, Ogg, FLAC, AIFF …) becomes the greeting.

    Silence at both ends is cut off, and it becomes as loud as all others.
    """
    owner = owner_of(path, user, language)
    key = GreetingKey(owner.id, Slot(profile), owner.language)
    show_one(import_file(path, key, file, until, owner.zone), owner.zone, form)


@greeting.command()
@config_option
@language_option
@user_argument
@profile_argument
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def export(path: Path, language: str, user: str, profile: str, file: Path) -> None:
    """Write a greeting into a FILE (- for standard output): WAV, 16 kHz."""
    owner = owner_of(path, user, language)
    export_file(path, GreetingKey(owner.id, Slot(profile), owner.language), file)


@greeting.command()
@config_option
@language_option
@click.option("--all", "everything", is_flag=True, help="All of them, the name included.")
@user_argument
@click.argument("profile", type=click.Choice(SLOTS), required=False)
def delete(path: Path, language: str, everything: bool, user: str, profile: str | None) -> None:
    """Forget one greeting, or --all: callers hear what comes next in precedence."""
    if everything == (profile is not None):
        raise click.UsageError("Name a profile, or say --all.")
    owner = owner_of(path, user, language)
    if profile is None:
        count = on_greetings(path, lambda book: book.delete_all(owner.id))
        click.echo(f"{count} greetings of {owner.id} deleted")
        return
    key = GreetingKey(owner.id, Slot(profile), owner.language)
    on_greetings(path, lambda book: book.delete(key))
    click.echo(f"greeting “{profile}” ({owner.language}) of {owner.id} deleted")


@greeting.command("record")
@config_option
@output_option
@language_option
@phone_option
@user_argument
@profile_argument
def record_(path: Path, form: str, language: str, phone: str, user: str, profile: str) -> None:
    """Call a telephone and lead through the recording: speak, listen, keep.

    The dialling rules apply; a controller must be running.
    """
    owner = owner_of(path, user, language)
    key = GreetingKey(owner.id, Slot(profile), owner.language)
    show_one(record(path, key, phone), owner.zone, form)


@greeting.command()
@config_option
@output_option
@language_option
@until_option
@user_argument
@profile_argument
@click.argument("text")
def tts(
    path: Path, form: str, language: str, until: str | None, user: str, profile: str, text: str
) -> None:
    """Speak a TEXT (- for standard input) as the greeting."""
    owner = owner_of(path, user, language)
    key = GreetingKey(owner.id, Slot(profile), owner.language)
    show_one(speak(path, key, text, until, owner.zone), owner.zone, form)


@greeting.command()
@config_option
@output_option
@language_option
@user_argument
@profile_argument
@click.argument("when", metavar="DATE")
def expire(path: Path, form: str, language: str, user: str, profile: str, when: str) -> None:
    """Let a greeting end with a DATE such as 2026-12-31, a moment, or never.

    After it callers hear what comes next in precedence; the recording stays.
    """
    owner = owner_of(path, user, language)
    key = GreetingKey(owner.id, Slot(profile), owner.language)

    async def change(book: "GreetingBook") -> None:
        changed = await book.set_expiry(key, end(when, owner.zone))
        show_one(changed, owner.zone, form)

    on_greetings(path, change)
