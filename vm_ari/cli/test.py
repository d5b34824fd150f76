"""``vm-ari test``: try one thing, and see what comes of it."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.imap import imap
from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    fail,
    on_ldap,
    on_users,
    output_option,
    reported,
)
from vm_ari.cli.recognition import fax, transcription
from vm_ari.cli.trials import call, smtp

if TYPE_CHECKING:
    from vm_ari.adapters.ldap.trial import Trial
    from vm_ari.config import Config
    from vm_ari.domain.entries import Entry
    from vm_ari.services.users import Users


@click.group()
def test() -> None:
    """Try one thing, and see what comes of it."""


test.add_command(imap)
test.add_command(call)
test.add_command(smtp)
test.add_command(transcription)
test.add_command(fax)


@test.command()
@config_option
@output_option
@click.option("--dialled", is_flag=True, help="As typed on a telephone, with outside-line prefix.")
@click.argument("number")
def number(path: Path, form: str, dialled: bool, number: str) -> None:
    """How a NUMBER is understood, who has it, and whether it may be dialled."""
    from vm_ari.cli.output import write
    from vm_ari.domain.callers import printable
    from vm_ari.domain.numbers import normalise

    with reported():
        config = configured(path)
    clean = normalise(number, config.rules().site, dialled=dialled)
    if clean is None:
        click.echo(f"“{printable(number, 40)}” is not a telephone number.", err=True)
        raise SystemExit(FAILED)

    async def owner(desk: "Users") -> "Entry | None":
        return await desk.register.entry_by_number(clean)

    _warn_of_idle_rules(config)
    facts = _facts(config, number, clean, on_users(path, owner), dialled=dialled)
    if form == "json":
        write([facts], (), form)
    else:
        pairs = [{"what": key, "value": value} for key, value in facts.items()]
        write(pairs, ("what", "value"), form)


def _warn_of_idle_rules(config: "Config") -> None:
    from vm_ari.domain.dialling import never_reached

    for rule in never_reached(config.dialling_rules()):
        click.echo(f"dialling.rules: “{rule}” is never reached; put it further up.", err=True)


def _facts(
    config: "Config", raw: str, clean: str, owner: "Entry | None", *, dialled: bool
) -> dict[str, object]:
    from vm_ari.domain.dialling import Allowed, kind_of, may_dial
    from vm_ari.domain.numbers import extension_of, international, is_internal, site_of

    site, sites = config.rules().site, config.all_sites()
    verdict = may_dial(raw, config.dialling_rules(), sites, dialled=dialled)
    own = site_of(clean, sites)
    allowed = isinstance(verdict, Allowed)
    return {
        "stored as": clean,
        "written": international(clean),
        "extension": extension_of(clean, own or site) or "",
        "site": own.name if own else "",
        "internal": is_internal(clean, sites),
        "kind": kind_of(clean, sites).value,
        "may be dialled": allowed,
        "by dialling" if isinstance(verdict, Allowed) else "because": (
            verdict.dial if isinstance(verdict, Allowed) else verdict.reason
        ),
        "user": owner.id if owner else "",
    }


@test.command()
@config_option
@output_option
@click.argument("number", default="")
def ldap(path: Path, form: str, number: str) -> None:
    """Ask every directory server: how long it takes, and who has a NUMBER.

    Ends with 1 if a server fails or nobody has the number, and with 4 if none answers.
    """
    from vm_ari.adapters.ldap.trial import try_servers
    from vm_ari.cli.output import write
    from vm_ari.domain.callers import printable
    from vm_ari.domain.numbers import normalise

    with reported():
        clean = normalise(number, configured(path).rules().site) if number else ""
    if clean is None:
        fail(f"“{printable(number, 40)}” is not a telephone number.", FAILED)
    trials = on_ldap(path, lambda directory: try_servers(directory, clean))
    columns = ("server", "connect_ms", "bind_ms", "search_ms", "user", "found_by", "problem")
    write([_trial_row(trial) for trial in trials], columns, form)
    if all(trial.problem for trial in trials):
        raise SystemExit(UNREACHABLE)
    if any(trial.problem or (clean and len(trial.users) != 1) for trial in trials):
        raise SystemExit(FAILED)


def _trial_row(trial: "Trial") -> dict[str, object]:
    problem = trial.problem
    if len(trial.users) > 1:
        problem = "several users have the number, so calls to it reach nobody"
    return {
        "server": trial.server,
        "connect_ms": round(trial.connect * 1000, 1),
        "bind_ms": round(trial.bind * 1000, 1),
        "search_ms": round(trial.search * 1000, 1),
        "user": trial.users,
        "found_by": trial.found_by,
        "problem": problem,
    }


@test.command()
@config_option
@click.option("--user", "who", metavar="USER", help="By the data of this user.")
@click.argument("template", default="")
def template(path: Path, who: str | None, template: str) -> None:
    """What a TEMPLATE for names or addresses makes of an example, or of a USER.

    Without a TEMPLATE: what those of the configuration make.
    """
    from vm_ari.domain.name_templates import EXAMPLE, BadTemplate, NoAddress

    templates = [template] if template else _configured_templates(path)
    entry = on_users(path, lambda desk: desk.find(who)) if who else EXAMPLE
    try:
        made = [_made(text, entry) for text in templates]
    except (BadTemplate, NoAddress) as error:
        fail(error, FAILED)
    for text in made:
        click.echo(f"{entry.name or entry.id}: {text}")


def _configured_templates(path: Path) -> list[str]:
    with reported():
        users = configured(path).users
    return [text for text in (users.display_name, users.mail_address) if text]


def _made(text: str, entry: "Entry") -> str:
    from vm_ari.domain.name_templates import address, display_name, parse

    return (address if "@" in text else display_name)(parse(text), entry)
