"""``vm-ari backup`` and ``restore``: one file that holds an installation (issue 10)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import FAILED, config_option, configured, dry_run_option, fail, reported

if TYPE_CHECKING:
    from vm_ari.adapters.backup.contents import Manifest, Root

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Its first line seals the secrets; else it is asked for.",
)
_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@config_option
@passphrase_option
@click.option("--without-secrets", is_flag=True, help="Leave configuration and keys out.")
@click.option("--messages", is_flag=True, help="The messages of the local store, too.")
@click.argument("file", type=_file)
def backup(
    path: Path, passphrase_file: Path | None, without_secrets: bool, messages: bool, file: Path
) -> None:
    """Put all that has to be kept into FILE (tar.gz), while everything runs.

    Databases, greetings, the spool with the messages that wait; configuration, keys, the portal's
    certificate and files with passwords in a part that is sealed with a passphrase: without it
    nobody can read them, and you cannot either. What is not in it is said at the end.
    """
    from vm_ari.wiring.backup import BackupFailed, back_up

    with reported():
        config = configured(path)
    passphrase = None if without_secrets else _passphrase(passphrase_file, new=True)
    with reported():
        try:
            made = back_up(config, path, file, passphrase, messages=messages)
        except BackupFailed as error:
            fail(f"No backup was made: {error}.", FAILED)
    click.echo(f"{file}: {len(made.digests)} files, {file.stat().st_size / 1_000_000:.1f} MB.")
    for one in made.left_out:
        click.echo(f"Not in it: {one}")


@click.command()
@passphrase_option
@click.option("--without-secrets", is_flag=True, help="Leave configuration and keys out.")
@click.option("--only", multiple=True, metavar="NAME", help="Nothing else; --dry-run names them.")
@click.option(
    "--root", "below", type=click.Path(path_type=Path, file_okay=False), default="/",
    show_default=True, help="Below this directory, to look into it.",
)  # fmt: skip
@dry_run_option
@click.argument("file", type=_file)
def restore(
    passphrase_file: Path | None,
    without_secrets: bool,
    only: Sequence[str],
    below: Path,
    dry_run: bool,
    file: Path,
) -> None:
    """Bring the backup FILE back to where everything was. Stop the controller before.

    Nothing is ever overwritten: where something is in its way, it says what, and does nothing. The
    whole file is read and compared with its digests before anything is written.
    """
    from vm_ari.wiring.backup import BackupFailed, bring_back, chosen, look_into, obstacles

    below = below.absolute()
    try:
        manifest = look_into(file)
        roots = chosen(manifest, only, secrets=not without_secrets)
        blocked = obstacles(roots, below)
        _tell(manifest, roots, below, dry_run=dry_run)
        if blocked:
            _refuse(blocked)
        if dry_run:
            return
        sealed = any(one.secret for one in roots)
        passphrase = _passphrase(passphrase_file, new=False) if sealed else None
        files = bring_back(file, manifest, roots, below, passphrase)
    except BackupFailed as error:
        fail(f"{file} was not restored: {error}.", FAILED)
    click.echo(f"{files} files were brought back; vm-ari check says whether all is well.")


def _tell(manifest: "Manifest", roots: "Sequence[Root]", below: Path, *, dry_run: bool) -> None:
    from vm_ari.adapters.backup.restoring import moved

    click.echo(f"A backup of vm-ari {manifest.version}, made {manifest.made}.")
    for one in roots if dry_run else ():
        count = sum(name.partition("/")[0] == one.name for name in manifest.digests)
        click.echo(f"would be brought back: {one.name}, {count} files to {moved(one.path, below)}")
    for text in manifest.left_out:
        click.echo(f"Not in it: {text}")


def _refuse(blocked: Sequence[Path]) -> None:
    for one in blocked:
        click.echo(f"in the way: {one}", err=True)
    fail("Nothing was changed: move these away, or restore elsewhere (--root).", FAILED)


def _passphrase(file: Path | None, *, new: bool) -> str:
    from vm_ari.adapters.backup.sealing import SHORTEST

    if file is not None:
        lines = file.read_text(encoding="utf-8").splitlines()
        given = lines[0].strip() if lines else ""
    else:
        given = click.prompt("Passphrase", hide_input=True, confirmation_prompt=new, err=True)
    if new and len(given) < SHORTEST:
        fail(f"A passphrase has {SHORTEST} characters at least; or write --without-secrets.", 2)
    return str(given)
