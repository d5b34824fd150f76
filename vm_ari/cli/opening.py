"""What commands have in common: options, the directory they work on, errors as exit codes."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from vm_ari.adapters.ldap.directory import LdapDirectory
    from vm_ari.config import Config
    from vm_ari.services.users import Users
    from vm_ari.wiring.directories import ConfiguredDirectory
    from vm_ari.wiring.organisations import OpenOrganisations

T = TypeVar("T")

DEFAULT_CONFIG = "/etc/vm-ari/vm-ari.toml"
FAILED = 1
BAD_CONFIG = 3
UNREACHABLE = 4
PARTLY_FAILED = 5
AS_WHOM = "run this as root, or as the controller's account"

config_option = click.option(
    "-c",
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=DEFAULT_CONFIG,
    show_default=True,
    envvar="VM_ARI_CONFIG",
    help="Configuration file.",
)
output_option = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "json", "tsv"]),
    default="table",
    show_default=True,
    help="How the result is written.",
)
dry_run_option = click.option(
    "-n", "--dry-run", is_flag=True, help="Only say what would be changed."
)


def on_users(path: Path, story: "Callable[[Users], Awaitable[T]]") -> T:
    """Run a story on the configured directory; an error ends the program with its exit code."""
    import asyncio

    from vm_ari.logs import logs_of_command

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            return asyncio.run(_with_directory(config, story))


def on_organisations(path: Path, story: "Callable[[Users, OpenOrganisations], Awaitable[T]]") -> T:
    """As `on_users`, with the organisations as operators keep them."""
    import asyncio

    from vm_ari.logs import logs_of_command

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            return asyncio.run(_with_organisations(config, story))


def on_ldap(path: Path, story: "Callable[[LdapDirectory], Awaitable[T]]") -> T:
    """Run a story on the configured directory servers; where there are none, end with 3."""
    import asyncio

    from vm_ari.logs import logs_of_command

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            return asyncio.run(_with_ldap(config, story))


def configured(path: Path) -> "Config":
    """The configuration. Raises `BadConfig`."""
    from vm_ari.config import load

    return load(path)


@contextmanager
def reported() -> Iterator[None]:
    """Say what went wrong on standard error, and end with the exit code that is documented."""
    from vm_ari.adapters.sealing import KeysUnusable
    from vm_ari.config import BadConfig
    from vm_ari.domain.directory_text import Unstorable
    from vm_ari.domain.organisations import BadOrganisation
    from vm_ari.domain.preferences import BadSetting
    from vm_ari.ports import (
        BadRecord,
        DirectoryIncomplete,
        DirectoryReadOnly,
        DirectoryUnavailable,
        PortalUnavailable,
        Taken,
        UnknownUser,
    )
    from vm_ari.services.organisations import Overtaken
    from vm_ari.services.users import Refused

    try:
        yield
    except BadConfig as error:
        fail(error, BAD_CONFIG)
    except DirectoryReadOnly as error:
        fail(f"The directory does not take this change: {error}", FAILED)
    except DirectoryIncomplete as error:
        fail(error, FAILED)
    except (DirectoryUnavailable, KeysUnusable) as error:
        fail(f"The directory cannot be used: {error}", UNREACHABLE)
    except PortalUnavailable as error:
        fail(f"The organisations cannot be used: {error}", UNREACHABLE)
    except (BadOrganisation, BadSetting, BadRecord) as error:
        fail(error, FAILED)
    except (Overtaken, Refused, Taken, UnknownUser, Unstorable) as error:
        fail(error, FAILED)
    except PermissionError as error:
        fail(f"{error.filename}: {error.strerror}; {AS_WHOM}", UNREACHABLE)


def fail(text: object, code: int) -> NoReturn:
    """Say why, and end."""
    click.echo(text, err=True)
    raise SystemExit(code)


async def _with_directory(config: "Config", story: "Callable[[Users], Awaitable[T]]") -> T:
    return await _with_organisations(config, lambda desk, _organisations: story(desk))


async def _with_organisations(
    config: "Config", story: "Callable[[Users, OpenOrganisations], Awaitable[T]]"
) -> T:
    """Nobody gets more than there is by the command line, either (UM-01)."""
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.services.users import House, Users
    from vm_ari.wiring.directories import open_register
    from vm_ari.wiring.organisations import limited, open_organisations

    directory = open_register(config, KeyRing(config.directory.keys))
    organisations = open_organisations(config, directory, SystemClock())
    house = House(
        site=config.rules().site,
        defaults=config.user_defaults(),
        name_template=config.users.display_name,
        address_template=config.users.mail_address,
        allowed_failures=config.logins.failures_before_lock,
        logins=config.login_rules(),
    )
    try:
        await organisations.service.keep_known()
        desk = Users(limited(directory, organisations.limits), house)
        return await story(desk, organisations)
    finally:
        await organisations.close()
        await directory.close()


def directory_of(desk: "Users") -> "ConfiguredDirectory":
    """The directory itself, beneath what limits organisations: for reading, and for logins."""
    from vm_ari.services.limited_register import LimitedRegister
    from vm_ari.wiring.directories import ConfiguredDirectory

    register = desk.register
    whole = register.whole if isinstance(register, LimitedRegister) else register
    assert isinstance(whole, ConfiguredDirectory)
    return whole


async def _with_ldap(config: "Config", story: "Callable[[LdapDirectory], Awaitable[T]]") -> T:
    from vm_ari.adapters.ldap.directory import LdapDirectory
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.config import BadConfig
    from vm_ari.wiring.directories import open_register

    if config.directory.ldap is None:
        raise BadConfig(
            "directory.kind: the embedded directory is configured; for servers write "
            "kind = “ldap” and a table [directory.ldap]"
        )
    directory = open_register(config, KeyRing(config.directory.keys))
    assert isinstance(directory, LdapDirectory)
    try:
        return await story(directory)
    finally:
        await directory.close()
