"""``vm-ari mwi``: what lamps show, and having them told anew (NOTIFY-01)."""

from collections.abc import Sequence
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
    from vm_ari.domain.users import User
    from vm_ari.services.users import Users
    from vm_ari.wiring.mwi import Look

COLUMNS = ("user", "mailbox", "new", "heard", "other", "lamp", "problem")
METHODS = ("method", "offered", "chosen", "reason")

mailbox_argument = click.argument("mailbox", required=False, shell_complete=user_ids)
all_option = click.option("--all", "everybody", is_flag=True, help="Everybody's.")


@click.group()
def mwi() -> None:
    """The message-waiting lamps of telephones.

    A MAILBOX is that of a user: the id, or a number in any spelling. Exit codes: 0 done, 1 refused,
    2 wrong usage, 3 configuration, 4 directory, message store or Asterisk not usable.
    """


@mwi.command()
@config_option
@output_option
@all_option
@mailbox_argument
def show(path: Path, form: str, everybody: bool, mailbox: str | None) -> None:
    """What the message store counts, and what phones were told.

    New and heard are voice messages, other are unread mails. The lamp is known where the running
    controller takes pushes (push_port in [watching]): “2/1” is two new and one old; it may differ
    by the user's rules of notification. Ends with 4 if a mailbox cannot be counted.
    """
    from vm_ari.cli.output import write
    from vm_ari.wiring.mwi import look_at

    async def story(users: "Users") -> "Sequence[Look]":
        return await look_at(config, directory_of(users), await _chosen(users, mailbox, everybody))

    with reported():
        config = configured(path)
    found = on_users(path, story)
    write([_row(one) for one in found], COLUMNS, form)
    if any(one.counts is None for one in found):
        raise SystemExit(UNREACHABLE)


@mwi.command()
@config_option
@all_option
@mailbox_argument
def sync(path: Path, everybody: bool, mailbox: str | None) -> None:
    """Have the running controllers count a mailbox anew, and tell its phones.

    They do so within some seconds; a controller that starts counts all mailboxes by itself.
    """
    from vm_ari.ports import NoticeBookUnavailable
    from vm_ari.wiring.mwi import NoController, have_recounted

    async def story(users: "Users") -> int:
        chosen = await _chosen(users, mailbox, everybody)
        await have_recounted(config, None if everybody else [user.id for user in chosen])
        return len(chosen)

    with reported():
        config = configured(path)
    try:
        count = on_users(path, story)
    except NoController as error:
        fail(error, FAILED)
    except NoticeBookUnavailable as error:
        fail(error, UNREACHABLE)
    click.echo(f"{count} to be counted within some seconds.")


@mwi.command()
@config_option
@output_option
def probe(path: Path, form: str) -> None:
    """Which ways to light a lamp this Asterisk offers, and what the others lack.

    Ends with 1 if there is none, 4 if Asterisk does not answer.
    """
    import asyncio

    from vm_ari.adapters.ari.errors import AriError, AriUnavailable
    from vm_ari.cli.output import write
    from vm_ari.wiring.mwi import methods

    with reported():
        config = configured(path)
    try:
        found = asyncio.run(methods(config))
    except (AriError, AriUnavailable) as error:
        fail(f"Asterisk cannot be used: {error}", UNREACHABLE)
    rows = [
        {"method": one.name, "offered": one.offered, "chosen": one.chosen, "reason": one.reason}
        for one in found
    ]
    write(rows, METHODS, form)
    if not any(one.chosen for one in found):
        raise SystemExit(FAILED)


async def _chosen(users: "Users", asked: str | None, everybody: bool) -> "Sequence[User]":
    """The user who is meant, or all who have a mailbox."""
    from vm_ari.domain.entries import effective_user

    if everybody == bool(asked):
        raise click.UsageError("Name a mailbox, or write --all.")
    entries = [await users.find(asked)] if asked else await users.register.all_entries()
    found = []
    for entry in entries:
        group = await users.organisation(entry.organisation)
        found.append(effective_user(entry, group, users.house.defaults))
    return [user for user in found if user.mailbox]


def _row(one: "Look") -> dict[str, object]:
    counts = one.counts
    return {
        "user": one.user.id,
        "mailbox": one.lamp_mailbox,
        "new": counts.new_voice if counts else None,
        "heard": counts.heard_voice if counts else None,
        "other": counts.new_other if counts else None,
        "lamp": f"{one.told[0]}/{one.told[1]}" if one.told else "",
        "problem": one.problem,
    }
