"""``vm-ari asterisk``: our files in Asterisk's configuration, and whether all is right (OPS-01)."""

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.findings import tell
from vm_ari.cli.opening import (
    FAILED,
    config_option,
    configured,
    dry_run_option,
    fail,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.adapters.asterisk_conf.reading import Site
    from vm_ari.adapters.asterisk_conf.wishes import Chosen, Plan
    from vm_ari.domain.feature_codes import Codes
    from vm_ari.wiring.asterisk_conf import Prepared

directory_option = click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    default="/etc/asterisk",
    show_default=True,
    help="Asterisk's configuration directory.",
)


@click.group()
def asterisk() -> None:
    """Our files in Asterisk's configuration, and whether everything is as it should be."""


@asterisk.command("install-config")
@config_option
@directory_option
@click.option(
    "--flavour",
    type=click.Choice(["plain", "freepbx", "wazo"]),
    help="Who writes the configuration; found out by itself.",
)
@click.option("--diff", is_flag=True, help="Only show what would be changed, line by line.")
@click.option("--undo", is_flag=True, help="Take everything out again.")
@dry_run_option
@click.option("--codes", metavar="OWN,ANY", help="Star codes for remote inquiry, or “none”.")
@click.option("--phones", default="", metavar="CONTEXT", help="Where these codes are dialled.")
@click.option("--out", default="", metavar="CONTEXT", help="What dials for callers and users.")
@click.option(
    "--manager/--no-manager",
    default=None,
    help="An account of manager.conf, to follow calls (mails about missed calls).",
)
@click.option("--sounds", type=click.Path(path_type=Path), help="Another directory of prompts.")
@click.option("--language", default="", help="Of the prompts that are heard without us.")
@click.option(
    "--asterisk",
    "program",
    metavar="COMMAND",
    default="asterisk",
    show_default=True,
    help="How its console is called, to make it read its files again.",
)
@click.option("--reload/--no-reload", default=True, help="Make a running Asterisk read its files.")
def install_config(
    path: Path, directory: Path, diff: bool, undo: bool, dry_run: bool, **given: object
) -> None:
    """Put our files into use: by lines that include them, and never over anything.

    What says something is written to files of our own in DIRECTORY/vm_ari/; files of others get a
    marked block of a few lines at their end, of FreePBX only the *_custom.conf. A copy of each file
    is kept before it is changed; --undo takes the blocks out again and gives back every byte. It
    may be repeated: what is right already is not touched.

    Passwords for ari.conf and manager.conf are made, and written for the controller to conf.d/
    beside its configuration, unless it knows some already. Ends with 1 if it cannot be done.
    """
    from vm_ari.adapters.asterisk_conf.reading import NotConfigurable, Site

    site = Site(directory.absolute())
    only_tell = "diff" if diff else "list" if dry_run else ""
    try:
        if undo:
            _undo(site, path, only_tell, given)
        else:
            _install(site, path, only_tell, given)
    except NotConfigurable as error:
        fail(error, FAILED)
    except PermissionError as error:
        fail(f"{error.filename} may not be read: run this command as root (sudo)", FAILED)


@asterisk.command()
@config_option
@directory_option
@output_option
def check(path: Path, directory: Path, form: str) -> None:
    """Say what is wrong between Asterisk and us, and what to do.

    Modules, dialplan, our account at the REST interface, lamps, prompts, recordings, codecs, and
    the files in DIRECTORY as far as they may be read. Ends with 0 if all is well, 1 if something
    is wrong, 3 for the configuration itself, and 4 if Asterisk does not answer.
    """
    import asyncio

    from vm_ari.logs import logs_of_command
    from vm_ari.wiring.asterisk_check import examine_house

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            found = asyncio.run(examine_house(config, path, directory.absolute()))
    tell(found, form)


def _install(site: "Site", path: Path, only_tell: str, given: dict[str, object]) -> None:
    from vm_ari.adapters.asterisk_conf.steps import steps
    from vm_ari.wiring.asterisk_conf import prepare

    prepared = prepare(site, path, _said(given))
    if only_tell == "diff":
        _show_diff(prepared.plan)
        return
    click.echo(f"Asterisk's configuration in {site.directory} ({prepared.flavour})")
    _do(site, prepared.plan, only_tell, given)
    _tell_passwords(prepared, path)
    click.echo("What is left to do:")
    for number, step in enumerate(steps(site, prepared.flavour, prepared.wishes), 1):
        click.echo(f"  {number}. " + step.replace("\n", "\n     "))


def _undo(site: "Site", path: Path, only_tell: str, given: dict[str, object]) -> None:
    from vm_ari.wiring.asterisk_conf import prepare_removal

    plan = prepare_removal(site, path)
    if only_tell == "diff":
        _show_diff(plan)
        return
    if not plan.changes:
        click.echo(f"Nothing of ours is in {site.directory}.")
        return
    _do(site, plan, only_tell, given)


def _do(site: "Site", plan: "Plan", only_tell: str, given: dict[str, object]) -> None:
    """Change the files, say so, and have them read."""
    from vm_ari.adapters.asterisk_conf.writing import carry_out

    if not only_tell:
        carry_out(site, plan)
    for change in plan.changes:
        click.echo(f"  {change.deed:9}  {change.path}")
    for note in plan.notes:
        click.echo(f"Note: {note}")
    if only_tell:
        click.echo("Nothing is changed: this was a dry run.")
    elif plan.reload and given["reload"]:
        _reload(plan, str(given["program"]))
    elif plan.reload:
        click.echo("Asterisk reads its files with: asterisk -rx 'core reload'")


def _reload(plan: "Plan", program: str) -> None:
    from vm_ari.adapters.asterisk_conf.console import Console

    if Console(shlex.split(program)).reload(plan.reload):
        click.echo("Asterisk has read its files again.")
        return
    click.echo("No running Asterisk was reached: it reads its files when it starts.")


def _show_diff(plan: "Plan") -> None:
    for change in plan.changes:
        click.echo(change.diff(), nl=False)


def _tell_passwords(prepared: "Prepared", path: Path) -> None:
    if prepared.printed:
        click.echo(f"{path.parent} is not there yet. The controller's configuration needs:")
        click.echo(prepared.printed)


def _said(given: dict[str, object]) -> "Chosen":
    from vm_ari.adapters.asterisk_conf.wishes import Chosen

    codes, manager = str(given["codes"] or ""), given["manager"]
    return Chosen(
        codes=None if codes in ("", "none") else _codes(codes),
        no_codes=codes == "none",
        phones=_context(given["phones"], "--phones"),
        out=_context(given["out"], "--out"),
        manager=None if manager is None else bool(manager),
        sounds=str(Path(str(given["sounds"])).absolute()) if given["sounds"] else "",
        language=_language(str(given["language"])),
        flavour=str(given["flavour"] or ""),
    )


def _codes(text: str) -> "Codes":
    from vm_ari.domain.feature_codes import CODE, Codes

    own, _, other = (part.strip() for part in text.partition(","))
    if not CODE.fullmatch(own) or not CODE.fullmatch(other) or own == other:
        raise click.BadParameter("write two codes, such as *95,*96", param_hint="--codes")
    return Codes(own, other)


def _context(name: object, option: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{0,79}", str(name)):
        raise click.BadParameter("a context is letters, digits, - and _", param_hint=option)
    return str(name)


def _language(code: str) -> str:
    from vm_ari.speech.language import languages

    if code and code not in languages():
        raise click.BadParameter(f"there is {', '.join(languages())}", param_hint="--language")
    return code
