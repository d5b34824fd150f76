"""``vm-ari test``: try one thing without a call."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import FAILED, config_option, configured, on_users, output_option, reported

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.domain.entries import Entry
    from vm_ari.services.users import Users


@click.group()
def test() -> None:
    """Try one thing without a call."""


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

    facts = _facts(config, number, clean, on_users(path, owner), dialled=dialled)
    if form == "json":
        write([facts], (), form)
    else:
        pairs = [{"what": key, "value": value} for key, value in facts.items()]
        write(pairs, ("what", "value"), form)


def _facts(
    config: "Config", raw: str, clean: str, owner: "Entry | None", *, dialled: bool
) -> dict[str, object]:
    from vm_ari.domain.dialling import Allowed, kind_of, may_dial
    from vm_ari.domain.numbers import extension_of, international, is_internal

    site = config.rules().site
    verdict = may_dial(raw, config.dialling_rules(), [site], dialled=dialled)
    allowed = isinstance(verdict, Allowed)
    return {
        "stored as": clean,
        "written": international(clean),
        "extension": extension_of(clean, site) or "",
        "internal": is_internal(clean, [site]),
        "kind": kind_of(clean, [site]).value,
        "may be dialled": allowed,
        "by dialling" if isinstance(verdict, Allowed) else "because": (
            verdict.dial if isinstance(verdict, Allowed) else verdict.reason
        ),
        "user": owner.id if owner else "",
    }


@test.command()
@click.argument("template")
def template(template: str) -> None:
    """What a TEMPLATE for names or addresses makes of an example."""
    from vm_ari.domain.name_templates import (
        EXAMPLE,
        BadTemplate,
        NoAddress,
        example_address,
        example_name,
    )

    try:
        made = example_address(template) if "@" in template else example_name(template)
    except (BadTemplate, NoAddress) as error:
        click.echo(error, err=True)
        raise SystemExit(FAILED) from None
    click.echo(f"{EXAMPLE.given} {EXAMPLE.surname}: {made}")
