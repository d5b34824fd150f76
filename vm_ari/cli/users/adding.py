"""Commands for one user: a new one, and its numbers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, dry_run_option, on_users, output_option
from vm_ari.cli.users.choosing import user_argument
from vm_ari.cli.users.each import UNCHANGED, Report, Result

if TYPE_CHECKING:
    from vm_ari.domain.entries import Entry
    from vm_ari.services.users import Users

Decide = Callable[[Sequence[str], Sequence[str]], Sequence[str]]

new_pin_option = click.option(
    "--new-pin", is_flag=True, help="Make a PIN; it is shown this once and never again."
)
_numbers_argument = click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")


@click.command()
@config_option
@dry_run_option
@output_option
@click.argument("user_id", metavar="ID")
@click.argument("assignments", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--number", "numbers", multiple=True, help="In any spelling; up to three.")
@new_pin_option
def add(
    path: Path,
    dry_run: bool,
    form: str,
    user_id: str,
    assignments: tuple[str, ...],
    numbers: tuple[str, ...],
    new_pin: bool,
) -> None:
    """A new user, such as: add anna given=Anna surname=Berg --number 101 language=de."""
    wanted = dict(pair(text) for text in assignments)

    async def make(desk: "Users") -> "tuple[Entry, str | None]":
        from vm_ari.domain.entries import Entry
        from vm_ari.services import users as service

        bare = Entry(user_id, "", numbers=tuple(numbers))
        fields = {change.field: change.new for change in service.plan(bare, wanted)}
        entry = await desk.prepare(service.with_fields(bare, fields))
        there = await desk.register.all_entries()
        for _entry, reason in service.conflicts([entry], there):
            raise service.Refused(reason)
        pin = service.new_pin() if new_pin else None
        if not dry_run:
            await desk.register.add_entries([desk.with_pin(entry, pin)])
        return entry, pin

    entry, pin = on_users(path, make)
    what = "would be added" if dry_run else "added"
    shown = "" if dry_run else pin or ""
    _tell(form, entry.id, Result(what, pin=shown, told=f"{what}, {described(entry)}"))


@click.command()
@config_option
@dry_run_option
@output_option
@user_argument
@_numbers_argument
def assign(path: Path, dry_run: bool, form: str, user: str, numbers: tuple[str, ...]) -> None:
    """Give a USER more numbers, in any spelling."""
    _renumber(path, user, lambda own, given: (*own, *given), numbers, dry_run, form)


@click.command()
@config_option
@dry_run_option
@output_option
@user_argument
@_numbers_argument
def unassign(path: Path, dry_run: bool, form: str, user: str, numbers: tuple[str, ...]) -> None:
    """Take numbers away from a USER."""
    from vm_ari.services.users import without

    _renumber(path, user, without, numbers, dry_run, form)


def _renumber(
    path: Path, user: str, decide: Decide, numbers: Sequence[str], dry_run: bool, form: str
) -> None:
    async def story(desk: "Users") -> "tuple[Entry, Entry]":
        from vm_ari.services.users import Refused, conflicts, renumbered

        old = await desk.find(user)
        new = renumbered(old, decide(old.numbers, desk.clean(numbers)), desk.house.site)
        others = [entry for entry in await desk.register.all_entries() if entry.id != old.id]
        for _entry, reason in conflicts([new], others):
            raise Refused(reason)
        if not dry_run:
            await desk.renumber(old, new.numbers)
        return old, new

    old, new = on_users(path, story)
    _tell(form, new.id, _renumbered(old, new, dry_run))


def _renumbered(old: "Entry", new: "Entry", dry_run: bool) -> Result:
    from vm_ari.services.user_import import changes_between

    if old == new:
        return Result(UNCHANGED)
    what = "would be changed" if dry_run else "changed"
    told = f"{described(new)}{' (dry run)' if dry_run else ''}"
    return Result(what, changes_between(old, new), told=told)


def _tell(form: str, user_id: str, result: Result) -> None:
    report = Report(form)
    report.note(user_id, result)
    report.write()


def pair(text: str) -> tuple[str, str]:
    """KEY=VALUE, in two."""
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"“{text}” is not KEY=VALUE.")
    return key.strip(), value


def described(entry: "Entry") -> str:
    """Under which numbers a user is reached."""
    numbers = ", ".join(entry.numbers) or "none"
    return f"mailbox {entry.mailbox or 'none'}, numbers {numbers}"
