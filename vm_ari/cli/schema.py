"""``vm-ari schema``: what a directory server needs to hold our settings (DIR-01)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.findings import tell
from vm_ari.cli.opening import config_option, on_ldap, output_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_ari.adapters.findings import Finding
    from vm_ari.adapters.ldap.directory import LdapDirectory


@click.group()
def schema() -> None:
    """What a directory server needs to hold settings."""


@schema.command()
@click.option("--ldif", is_flag=True, help="For cn=config, to be loaded with ldapadd.")
def openldap(ldif: bool) -> None:
    """Print the schema file for OpenLDAP: for slapd.conf, or as LDIF."""
    click.echo(_shipped("vm-ari.ldif" if ldif else "vm-ari.schema"), nl=False)


@schema.command()
@click.option("--attribute", metavar="NAME", help="Where settings lie; as the preset says.")
@click.option("--account", metavar="NAME", default="EXAMPLE\\vm-ari", show_default=True)
@click.option("--unit", metavar="DN", default="OU=People,DC=example,DC=org", show_default=True)
def ad(attribute: str | None, account: str, unit: str) -> None:
    """Say which attribute Active Directory uses, and print the delegation for it."""
    from vm_ari.adapters.ldap.mapping import PRESETS, Preset

    names = {
        "ATTRIBUTE": attribute or PRESETS[Preset.ACTIVE_DIRECTORY].settings,
        "ACCOUNT": account,
        "UNIT": unit,
    }
    text = _shipped("active-directory.txt")
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
    click.echo(text, nl=False)


@schema.command()
@config_option
@output_option
@click.option("--write", is_flag=True, help="Also write a setting to a user, and remove it again.")
@click.option("--user", "user_id", metavar="ID", default="", help="Write to this one; the first.")
def test(path: Path, form: str, write: bool, user_id: str) -> None:
    """Look whether the configured server's schema takes what we store."""
    from vm_ari.adapters.ldap.errors import LdapError

    async def story(directory: "LdapDirectory") -> "Sequence[Finding]":
        from vm_ari.adapters.findings import Finding
        from vm_ari.adapters.ldap.schema_trial import examine_schema

        try:
            return await examine_schema(directory, write=write, user_id=user_id)
        except LdapError as error:
            return [Finding(False, str(error), "See “vm-ari check --only ldap”.", unreachable=True)]

    tell(on_ldap(path, story), form)


def _shipped(name: str) -> str:
    from vm_ari.config import shared_files

    return (shared_files() / "schema" / name).read_text(encoding="utf-8")
