"""``vm-ari pin``: how good the PINs are, and how old they may become (LOGIN-02, LOGIN-04)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import (
    FAILED,
    PARTLY_FAILED,
    config_option,
    configured,
    directory_of,
    dry_run_option,
    fail,
    on_users,
    output_option,
    reported,
)
from vm_ari.cli.users.choosing import choosing
from vm_ari.cli.users.each import UNCHANGED, Report, Result, for_each

if TYPE_CHECKING:
    from vm_ari.domain.entries import Entry
    from vm_ari.services.login_notices import Sums
    from vm_ari.services.pin_audit import Audit
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users

COLUMNS = ("user", "findings", "set", "ends")


@click.group()
def pin() -> None:
    """How good the PINs of telephone logins are, and how old they may become."""


@pin.command()
@config_option
@output_option
@click.option("--all-users", "whole", is_flag=True, help="Also those with whom all is well.")
@choosing(needed=False)
def audit(path: Path, form: str, whole: bool, wanted: "Selection") -> None:
    """Whose PIN is missing, weak, expired or locked; no PIN is shown.

    Exit code 5, when there is somebody.
    """
    from vm_ari.cli.output import write

    found = on_users(path, lambda desk: _audited(desk, wanted))
    rows = [_row(one) for one in found if one.findings or whole]
    write(rows, COLUMNS, form)
    if any(one.findings for one in found):
        raise SystemExit(PARTLY_FAILED)


@pin.command()
@config_option
@dry_run_option
@output_option
@choosing(needed=True)
def expire(path: Path, dry_run: bool, form: str, wanted: "Selection") -> None:
    """Demand a new PIN of users at their next login.

    Such as: expire --all; the present PINs hold until then.
    """

    async def work(desk: "Users", entry: "Entry") -> Result:
        from vm_ari.domain.login_state import state_of, to_be_changed
        from vm_ari.services.users import Change

        state = state_of(entry)
        if to_be_changed(state) == state:
            return Result(UNCHANGED)
        if not dry_run:
            await desk.register.change_login(entry.id, to_be_changed)
        changes = (Change("pin_change", "", "yes"),)
        return Result("would be changed" if dry_run else "changed", changes)

    for_each(path, wanted, Report(form, closing=True), work)


@pin.command()
@config_option
def reminders(path: Path) -> None:
    """Tell users whose PIN ends soon, or whose login is locked, each thing once.

    The controller does this by itself every day; the mails go out while it runs.
    """
    with reported():
        config = configured(path)
    sums = on_users(path, lambda desk: _reminded(path, desk))
    click.echo(f"{sums.reminded} reminded, {sums.locks_told} told of a lock")
    if sums.dated:
        click.echo(f"{sums.dated} PINs of unknown age count from today")
    if sums.failed:
        fail(f"{sums.failed} users could not be told; see above.", FAILED)
    if not config.logins.pin_days:
        click.echo("PINs never end: set pin_days in [logins].", err=True)


async def _audited(desk: "Users", wanted: "Selection") -> "list[Audit]":
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.cli.progress import progress
    from vm_ari.services.pin_audit import audit as look

    entries = await desk.select(wanted)
    with progress(len(entries), "Looking") as advance:
        return await look(desk.register, entries, desk.house.logins, SystemClock(), advance)


async def _reminded(path: Path, desk: "Users") -> "Sums":
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.services.login_notices import LoginNotices
    from vm_ari.wiring.mail import open_post

    register = directory_of(desk)
    config, clock = configured(path), SystemClock()
    keys = KeyRing(config.directory.keys)
    post = open_post(config, keys, clock, register, register)
    rules = desk.house.logins
    try:
        return await LoginNotices(register, register, post.mails, clock, rules).round()
    finally:
        await post.close()


def _row(one: "Audit") -> dict[str, object]:
    from vm_ari.domain.login_state import stamp

    return {
        "user": one.user,
        "findings": ", ".join(one.findings),
        "set": stamp(one.pin_set) if one.pin_set else "",
        "ends": stamp(one.ends) if one.ends else "",
    }
