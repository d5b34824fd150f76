"""Commands that change many users, or forget them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.api_token import end_tokens
from vm_ari.cli.opening import config_option, dry_run_option, output_option
from vm_ari.cli.users.adding import new_pin_option, pair
from vm_ari.cli.users.choosing import choosing, need_somebody
from vm_ari.cli.users.each import UNCHANGED, Report, Result, Work, for_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_ari.domain.entries import Entry
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Change, Users


@click.command("set")
@config_option
@dry_run_option
@output_option
@click.argument("words", nargs=-1, metavar="[USER]... [KEY=VALUE]...")
@choosing(needed=False, named=False)
@new_pin_option
def set_(
    path: Path,
    dry_run: bool,
    form: str,
    words: tuple[str, ...],
    wanted: "Selection",
    new_pin: bool,
) -> None:
    """Set fields and settings; KEY= takes a user's own value away.

    Such as: set anna language=de mail=anna@example.com
    """
    from dataclasses import replace

    who = replace(wanted, named=tuple(word for word in words if "=" not in word))
    need_somebody(who)
    new = dict(pair(word) for word in words if "=" in word)
    if not (new or new_pin):
        raise click.UsageError("Say what to set: KEY=VALUE, or --new-pin.")

    async def change(desk: "Users", entry: "Entry") -> Result:
        from vm_ari.adapters.system_clock import SystemClock
        from vm_ari.services.logins import renew_pin
        from vm_ari.services.users import plan

        changes = plan(entry, new)
        if dry_run:
            return _result(changes, dry_run=True)
        await desk.apply(entry, changes)
        if not new_pin:
            return _result(changes)
        numbers = (*entry.numbers, entry.mailbox)
        pin = await renew_pin(
            desk.register, entry.id, desk.house.logins, numbers, SystemClock(), one_time=False
        )
        return Result("changed", changes, pin)

    for_each(path, who, Report(form), change)


@click.command()
@config_option
@dry_run_option
@output_option
@choosing(needed=True)
def enable(path: Path, dry_run: bool, form: str, wanted: "Selection") -> None:
    """Let voice mail answer for these users."""
    for_each(path, wanted, Report(form), _switch(on=True, dry_run=dry_run))


@click.command()
@config_option
@dry_run_option
@output_option
@choosing(needed=True)
def disable(path: Path, dry_run: bool, form: str, wanted: "Selection") -> None:
    """Tell callers of these users that there is no mailbox."""
    for_each(path, wanted, Report(form), _switch(on=False, dry_run=dry_run))


@click.command()
@config_option
@dry_run_option
@output_option
@choosing(needed=True)
def unlock(path: Path, dry_run: bool, form: str, wanted: "Selection") -> None:
    """Forget the wrong PINs of users, so that they may log in again.

    Such as: unlock anna; or: unlock --filter locked=yes
    """

    async def work(desk: "Users", entry: "Entry") -> Result:
        from vm_ari.services.users import Change

        if not entry.pin_failures:
            return Result(UNCHANGED)
        if not dry_run:
            await desk.register.unlock(entry.id)
        return _result((Change("pin_failures", str(entry.pin_failures), "0"),), dry_run=dry_run)

    for_each(path, wanted, Report(form), work)


@click.command()
@config_option
@dry_run_option
@output_option
@click.option("-k", "--key", "keys", metavar="SETTING", multiple=True, help="Only these settings.")
@click.option(
    "--inherit", is_flag=True, help="Take users' own values away instead: the site's count."
)
@choosing(needed=True)
def distribute(
    path: Path,
    dry_run: bool,
    form: str,
    keys: tuple[str, ...],
    inherit: bool,
    wanted: "Selection",
) -> None:
    """Write the site's defaults into users as values of their own.

    All that the configuration sets for everybody, or the settings named by -k. Users keep these
    values when the site's change; with --inherit they have none of their own any more, and follow.
    """

    async def work(desk: "Users", entry: "Entry") -> Result:
        from vm_ari.services.distribution import distributed, inheriting, site_values

        decide = inheriting if inherit else distributed
        changes = decide(entry, site_values(desk.house, keys))
        if not dry_run:
            await desk.apply(entry, changes)
        return _result(changes, dry_run=dry_run)

    report = Report(form, brief=not dry_run, closing=True)
    for_each(path, wanted, report, work)


@click.command()
@config_option
@dry_run_option
@output_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@choosing(needed=True)
def delete(path: Path, dry_run: bool, form: str, yes: bool, wanted: "Selection") -> None:
    """Forget users with their numbers and PINs; messages stay where they are."""

    def ask(found: "Sequence[Entry]") -> None:
        if yes or dry_run or not found:
            return
        names = ", ".join(entry.id for entry in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        click.confirm(f"Delete {names}{more}?", abort=True, err=True)

    removed: list[str] = []

    async def remove(desk: "Users", entry: "Entry") -> Result:
        if dry_run:
            return Result("would be deleted")
        await desk.register.remove_user(entry.id)
        removed.append(entry.id)
        return Result("deleted")

    try:
        for_each(path, wanted, Report(form), remove, before=ask)
    finally:
        if removed:
            end_tokens(path, removed)


def _switch(*, on: bool, dry_run: bool) -> Work:
    async def switch(desk: "Users", entry: "Entry") -> Result:
        from vm_ari.services.users import switched

        changes = switched(entry, on=on)
        if not dry_run:
            await desk.apply(entry, changes)
        return _result(changes, dry_run=dry_run)

    return switch


def _result(changes: "Sequence[Change]", *, dry_run: bool = False) -> Result:
    if not changes:
        return Result(UNCHANGED)
    return Result("would be changed" if dry_run else "changed", changes)
