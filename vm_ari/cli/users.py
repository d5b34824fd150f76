"""``vm-ari users``: who has a mailbox, and how it is set."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import (
    FAILED,
    PARTLY_FAILED,
    config_option,
    dry_run_option,
    on_users,
    output_option,
)
from vm_ari.cli.transfer import export, import_

if TYPE_CHECKING:
    from vm_ari.domain.entries import Entry
    from vm_ari.services.users import Change, Users

COLUMNS = ("id", "name", "mailbox", "numbers", "mail", "organisation", "pin")

who_argument = click.argument("who", nargs=-1, metavar="[USER]...")
pattern_option = click.option(
    "-u", "--user", "pattern", metavar="GLOB", default="", help="Whose id or address matches."
)
all_option = click.option("--all", "everybody", is_flag=True, help="All users.")
new_pin_option = click.option(
    "--new-pin", is_flag=True, help="Make a PIN; it is shown this once and never again."
)


@click.group()
def users() -> None:
    """Who has a mailbox, and how it is set.

    A USER is an id, or a number or mailbox in any spelling. Exit codes: 0 done, 1 refused,
    2 wrong usage, 3 configuration, 4 directory not reachable, 5 done for some users only.
    """


users.add_command(export)
users.add_command(import_)


@users.command("list")
@config_option
@output_option
@pattern_option
def list_(path: Path, form: str, pattern: str) -> None:
    """All users, or those whose id or address matches a pattern."""
    found = on_users(path, lambda desk: desk.select((), pattern, everybody=True))
    _show(found, form)


@users.command()
@config_option
@output_option
@click.argument("words", nargs=-1, required=True)
def search(path: Path, form: str, words: tuple[str, ...]) -> None:
    """Users who have all the WORDS somewhere in name, id, address or numbers."""
    _show(on_users(path, lambda desk: desk.search(words)), form)


@users.command()
@config_option
@output_option
@click.argument("user")
def show(path: Path, form: str, user: str) -> None:
    """What the directory itself says of a USER."""
    from vm_ari.cli.output import write

    row = _row(on_users(path, lambda desk: desk.find(user)))
    if form == "json":
        write([row], (), form)
        return
    settings = row.pop("settings")
    assert isinstance(settings, dict)
    pairs = [{"field": key, "value": value} for key, value in {**row, **settings}.items()]
    write(pairs, ("field", "value"), form)


@users.command()
@config_option
@output_option
@click.argument("user")
def effective(path: Path, form: str, user: str) -> None:
    """Every setting of a USER, and whose value it is."""
    from vm_ari.cli.output import write
    from vm_ari.domain.preferences import SETTINGS

    async def look(desk: "Users") -> list[dict[str, object]]:
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


@users.command()
@config_option
@dry_run_option
@click.argument("user_id", metavar="ID")
@click.argument("assignments", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--number", "numbers", multiple=True, help="In any spelling; up to three.")
@new_pin_option
def add(
    path: Path,
    dry_run: bool,
    user_id: str,
    assignments: tuple[str, ...],
    numbers: tuple[str, ...],
    new_pin: bool,
) -> None:
    """A new user, such as: add anna given=Anna surname=Berg --number 101 language=de."""
    wanted = dict(_pair(text) for text in assignments)

    async def make(desk: "Users") -> "tuple[Entry, str | None]":
        from vm_ari.services import users as service

        fields = {change.field: change.new for change in service.plan(_blank(user_id), wanted)}
        entry = await desk.prepare(service.with_fields(_blank(user_id, numbers), fields))
        there = await desk.register.all_entries()
        for _entry, reason in service.conflicts([entry], there):
            raise service.Refused(reason)
        pin = service.new_pin() if new_pin else None
        if not dry_run:
            await desk.register.add_entries([desk.with_pin(entry, pin)])
        return entry, pin

    entry, pin = on_users(path, make)
    click.echo(f"{entry.id}: {'would be added' if dry_run else 'added'}, {_described(entry)}")
    if pin and not dry_run:
        click.echo(f"{entry.id}: the PIN is {pin}")


@users.command("set")
@config_option
@dry_run_option
@pattern_option
@all_option
@click.argument("words", nargs=-1, metavar="[USER]... [KEY=VALUE]...")
@new_pin_option
def set_(
    path: Path, dry_run: bool, pattern: str, everybody: bool, words: tuple[str, ...], new_pin: bool
) -> None:
    """Set fields and settings; KEY= takes a user's own value away.

    Such as: set anna language=de mail=anna@example.com
    """
    who = tuple(word for word in words if "=" not in word)
    wanted = dict(_pair(word) for word in words if "=" in word)
    if not (wanted or new_pin):
        raise click.UsageError("Say what to set: KEY=VALUE, or --new-pin.")

    async def change(desk: "Users", entry: "Entry") -> str:
        from vm_ari.services.users import new_pin as make_pin
        from vm_ari.services.users import plan

        changes = plan(entry, wanted)
        pin = make_pin() if new_pin else None
        if not dry_run:
            await desk.apply(entry, changes)
            if pin:
                await desk.register.set_pin(entry.id, pin)
        told = _changes(changes)
        return f"{told}; the PIN is {pin}" if pin and not dry_run else told

    _each(path, (who, pattern, everybody), change)


@users.command()
@config_option
@dry_run_option
@pattern_option
@all_option
@who_argument
def enable(path: Path, dry_run: bool, pattern: str, everybody: bool, who: tuple[str, ...]) -> None:
    """Let voice mail answer for these users."""
    _each(path, (who, pattern, everybody), _switch(on=True, dry_run=dry_run))


@users.command()
@config_option
@dry_run_option
@pattern_option
@all_option
@who_argument
def disable(path: Path, dry_run: bool, pattern: str, everybody: bool, who: tuple[str, ...]) -> None:
    """Tell callers of these users that there is no mailbox."""
    _each(path, (who, pattern, everybody), _switch(on=False, dry_run=dry_run))


@users.command()
@config_option
@dry_run_option
@click.argument("user")
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
def assign(path: Path, dry_run: bool, user: str, numbers: tuple[str, ...]) -> None:
    """Give a USER more numbers, in any spelling."""
    _renumber(path, user, lambda own, given: (*own, *given), numbers, dry_run)


@users.command()
@config_option
@dry_run_option
@click.argument("user")
@click.argument("numbers", nargs=-1, required=True, metavar="NUMBER...")
def unassign(path: Path, dry_run: bool, user: str, numbers: tuple[str, ...]) -> None:
    """Take numbers away from a USER."""
    from vm_ari.services.users import without

    _renumber(path, user, without, numbers, dry_run)


@users.command()
@config_option
@dry_run_option
@pattern_option
@all_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@who_argument
def delete(
    path: Path, dry_run: bool, pattern: str, everybody: bool, yes: bool, who: tuple[str, ...]
) -> None:
    """Forget users with their numbers and PINs; messages stay where they are."""
    _need_somebody(who, pattern, everybody)
    found = on_users(path, lambda desk: desk.select(who, pattern, everybody=everybody))
    if not (yes or dry_run):
        names = ", ".join(entry.id for entry in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        click.confirm(f"Delete {names}{more}?", abort=True, err=True)

    async def remove(desk: "Users", entry: "Entry") -> str:
        if dry_run:
            return "would be deleted"
        await desk.register.remove_user(entry.id)
        return "deleted"

    _each(path, (tuple(entry.id for entry in found), "", False), remove)


def _each(
    path: Path,
    which: tuple[Sequence[str], str, bool],
    work: "Callable[[Users, Entry], Awaitable[str]]",
) -> None:
    """Do it for all, say what happened to each; some may fail."""
    from vm_ari.domain.directory_text import Unstorable
    from vm_ari.domain.preferences import BadSetting
    from vm_ari.ports import Taken, UnknownUser
    from vm_ari.services.users import Refused

    _need_somebody(*which)
    who, pattern, everybody = which
    refusals = (BadSetting, Refused, Taken, UnknownUser, Unstorable)

    async def story(desk: "Users") -> tuple[int, int]:
        found = await desk.select(who, pattern, everybody=everybody)
        failed = 0
        for entry in found:
            try:
                click.echo(f"{entry.id}: {await work(desk, entry)}")
            except refusals as error:
                click.echo(f"{entry.id}: {error}", err=True)
                failed += 1
        return len(found), failed

    total, failed = on_users(path, story)
    if not total:
        click.echo(f"No user matches {pattern or '--all'}.", err=True)
    if failed or not total:
        raise SystemExit(PARTLY_FAILED if failed < total else FAILED)


def _switch(*, on: bool, dry_run: bool) -> "Callable[[Users, Entry], Awaitable[str]]":
    async def switch(desk: "Users", entry: "Entry") -> str:
        from vm_ari.services.users import switched

        changes = switched(entry, on=on)
        if not dry_run:
            await desk.apply(entry, changes)
        return _changes(changes)

    return switch


def _renumber(
    path: Path,
    user: str,
    decide: Callable[[Sequence[str], Sequence[str]], Sequence[str]],
    numbers: Sequence[str],
    dry_run: bool,
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
    told = "no change" if old == new else _described(new)
    click.echo(f"{new.id}: {told}{' (dry run)' if dry_run else ''}")


def _need_somebody(who: Sequence[str], pattern: str, everybody: bool) -> None:
    if not (who or pattern or everybody):
        raise click.UsageError("Say for whom: USER, -u GLOB, or --all.")


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise click.UsageError(f"“{text}” is not KEY=VALUE.")
    return key.strip(), value


def _blank(user_id: str, numbers: Sequence[str] = ()) -> "Entry":
    from vm_ari.domain.entries import Entry

    return Entry(user_id, "", numbers=tuple(numbers))


def _changes(changes: "Sequence[Change]") -> str:
    if not changes:
        return "no change"
    return ", ".join(f"{c.field} {c.old or '-'} → {c.new or '-'}" for c in changes)


def _described(entry: "Entry") -> str:
    numbers = ", ".join(entry.numbers) or "none"
    return f"mailbox {entry.mailbox or 'none'}, numbers {numbers}"


def _show(found: "Sequence[Entry]", form: str) -> None:
    from vm_ari.cli.output import write

    write([_row(entry) for entry in found], COLUMNS, form)


def _row(entry: "Entry") -> dict[str, object]:
    """Everything but what is sealed."""
    return {
        "id": entry.id,
        "name": entry.name,
        "given": entry.given,
        "surname": entry.surname,
        "mailbox": entry.mailbox,
        "numbers": list(entry.numbers),
        "mail": entry.mail,
        "organisation": entry.organisation,
        "pin": "pin" in entry.sealed,
        "pin_failures": entry.pin_failures,
        "settings": dict(entry.settings),
    }
