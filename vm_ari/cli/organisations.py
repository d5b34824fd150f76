"""``vm-ari organisations``: packages, administrators, agreements and settings (UM-01, UM-02)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, on_organisations, output_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vm_ari.domain.organisations import OrganisationRecord
    from vm_ari.domain.packages import Stock
    from vm_ari.services.users import Users
    from vm_ari.wiring.organisations import OpenOrganisations

COLUMNS = ("id", "name", "used", "total", "administrators", "agreement")
WITHOUT = "(without)"
"""The line of users who belong to none."""
SITE = "(installation)"
"""The line of everybody together."""
_organisation = click.argument("organisation", metavar="ORGANISATION")


@click.group()
def organisations() -> None:
    """Who shares settings: packages, administrators, agreements."""


@organisations.command("list")
@config_option
@output_option
def list_(path: Path, form: str) -> None:
    """Used and total packages of each organisation, and of the whole installation.

    Users with more numbers than a package has are named on standard error; they keep them.
    """
    from vm_ari.cli.output import write

    async def story(desk: "Users", there: "OpenOrganisations") -> "tuple[list[Row], list[str]]":
        from collections import Counter

        from vm_ari.domain.packages import package_of, site_stock, stock_of

        everybody, limits = await desk.register.all_entries(), there.limits()
        used = Counter(entry.organisation for entry in everybody)
        known = there.service.known
        found = sorted({*known, *used} - {""})
        rows = [_row(one, known.get(one), stock_of(one, used, limits)) for one in found]
        if used[""]:
            rows.append(_row(WITHOUT, None, stock_of("", used, limits)))
        rows.append(_row(SITE, None, site_stock(used, limits)))
        around = await desk.surroundings(everybody)
        packages = [package_of(one, its.layers) for one, its in zip(everybody, around, strict=True)]
        many = [
            f"{one.user_id}: {len(one.numbers)} numbers"
            for one in packages
            if one.has_too_many_numbers
        ]
        return rows, many

    rows, many = on_organisations(path, story)
    write(rows, COLUMNS, form)
    for line in many:
        click.echo(f"{line}; three are possible, take some away", err=True)


@organisations.command()
@config_option
@output_option
@_organisation
def show(path: Path, form: str, organisation: str) -> None:
    """What is kept of an ORGANISATION."""
    from vm_ari.cli.output import write

    record = on_organisations(path, lambda _desk, there: _known(there, organisation))
    details = _details(record)
    rows = [{"what": key, "value": value} for key, value in details.items()]
    write([details] if form == "json" else rows, ("what", "value"), form)


@organisations.command()
@config_option
@_organisation
@click.argument("assignments", nargs=-1, metavar="[KEY=VALUE]...")
def add(path: Path, organisation: str, assignments: tuple[str, ...]) -> None:
    """A new ORGANISATION, such as: add north name="North Ltd" packages=25."""

    async def story(_desk: "Users", there: "OpenOrganisations") -> "OrganisationRecord":
        from vm_ari.domain.organisations import OrganisationRecord

        record = _changed(OrganisationRecord(organisation), _pairs(assignments))
        return await there.service.add(record, by=_who())

    click.echo(f"{on_organisations(path, story).id}: added")


@organisations.command("set")
@config_option
@_organisation
@click.argument("assignments", nargs=-1, required=True, metavar="KEY=VALUE...")
def set_(path: Path, organisation: str, assignments: tuple[str, ...]) -> None:
    """Set name, packages, agreement, or a setting for all of its users.

    Such as: set north packages=30 agreement=2026-01-15 language=de; KEY= takes a value away, and
    packages=0 is no limit. Who records an agreement is kept with it.
    """

    async def story(_desk: "Users", there: "OpenOrganisations") -> "OrganisationRecord":
        record = _changed(await _known(there, organisation), _pairs(assignments))
        return await there.service.store(record, by=_who())

    click.echo(f"{on_organisations(path, story).id}: changed")


@organisations.command()
@config_option
@_organisation
@click.option("--add", "added", multiple=True, metavar="USER", help="A user of the organisation.")
@click.option("--remove", "removed", multiple=True, metavar="USER", help="Only the role goes.")
def administrators(
    path: Path, organisation: str, added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    """Who sees and changes all users of an ORGANISATION in the portal."""

    async def story(desk: "Users", there: "OpenOrganisations") -> "OrganisationRecord":
        from vm_ari.services.organisations import appointed
        from vm_ari.services.users import Refused

        record = await _known(there, organisation)
        for one in removed:
            if one not in record.administrators:
                raise Refused(f"{one} is no administrator of {organisation}.")
        wanted = [one for one in (*record.administrators, *added) if one not in removed]
        new = await appointed(record, wanted, desk.register.entry_by_id, there.operators)
        return await there.service.store(new, by=_who()) if new != record else record

    record = on_organisations(path, story)
    click.echo(f"{record.id}: {', '.join(record.administrators) or 'no administrators'}")


Row = dict[str, object]


def _row(organisation: str, record: "OrganisationRecord | None", stock: "Stock") -> Row:
    details = _details(record) if record else {}
    return {
        **details,
        "id": organisation,
        "used": stock.used,
        "total": stock.total or "no limit",
    }


def _details(record: "OrganisationRecord") -> Row:
    agreement = record.agreement
    recorded = agreement.recorded if agreement else None
    return {
        "id": record.id,
        "name": record.name,
        "packages": record.packages,
        "administrators": list(record.administrators),
        "agreement": agreement.since.isoformat() if agreement else "",
        "recorded_by": agreement.recorded_by if agreement else "",
        "recorded": recorded.isoformat() if recorded else "",
        "settings": [f"{key}={text}" for key, text in sorted(record.settings.items())],
    }


async def _known(there: "OpenOrganisations", organisation: str) -> "OrganisationRecord":
    """Raises `Refused` for one that is not there."""
    from vm_ari.domain.callers import printable
    from vm_ari.services.users import Refused

    if organisation not in there.service.known:
        shown = printable(organisation, 64)
        raise Refused(f"There is no organisation {shown}; “vm-ari organisations list” shows all.")
    return there.service.known[organisation]


def _changed(record: "OrganisationRecord", new: "Mapping[str, str]") -> "OrganisationRecord":
    """Raises `BadOrganisation`, `BadSetting`."""
    from dataclasses import replace
    from datetime import UTC, datetime

    from vm_ari.domain.organisations import parsed_agreement, parsed_packages
    from vm_ari.domain.preferences import checked
    from vm_ari.services.organisations import agreed

    settings = dict(record.settings)
    for key, text in new.items():
        match key:
            case "name":
                record = replace(record, name=text)
            case "packages":
                record = replace(record, packages=parsed_packages(text))
            case "agreement":
                since = parsed_agreement(text) if text else None
                record = agreed(record, since, by=_who(), now=datetime.now(UTC))
            case _:
                settings[key] = checked(key, text) if text else ""
    return replace(record, settings={key: text for key, text in settings.items() if text})


def _pairs(assignments: "Sequence[str]") -> dict[str, str]:
    from vm_ari.cli.users.adding import pair

    return {key: text.strip() for key, text in map(pair, assignments)}


def _who() -> str:
    """For the record: whose account of this machine it was."""
    from getpass import getuser

    try:
        return f"{getuser()} (command line)"
    except OSError:  # an account without a name
        return "command line"
