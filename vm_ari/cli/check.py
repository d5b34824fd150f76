"""``vm-ari check``: what is wrong with the connections, in one line each (MAIL-07)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.findings import tell
from vm_ari.cli.opening import config_option, configured, on_ldap, on_users, output_option, reported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_ari.adapters.ldap.diagnosis import Finding
    from vm_ari.config import Config
    from vm_ari.services.users import Users


@click.command()
@config_option
@output_option
@click.option("--only", type=click.Choice(["ldap"]), help="Look at nothing else.")
def check(path: Path, form: str, only: str | None) -> None:
    """Say what is wrong with the connections, and what to do.

    Nothing is changed. Ends with 0 if all is well, 1 if something is wrong, 3 for the configuration
    itself, and 4 if nothing answers.
    """
    with reported():
        config = configured(path)
    kind = config.directory.kind
    found = _directory_server(path) if only or kind == "ldap" else _own_database(path)
    tell(found if only else [*found, *_idle_rules(config)], form)


def _idle_rules(config: "Config") -> "Sequence[Finding]":
    from vm_ari.adapters.ldap.diagnosis import Finding
    from vm_ari.domain.dialling import never_reached

    advice = "Put it before the wider one, or remove it."
    return [
        Finding(False, f"dialling.rules: “{rule}” is never reached.", advice)
        for rule in never_reached(config.dialling_rules())
    ]


def _directory_server(path: Path) -> "Sequence[Finding]":
    from vm_ari.adapters.ldap.diagnosis import examine

    return on_ldap(path, examine)


def _own_database(path: Path) -> "Sequence[Finding]":
    return on_users(path, _count)


async def _count(desk: "Users") -> "Sequence[Finding]":
    from vm_ari.adapters.ldap.diagnosis import Finding

    count = len(await desk.register.all_entries())
    return [Finding(True, f"The embedded directory can be read: {count} users.")]
