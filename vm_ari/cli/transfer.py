"""``vm-ari users export`` and ``import``: LDIF and CSV."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, dry_run_option, fail, on_users

if TYPE_CHECKING:
    from vm_ari.services.user_import import Imported
    from vm_ari.services.users import Users

format_option = click.option(
    "-f",
    "--format",
    "kind",
    type=click.Choice(["ldif", "csv"]),
    help="By default what the file's name ends with.",
)


@click.command("export")
@config_option
@format_option
@click.option("-u", "--user", "pattern", metavar="GLOB", default="", help="Only who matches.")
@click.option(
    "--base",
    default="ou=people,dc=example,dc=com",
    show_default=True,
    help="LDIF: the entry below which the users are to be.",
)
@click.option(
    "--sealed", is_flag=True, help="With PINs and passwords, sealed: worthless without the keys."
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def export(path: Path, kind: str | None, pattern: str, base: str, sealed: bool, file: Path) -> None:
    """Write users to a FILE (- for standard output)."""
    from vm_ari.adapters.user_files import write_csv, write_ldif

    chosen = _kind(kind, file)
    found = on_users(path, lambda desk: desk.select((), pattern, everybody=True))
    lines = (
        write_csv(found, sealed=sealed)
        if chosen == "csv"
        else write_ldif(found, base, sealed=sealed)
    )
    text = "".join(lines)
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        _write_private(file, text)
    except OSError as error:
        fail(f"{file}: {error.strerror}", 1)
    click.echo(f"{len(found)} users written to {file}", err=True)


@click.command("import")
@config_option
@dry_run_option
@format_option
@click.option("--legacy", is_flag=True, help="Take over IXI-UMS settings; PINs are sealed.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
def import_(path: Path, dry_run: bool, kind: str | None, legacy: bool, file: Path) -> None:
    """Add the users of a FILE (- for standard input): all of them, or none.

    The first record that cannot be imported is named with its line and the reason.
    """
    chosen = _kind(kind, file)
    raw = _read(file)

    async def story(desk: "Users") -> "Imported":
        from vm_ari.adapters.user_files import decoded, read_csv, read_ldif
        from vm_ari.cli.progress import progress
        from vm_ari.ports import BadRecord
        from vm_ari.services.user_import import UserImport
        from vm_ari.services.users import Refused

        work = UserImport(desk, legacy=legacy)
        read = read_csv if chosen == "csv" else read_ldif
        try:
            found, lines = await work.check(read(decoded(raw)))
            if not dry_run:
                with progress(len(found.entries), "Importing") as advance:
                    await work.write(found, lines, advance)
        except BadRecord as error:
            raise Refused(f"{file}, {error}\nNothing was imported.") from None
        return found

    found = on_users(path, story)
    for note in found.notes:
        click.echo(note, err=True)
    verb = "would be imported" if dry_run else "imported"
    click.echo(f"{len(found.entries)} users {verb}")


def _kind(kind: str | None, file: Path) -> str:
    chosen = kind or file.suffix.lower().removeprefix(".")
    if chosen not in {"ldif", "csv"}:
        raise click.UsageError("Say which format the file has: --format ldif, or --format csv.")
    return chosen


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}", 1)


def _write_private(file: Path, text: str) -> None:
    """Numbers and addresses of people are not for everybody on the machine."""
    import os

    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as opened:
        opened.write(text)
