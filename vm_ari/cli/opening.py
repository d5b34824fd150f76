"""What commands have in common: options, the directory they work on, errors as exit codes."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.services.users import Users

T = TypeVar("T")

DEFAULT_CONFIG = "/etc/vm-ari/vm-ari.toml"
FAILED = 1
BAD_CONFIG = 3
UNREACHABLE = 4
PARTLY_FAILED = 5

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

    with reported():
        config = configured(path)
        return asyncio.run(_with_directory(config, story))


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
    from vm_ari.domain.preferences import BadSetting
    from vm_ari.ports import BadRecord, DirectoryUnavailable, Taken, UnknownUser
    from vm_ari.services.users import Refused

    try:
        yield
    except BadConfig as error:
        fail(error, BAD_CONFIG)
    except (DirectoryUnavailable, KeysUnusable) as error:
        fail(f"The directory cannot be used: {error}", UNREACHABLE)
    except (BadSetting, BadRecord, Refused, Taken, UnknownUser, Unstorable) as error:
        fail(error, FAILED)


def fail(text: object, code: int) -> NoReturn:
    """Say why, and end."""
    click.echo(text, err=True)
    raise SystemExit(code)


async def _with_directory(config: "Config", story: "Callable[[Users], Awaitable[T]]") -> T:
    from vm_ari.adapters.database import EmbeddedDirectory
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.services.users import House, Users

    defaults = config.user_defaults()
    keys = KeyRing(config.directory.keys)
    directory = EmbeddedDirectory(config.directory.url, keys, defaults=defaults)
    house = House(
        site=config.rules().site,
        defaults=defaults,
        name_template=config.users.display_name,
        address_template=config.users.mail_address,
    )
    try:
        return await story(Users(directory, house))
    finally:
        await directory.close()
