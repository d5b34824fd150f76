"""``vm-ari rights``: what users may send, and how much of it is left today (UM-05)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    directory_of,
    fail,
    on_users,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.services.rights import Today
    from vm_ari.services.users import Users

COLUMNS = ("what", "scope", "used", "limit", "left", "pages", "page_limit", "pages_left", "of_one")


@click.group()
def rights() -> None:
    """What users may send, and how much of it is left today."""


@rights.command()
@config_option
@output_option
@click.argument("user", shell_complete=user_ids)
def show(path: Path, form: str, user: str) -> None:
    """What USER may send, what was sent today, and what is left; no number: no limit.

    A day is the user's own, from midnight to midnight. How a value came about says vm-ari users
    effective.
    """
    from vm_ari.cli.output import write
    from vm_ari.ports.rights import CountsUnavailable

    with reported():
        config = configured(path)

        async def look(desk: "Users") -> "list[Today]":
            from vm_ari.adapters.system_clock import SystemClock
            from vm_ari.wiring.rights import open_rights

            entry = await desk.find(user)
            found = await directory_of(desk).user_by_id(entry.id)
            if found is None:
                fail(f"There is no user {entry.id}.", FAILED)
            opened = open_rights(config, SystemClock())
            try:
                return await opened.rights.today(found)
            finally:
                await opened.close()

        try:
            write([_row(one) for one in on_users(path, look)], COLUMNS, form)
        except CountsUnavailable as error:
            fail(error, UNREACHABLE)


def _row(today: "Today") -> dict[str, object]:
    limits, used = today.limits, today.used
    return {
        "what": today.what.value,
        "scope": limits.scope.value,
        "used": used.items,
        "limit": limits.per_day or "",
        "left": _left(limits.per_day, used.items),
        "pages": used.pages or "",
        "page_limit": limits.pages_per_day or "",
        "pages_left": _left(limits.pages_per_day, used.pages),
        "of_one": limits.most_pages or "",
    }


def _left(limit: int, used: int) -> int | str:
    return max(0, limit - used) if limit else ""
