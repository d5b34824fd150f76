"""``vm-ari check``: what is wrong with the connections, in one line each (MAIL-07)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.findings import tell
from vm_ari.cli.opening import config_option, configured, output_option, reported

if TYPE_CHECKING:
    from vm_ari.wiring_check import Part

PARTS = (
    "directory, ldap, imap, smtp, asterisk, lamps, watching, spool, store, sounds, voice, "
    "recognition, dialling, notices, sms, webhook, site-mails, portal, journal, log"
)


@click.command()
@config_option
@output_option
@click.option("--only", metavar="PART[,PART]...", help=f"Look at nothing else: {PARTS}.")
def check(path: Path, form: str, only: str | None) -> None:
    """Say what is wrong with the connections, and what to do.

    Everything that is configured is looked at side by side; nothing is changed. Ends with 0 if all
    is well, 1 if something is wrong, 3 for the configuration itself, and 4 if a directory, mail
    server or Asterisk does not answer at all.
    """
    import asyncio

    from vm_ari.logs import logs_of_command
    from vm_ari.wiring_check import examine, parts_of

    chosen = _parts(only) if only else None
    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            found = asyncio.run(examine(config, chosen or parts_of(config)))
    tell(found, form)


def _parts(only: str) -> "Sequence[Part]":
    from vm_ari.wiring_check import Part

    try:
        return [Part(name.strip().lower()) for name in only.split(",")]
    except ValueError:
        raise click.BadParameter(f"write one of {PARTS}", param_hint="--only") from None
