"""A configured site whose users are on an OpenLDAP server."""

from pathlib import Path

from tests.adapters.ldap_people import PEOPLE
from tests.cli.site import CliSite
from tests.slapd import PASSWORD, SERVICE, Slapd


def ldap_table(
    base: Path, *urls: str, account: str = SERVICE, people: str = PEOPLE, more: str = ""
) -> str:
    """The tables for servers without TLS; *more* is TOML of ``[directory.ldap]``."""
    secret = base / "ldap-password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    servers = ", ".join(f'"{url}"' for url in urls)
    return (
        f'kind = "ldap"\n[directory.ldap]\nservers = [{servers}]\nplaintext = true\n'
        f'bases = ["{people}"]\naccount = "{account}"\npassword_file = "{secret}"\n'
        f'cache = "{base}/cache.db"\n{more}'
    )


def on_servers(
    base: Path, *servers: Slapd, account: str = SERVICE, people: str = PEOPLE, more: str = ""
) -> CliSite:
    """Its numbers begin as those of `tests.cli.site.BASE`."""
    site = CliSite(base)
    urls = (one.url for one in servers)
    site.configure(ldap_table(base, *urls, account=account, people=people, more=more))
    return site
