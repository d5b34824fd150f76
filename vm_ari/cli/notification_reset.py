"""``vm-ari notifications reset``: counters to zero, settings to default (NOTIFY-06)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import (
    FAILED,
    PARTLY_FAILED,
    UNREACHABLE,
    config_option,
    configured,
    dry_run_option,
    fail,
    on_users,
    output_option,
    reported,
)
from vm_ari.cli.users.choosing import choosing

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.domain.entries import Entry
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users

Row = dict[str, object]
COLUMNS = ("user", "counters", "settings", "reason")


@click.command()
@config_option
@dry_run_option
@output_option
@choosing(needed=True)
@click.option("--counters", is_flag=True, help="What is new now is no news any more.")
@click.option("--settings", is_flag=True, help="Users' own settings about notices go.")
@click.option(
    "--yes-i-mean", "meant", metavar="N", type=int,
    help="Do not ask: so many users are meant, and if it is another number nothing is changed.",
)  # fmt: skip
def reset(
    path: Path,
    dry_run: bool,
    form: str,
    wanted: "Selection",
    counters: bool,
    settings: bool,
    meant: int | None,
) -> None:
    """Begin anew with telling users of new messages.

    --counters: nothing is announced, and lamps are dark until as many new messages have come as
    the user wants to be told of. --settings: the organisation's and the site's values count again.
    How many users it is must be typed. Exit codes: as of “users”; 5 when some users failed.
    """
    if not counters and not settings:
        raise click.UsageError("Say what shall be reset: --counters, --settings, or both.")
    with reported():
        config = configured(path)
    found = on_users(path, lambda desk: desk.select(wanted))
    if not found:
        fail("Nobody is chosen by that; “vm-ari users list” shows all.", FAILED)
    _announce(found, counters=counters, settings=settings)
    if dry_run:
        _write([_row(entry, counters=counters, settings=settings) for entry in found], form)
        return
    _must_be_meant(len(found), meant)
    rows = [_row(entry, counters=False, settings=False) for entry in found]
    try:
        if counters:
            _counters(path, config, rows)
        if settings:
            _settings(path, found, rows)
    finally:
        _write(rows, form)
    _exit(rows)


def _announce(found: "Sequence[Entry]", *, counters: bool, settings: bool) -> None:
    from vm_ari.cli.welcome_reset_report import users_are

    click.echo(f"{users_are(len(found))} chosen.", err=True)
    if counters:
        click.echo("Their counters begin at zero; lamps are dark until something comes.", err=True)
    if settings:
        own = sum(bool(_own(entry)) for entry in found)
        click.echo(f"{own} of them have own settings about notices; these are removed.", err=True)


def _must_be_meant(count: int, meant: int | None) -> None:
    """Whoever does not know how many users it is has chosen others than he thinks."""
    from vm_ari.cli.welcome_reset_report import users_are

    if meant is None:
        meant = click.prompt(f"Type {count} to go on", type=int, err=True)
    if meant != count:
        fail(f"{users_are(count)} chosen, not {meant}; nothing was changed.", FAILED)


def _own(entry: "Entry") -> list[str]:
    """Keys of the user's own settings about notices."""
    from vm_ari.domain.preferences import ABOUT_NOTICES

    return [setting.key for setting in ABOUT_NOTICES if setting.key in entry.settings]


def _row(entry: "Entry", *, counters: bool, settings: bool) -> Row:
    own = _own(entry) if settings else []
    return {"user": entry.id, "counters": counters, "settings": own, "reason": ""}


def _counters(path: Path, config: "Config", rows: list[Row]) -> None:
    """What has been reset already takes no harm from a second time."""
    from vm_ari.domain.notifications import Tally
    from vm_ari.ports import NoticeBookUnavailable

    async def work(_desk: "Users") -> None:
        from vm_ari.wiring.notifications import open_notice_book

        book = open_notice_book(config)
        try:
            await book.change(Tally.reset, [str(row["user"]) for row in rows])
        finally:
            await book.close()

    try:
        on_users(path, work)
    except NoticeBookUnavailable as error:
        fail(f"{error}; say it again, perhaps not all counters are at zero.", UNREACHABLE)
    for row in rows:
        row["counters"] = True


def _settings(path: Path, found: "Sequence[Entry]", rows: list[Row]) -> None:
    """One user after the other; what fails is said, and the others go on."""

    async def work(desk: "Users") -> None:
        from vm_ari.domain.directory_text import Unstorable
        from vm_ari.ports import DirectoryReadOnly, DirectoryUnavailable, UnknownUser

        for entry, row in zip(found, rows, strict=True):
            own = _own(entry)
            try:
                if own:
                    await desk.register.change_settings(entry.id, dict.fromkeys(own))
                row["settings"] = own
            except DirectoryReadOnly:
                raise
            except (UnknownUser, Unstorable, DirectoryUnavailable) as error:
                row["reason"] = str(error)

    on_users(path, work)


def _write(rows: Sequence[Row], form: str) -> None:
    from vm_ari.cli.output import write

    if form != "table":
        write(rows, COLUMNS, form)
        return
    zero = sum(bool(row["counters"]) for row in rows)
    removed = sum(bool(row["settings"]) for row in rows)
    failed = sum(bool(row["reason"]) for row in rows)
    click.echo(f"{zero} counters at zero, {removed} settings removed, {failed} failed")
    for row in rows:
        if row["reason"]:
            click.echo(f"{row['user']}: {row['reason']}", err=True)


def _exit(rows: Sequence[Row]) -> None:
    failed = sum(bool(row["reason"]) for row in rows)
    if failed:
        raise SystemExit(FAILED if failed == len(rows) else PARTLY_FAILED)
