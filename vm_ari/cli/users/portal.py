"""``vm-ari users set-password``: how users of the embedded directory sign in to the portal."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import config_option, configured, on_users

if TYPE_CHECKING:
    from vm_ari.adapters.portal_passwords import PortalPasswords
    from vm_ari.config import Config
    from vm_ari.services.users import Users

    Work = Callable[["PortalPasswords", str], Awaitable[str]]


@click.command("set-password")
@config_option
@click.option("--link", is_flag=True, help="Print a link by which the user chooses one, once.")
@click.option("--remove", is_flag=True, help="Nobody signs in with a password as that user.")
@click.argument("user", shell_complete=user_ids)
def set_password(path: Path, link: bool, remove: bool, user: str) -> None:
    """Set the password with which USER signs in to the portal.

    It is asked for, or read from standard input: in a command line everybody on the machine would
    see it. Users of directory servers sign in with the password that they have there.
    """
    if link and remove:
        raise click.UsageError("--link and --remove exclude each other.")
    password = "" if link or remove else _asked()

    async def work(passwords: "PortalPasswords", user_id: str) -> str:
        if link:
            base = configured(path).web.base_url()
            return f"{base}/password/{await passwords.new_link(user_id)}"
        if remove:
            await passwords.remove_password(user_id)
            return f"{user_id}: no password any more"
        await passwords.set_password(user_id, password)
        return f"{user_id}: new password"

    click.echo(on_users(path, lambda users: _done(configured(path), users, user, work)))


async def _done(config: "Config", users: "Users", asked: str, work: "Work") -> str:
    from vm_ari.adapters.portal_database import PortalDatabase
    from vm_ari.adapters.portal_passwords import PasswordRefused, PortalPasswords
    from vm_ari.ports import DirectoryUnavailable, PortalUnavailable
    from vm_ari.services.users import Refused

    if config.directory.ldap is not None:
        raise Refused("Users of directory servers sign in with the password they have there.")
    entry = await users.find(asked)
    database = PortalDatabase(config.web.url or config.directory.url)
    passwords = PortalPasswords(database)
    try:
        told = await work(passwords, entry.id)
        await database.end_sessions_of(entry.id)
        return told
    except PasswordRefused as error:
        raise Refused(str(error)) from None
    except PortalUnavailable as error:
        raise DirectoryUnavailable(str(error)) from error
    finally:
        passwords.close()
        await database.close()


def _asked() -> str:
    """Typed twice by a person, or piped in once."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\r\n")
