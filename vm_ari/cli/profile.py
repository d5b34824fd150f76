"""``vm-ari profile`` and ``vm-ari transfer``: which profile answers, and whom callers can reach."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import (
    config_option,
    configured,
    on_users,
    output_option,
    reported,
)
from vm_ari.domain.profiles import CHOOSABLE, ProfileName

if TYPE_CHECKING:
    from vm_ari.domain.dialling import DiallingRules
    from vm_ari.domain.preferences import Layers
    from vm_ari.domain.settings import Rules
    from vm_ari.domain.users import User
    from vm_ari.services.own_settings import OwnSettings
    from vm_ari.services.users import Users

    Work = Callable[["OwnSettings", "Found"], Awaitable["User"]]

user_argument = click.argument("user", shell_complete=user_ids)
profile_argument = click.argument(
    "profile", type=click.Choice([name.value for name in ProfileName])
)
FARTHEST = date(2900, 1, 1)
PROFILE_COLUMNS = ("user", "profile", "reason", "chosen", "until", "after")
TRANSFER_COLUMNS = ("profile", "destination", "allowed", "reason")


@dataclass(frozen=True)
class Found:
    """A user, as calls see one."""

    user: "User"
    layers: "Layers"


@click.group()
def profile() -> None:
    """The profile that answers the calls of a user: which, why, and another one."""


@profile.command("show")
@config_option
@output_option
@user_argument
def show_profile(path: Path, form: str, user: str) -> None:
    """The profile that answers now, and the reason."""
    from vm_ari.cli.output import write

    write([_profile_row(path, _found(path, user))], PROFILE_COLUMNS, form)


@profile.command()
@config_option
@output_option
@click.option("--until", metavar="DATE", help="Last day, such as 2026-12-24; then the one before.")
@user_argument
@click.argument("name", metavar="PROFILE", type=click.Choice([one.value for one in CHOOSABLE]))
def activate(path: Path, form: str, until: str | None, user: str, name: str) -> None:
    """Make PROFILE the active one, at once."""
    from vm_ari.cli.output import write

    last = _last_day(until)
    found = _changed(path, user, lambda own, one: own.activate(one.user, ProfileName(name), last))
    write([_profile_row(path, found)], PROFILE_COLUMNS, form)


@click.group()
def transfer() -> None:
    """Whom the callers of a user can be connected to, for each profile."""


@transfer.command("show")
@config_option
@output_option
@user_argument
def show_transfer(path: Path, form: str, user: str) -> None:
    """The destination of each profile, and whether it may be dialled."""
    _write_transfers(path, _found(path, user), form)


@transfer.command("set")
@config_option
@output_option
@user_argument
@profile_argument
@click.argument("number")
def set_(path: Path, form: str, user: str, profile: str, number: str) -> None:
    """Callers of PROFILE can be connected to NUMBER, in any spelling."""
    chosen = ProfileName(profile)
    found = _changed(path, user, lambda own, one: own.set_transfer(one.user, chosen, number))
    _write_transfers(path, found, form)


@transfer.command()
@config_option
@output_option
@user_argument
@profile_argument
def remove(path: Path, form: str, user: str, profile: str) -> None:
    """Callers of PROFILE are connected to nobody."""
    chosen = ProfileName(profile)
    found = _changed(path, user, lambda own, one: own.remove_transfer(one.user, chosen))
    _write_transfers(path, found, form)


def _found(path: Path, asked: str) -> Found:
    return on_users(path, lambda users: _find(users, asked))


def _changed(path: Path, asked: str, work: "Work") -> Found:
    """The user as he is after the change; what is refused or not stored ends the program."""

    async def story(users: "Users") -> Found:
        from vm_ari.services.own_settings import NotOffered, NotStored, NumberRefused, OwnSettings
        from vm_ari.services.users import Refused

        own = OwnSettings(
            users.register, config.rules(), config.dialling_rules(), config.rights.caps()
        )
        try:
            await work(own, await _find(users, asked))
        except (NotOffered, NumberRefused) as error:
            raise Refused(str(error)) from None
        except NotStored as error:
            raise error.__cause__ or error from None  # told as all commands tell it
        return await _find(users, asked)

    with reported():
        config = configured(path)
    return on_users(path, story)


async def _find(users: "Users", asked: str) -> Found:
    """Raises `UnknownUser`."""
    from vm_ari.domain.entries import effective_user

    entry = await users.find(asked)
    group = await users.organisation(entry.organisation)
    user = effective_user(entry, group, users.house.defaults)
    return Found(user, await users.layers(entry))


def _profile_row(path: Path, found: Found) -> dict[str, object]:
    from zoneinfo import ZoneInfo

    from vm_ari.adapters.holiday_calendar import public_holiday
    from vm_ari.domain.active_profile import active_profile
    from vm_ari.domain.explain import origins

    user, rules = found.user, configured(path).rules()
    now = datetime.now(ZoneInfo(user.time_zone))
    whose = origins(found.layers)
    active = active_profile(user, rules, now, calendar=public_holiday, whose=whose)
    until = user.profile_until
    return {
        "user": user.id,
        "profile": active.profile.value,
        "reason": active.reason,
        "chosen": user.profile.value,
        "until": until and until.isoformat(" ", "minutes"),
        "after": user.profile_after.value if until else None,
    }


def _write_transfers(path: Path, found: Found, form: str) -> None:
    from vm_ari.cli.output import write

    config = configured(path)
    rules, dialling = config.rules(), config.dialling_rules()
    rows = [
        {"profile": one.value, **_judged(found.user.transfer_in(one) or "", rules, dialling)}
        for one in ProfileName
        if rules.offers(one) or (one is ProfileName.INTERNAL and rules.internal_profile)
    ]
    write(rows, TRANSFER_COLUMNS, form)


def _judged(number: str, rules: "Rules", dialling: "DiallingRules") -> dict[str, object]:
    """Rules may have changed since the number was stored."""
    from vm_ari.domain.dialling import Denied, may_dial

    if not number:
        return {"destination": "", "allowed": None, "reason": "No destination is set."}
    match may_dial(number, dialling, rules.sites):
        case Denied() as denied:
            return {"destination": number, "allowed": False, "reason": denied.reason}
        case allowed:
            return {
                "destination": number,
                "allowed": True,
                "reason": f"It is {allowed.kind.value}.",
            }


def _last_day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problem = "is no day; write it as 2026-12-24"
    else:
        yesterday = datetime.now().astimezone().date() - timedelta(days=1)  # still today elsewhere
        if yesterday <= day < FARTHEST:
            return day
        problem = "is too far away" if day > yesterday else "is over"
    raise click.BadParameter(f"“{text[:40]}” {problem}.", param_hint="--until")
