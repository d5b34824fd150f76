"""``vm-ari config``: what is configured and who says so, checking and changing it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vm_ari.cli.opening import BAD_CONFIG, FAILED, config_option, fail, reported

if TYPE_CHECKING:
    from vm_ari.config.keys import Where


@click.group()
def config() -> None:
    """What is configured: shown, checked, changed."""


@config.command()
@config_option
@click.option("-n", "--changed", is_flag=True, help="Only what differs from the default.")
@click.option("--origin", is_flag=True, help="Say behind each value where it comes from.")
@click.option(
    "-o", "--output", "form", type=click.Choice(["toml", "json"]), default="toml",
    show_default=True, help="How it is written.",
)  # fmt: skip
def show(path: Path, changed: bool, origin: bool, form: str) -> None:
    """Print the configuration as it counts; secrets are masked.

    It is put together from the file, conf.d/*.toml beside it, credentials of systemd and variables
    of the environment (VM_ARI__SECTION__KEY, or …_FILE for a file that holds the value).
    """
    import json

    from vm_ari.config import judged, sources
    from vm_ari.config.listing import Wish, listing, values_of

    wish = Wish(changed_only=changed, origins=origin)
    with reported():
        given = sources(path)
        counted = judged(given)
    if form == "json":
        click.echo(json.dumps(values_of(counted, wish), ensure_ascii=False, indent=2, default=str))
        return
    click.echo("\n".join(listing(counted, given, wish)).rstrip())


@config.command()
@config_option
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
def validate(path: Path, files: tuple[Path, ...]) -> None:
    """Say what is wrong in the configuration, or in other FILES; nothing is connected.

    A file of conf.d is judged together with the main file that it belongs to. Ends with 3 if
    something is wrong; vm-ari check looks at the servers, too.
    """
    wrong = 0
    for file in dict.fromkeys(_main(one) for one in files or (path,)):
        problems = _problems(file)
        wrong += bool(problems)
        click.echo(problems or f"{file}: ok", err=bool(problems))
    if wrong:
        raise SystemExit(BAD_CONFIG)


@config.command("set")
@config_option
@click.argument("key", metavar="SECTION.KEY")
@click.argument("values", nargs=-1, metavar="[VALUE]...")
@click.option("--default", "unset", is_flag=True, help="Remove the key: the default counts.")
def set_(path: Path, key: str, values: tuple[str, ...], unset: bool) -> None:
    """Change one key in the file, such as: config set calls.longest_seconds 120.

    Comments stay. It is checked before the file is replaced, and nothing happens if it cannot be
    used. Several values make a list. A password is asked for, or read from standard input: others
    see what is on a command line.
    """
    from vm_ari.config import Config, judged, sources
    from vm_ari.config.document import changed, read, replace, value_of, where_of
    from vm_ari.config.keys import form_at, is_secret

    with reported(), _explained():
        where = where_of(Config, key)
        value = None if unset else value_of(Config, where, values or (_asked(where),))
        old = read(path)
        new = changed(old, where, value)
        given = sources(path, new)
        judged(given)
        replace(path, new, was=old)
    click.echo(_told(path, where, given.said(where)))
    if is_secret(form_at(Config, where)) and path.stat().st_mode & 0o007:
        click.echo(f"{path}: everybody may read it: chmod 600 {path}", err=True)


@config.command()
def schema() -> None:
    """Print a JSON schema of the configuration, for editors that complete and check."""
    import json

    from vm_ari.config import Config
    from vm_ari.config.listing import schema_of

    click.echo(json.dumps(schema_of(Config), ensure_ascii=False, indent=2))


def _problems(file: Path) -> str:
    """Also what only shows when parts are made of it."""
    from vm_ari.config import BadConfig, load
    from vm_ari.wiring.directories import ldap_settings
    from vm_ari.wiring.smtp import open_smtp

    try:
        counted = load(file)
        if counted.directory.ldap:
            ldap_settings(counted.directory.ldap, counted)
        if counted.mail.smtp:
            open_smtp(counted.mail.smtp, counted.mail.system_sender or counted.mail.sender)
    except BadConfig as error:
        return str(error)
    return ""


def _main(file: Path) -> Path:
    """The file that a piece in conf.d belongs to."""
    from vm_ari.config.sources import DROP_INS

    if file.absolute().parent.name != DROP_INS:
        return file
    return file.absolute().parent.parent / "vm-ari.toml"


def _asked(where: "Where") -> str:
    from vm_ari.config import Config
    from vm_ari.config.keys import form_at, is_secret

    name = ".".join(map(str, where))
    hidden = is_secret(form_at(Config, where))
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt(name, hide_input=hidden))


def _told(path: Path, where: "Where", said: str) -> str:
    name = ".".join(map(str, where))
    if not said:
        return f"{name}: the default counts from the next start on"
    if not said.startswith(f"{path}:"):
        return f"{name} is written, but {said} says something else, and counts"
    return f"{name} is written ({said}); it counts from the next start on"


@contextmanager
def _explained() -> Iterator[Any]:
    from vm_ari.config.document import BadChange

    try:
        yield
    except BadChange as error:
        fail(error, FAILED)
