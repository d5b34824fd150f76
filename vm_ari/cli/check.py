"""``vm-ari check``: what is wrong with the connections, in one line each (MAIL-07)."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.findings import tell
from vm_ari.cli.opening import config_option, configured, output_option, reported

if TYPE_CHECKING:
    from vm_ari.adapters.findings import Finding
    from vm_ari.config import Config
    from vm_ari.wiring.check import Part

PARTS = (
    "configuration, keys, clock, directory, ldap, imap, smtp, asterisk, lamps, watching, ringing, "
    "spool, store, sounds, voice, recognition, dialling, mail-texts, notices, sms, webhook, "
    "site-mails, faxes, conferences, spoken-messages, portal, journal, log"
)


@click.command()
@config_option
@output_option
@click.option("--only", metavar="PART[,PART]...", help=f"Look at nothing else: {PARTS}.")
@click.option("--fix", is_flag=True, help="Do what is safe by itself, and look again.")
@click.option("--nagios", is_flag=True, help="One line for a monitoring system; ends with 0 to 3.")
def check(path: Path, form: str, only: str | None, fix: bool, nagios: bool) -> None:
    """Say what is wrong with the connections, and what to do.

    Everything that is configured is looked at side by side; nothing is changed. Run as root it
    judges files with the eyes of the controller's account. Ends with 0 if all is well, 1 if
    something is wrong, 3 for the configuration itself, and 4 if a directory, mail server or
    Asterisk does not answer at all.

    --fix makes directories that are missing, takes rights away from others, loads modules of
    Asterisk and reloads the dialplan: each said before it is done. It removes nothing.
    """
    chosen = _parts(only) if only else None
    if nagios:
        _tell_nagios(path, chosen)
    with reported():
        config = configured(path)
        found = _examined(config, chosen, path)
        if fix and any(one.mending for one in found):
            _mend(found)
            found = _examined(config, chosen, path)
    tell(found, form)


def _examined(config: "Config", chosen: "Sequence[Part] | None", path: Path) -> "list[Finding]":
    import asyncio

    from vm_ari.logs import logs_of_command
    from vm_ari.wiring.check import examine, parts_of

    with logs_of_command(config.log_level):
        return asyncio.run(examine(config, chosen or parts_of(config), path))


def _mend(found: "Sequence[Finding]") -> None:
    """Say and do each; what cannot be done is said, too, and is found again."""
    import asyncio

    from vm_ari.adapters.ari.errors import AriError, AriUnavailable

    for one in found:
        if one.mending is None or one.good:
            continue
        click.echo(f"fix: {one.mending.words}", err=True)
        try:
            asyncio.run(_worked(one))
        except (OSError, AriError, AriUnavailable) as error:
            why = error.strerror if isinstance(error, OSError) else error
            click.echo(f"     could not be done: {why}", err=True)


async def _worked(one: "Finding") -> None:
    assert one.mending
    await one.mending.work()


def _tell_nagios(path: Path, chosen: "Sequence[Part] | None") -> None:
    """One line, and the exit code of that convention: 0 well, 1 warning, 2 critical, 3 unknown."""
    from vm_ari.config import BadConfig
    from vm_ari.domain.monitoring import State, plugin_line

    began = time.monotonic()
    try:
        config = configured(path)
        found = _examined(config, chosen, path)
    except BadConfig as error:
        click.echo(plugin_line(State.UNKNOWN, [str(error)], {}))
        raise SystemExit(State.UNKNOWN.value) from None
    serious = [one for one in found if not one.good and not one.minor]
    minor = [one for one in found if not one.good and one.minor]
    state = State.CRITICAL if serious else State.WARNING if minor else State.OK
    figures = {
        "problems": f"{len(serious)};;0",
        "warnings": f"{len(minor)};0",
        "looks": str(len(found)),
        "time": f"{time.monotonic() - began:.1f}s",
    }
    told = [f"{one.part}: {one.text} {one.advice}".strip() for one in [*serious, *minor]]
    click.echo(plugin_line(state, told or [f"{len(found)} looks, and all is well."], figures))
    raise SystemExit(state.value)


def _parts(only: str) -> "Sequence[Part]":
    from vm_ari.wiring.check import Part

    try:
        return [Part(name.strip().lower()) for name in only.split(",")]
    except ValueError:
        raise click.BadParameter(f"write one of {PARTS}", param_hint="--only") from None
