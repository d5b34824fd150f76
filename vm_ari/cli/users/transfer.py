"""``vm-ari users export`` and ``import``: LDIF and CSV (DIR-06)."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, dry_run_option, fail, on_users, output_option
from vm_ari.cli.users.choosing import choosing

if TYPE_CHECKING:
    from vm_ari.services.user_import import Imported, Item
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users

format_option = click.option(
    "-f",
    "--format",
    "kind",
    type=click.Choice(["ldif", "csv"]),
    help="By default what the file's name ends with.",
)
_file_argument = click.argument(
    "file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True)
)


@click.command("export")
@config_option
@output_option
@format_option
@click.option(
    "--base",
    default="ou=people,dc=example,dc=com",
    show_default=True,
    help="LDIF: the entry below which the users are to be.",
)
@click.option(
    "--sealed", is_flag=True, help="With PINs and passwords, sealed: worthless without the keys."
)
@_file_argument
@choosing(needed=False)
def export(
    path: Path,
    form: str,
    kind: str | None,
    base: str,
    sealed: bool,
    file: Path,
    wanted: "Selection",
) -> None:
    """Write users to a FILE (- for standard output): all of them, or those who are chosen."""
    from vm_ari.adapters.user_files import write_csv, write_ldif
    from vm_ari.cli.output import write

    chosen = _kind(kind, file)
    if form != "table" and str(file) == "-":
        raise click.UsageError("Standard output takes the users or the report: name a FILE.")
    found = on_users(path, lambda desk: desk.select(wanted))
    lines = (
        write_csv(found, sealed=sealed)
        if chosen == "csv"
        else write_ldif(found, base, sealed=sealed)
    )
    if str(file) == "-":
        click.echo("".join(lines), nl=False)
        return
    try:
        _write_private(file, "".join(lines))
    except OSError as error:
        fail(f"{file}: {error.strerror}", 1)
    if form == "table":
        click.echo(f"{len(found)} users written to {file}", err=True)
        return
    report = [{"file": str(file), "format": chosen, "users": len(found), "sealed": sealed}]
    write(report, ("file", "format", "users", "sealed"), form)


@click.command("import")
@config_option
@dry_run_option
@output_option
@format_option
@click.option("--update", is_flag=True, help="Change users who are there already, too.")
@click.option("--legacy", is_flag=True, help="Take over IXI-UMS settings; PINs are sealed.")
@_file_argument
def import_(
    path: Path, dry_run: bool, form: str, kind: str | None, update: bool, legacy: bool, file: Path
) -> None:
    """Add the users of a FILE (- for standard input): all of them, or none.

    The first record that cannot be imported is named with its line and the reason. With --update,
    users who are there are changed; what the file does not say of them stays.
    """
    chosen = _kind(kind, file)
    raw = _read(file)

    async def story(desk: "Users") -> "Imported":
        from vm_ari.adapters.user_files import decoded, read_csv, read_ldif
        from vm_ari.cli.progress import progress
        from vm_ari.ports import BadRecord
        from vm_ari.services.user_import import Fate, UserImport
        from vm_ari.services.users import Refused

        work = UserImport(desk, legacy=legacy, update=update)
        read = read_csv if chosen == "csv" else read_ldif
        try:
            found = await work.check(read(decoded(raw)))
            total = len(found.items) - len(found.of(Fate.UNCHANGED))
            if not dry_run:
                with progress(total, "Importing") as advance:
                    await work.write(found, advance)
        except (BadRecord, Refused) as error:
            raise Refused(f"{file}, {error}\nNothing was imported.") from None
        return found

    found = on_users(path, story)
    for note in found.notes:
        click.echo(note, err=True)
    _report(found, form, dry_run=dry_run, update=update)


def _report(found: "Imported", form: str, *, dry_run: bool, update: bool) -> None:
    from vm_ari.cli.output import write

    would = "would be " if dry_run else ""
    if form != "table":
        rows = [_row(item, would, flat=form == "tsv") for item in found.items]
        write(rows, ("line", "user", "result", "changes"), form)
        return
    if dry_run:
        for item in found.items:
            click.echo(_line(item))
    if not update:
        click.echo(f"{len(found.items)} users {would}imported")
        return
    click.echo(_sums(found, would))


def _sums(found: "Imported", would: str) -> str:
    from vm_ari.services.user_import import Fate

    added, changed, same = (len(found.of(fate)) for fate in Fate)
    return f"{added} users {would}added, {changed} {would}changed, {same} unchanged"


def _line(item: "Item") -> str:
    from vm_ari.cli.users.adding import described
    from vm_ari.cli.users.each import written
    from vm_ari.services.user_import import Fate

    match item.fate:
        case Fate.ADDED:
            told = f"would be added, {described(item.new)}"
        case Fate.CHANGED:
            told = written(item.changes)
        case Fate.UNCHANGED:
            told = "no change"
    return f"{item.new.id}: {told}"


def _row(item: "Item", would: str, *, flat: bool) -> dict[str, object]:
    from vm_ari.cli.users.each import written
    from vm_ari.services.user_import import Fate

    changes = [{"field": c.field, "old": c.old, "new": c.new} for c in item.changes]
    fate = item.fate.value if item.fate is Fate.UNCHANGED else would + item.fate.value
    return {
        "line": item.line,
        "user": item.new.id,
        "result": fate,
        "changes": written(item.changes) if flat else changes,
    }


def _kind(kind: str | None, file: Path) -> str:
    chosen = kind or file.suffix.lower().removeprefix(".")
    if chosen not in {"ldif", "csv"}:
        raise click.UsageError("Say which format the file has: --format ldif, or --format csv.")
    return chosen


def _read(file: Path) -> bytes:
    from vm_ari.adapters.user_files import LARGEST

    try:
        with sys.stdin.buffer if str(file) == "-" else file.open("rb") as opened:
            return opened.read(LARGEST + 1)  # a device may never end
    except OSError as error:
        fail(f"{file}: {error.strerror}", 1)


def _write_private(file: Path, text: str) -> None:
    """Numbers and addresses of people are not for everybody on the machine.

    A disk that is full costs the new file, never an older one of that name.
    """
    import os

    if file.exists() and not file.is_file():  # a device or a pipe
        file.write_text(text, encoding="utf-8", newline="")
        return
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(handle)
        unfinished.replace(file)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
