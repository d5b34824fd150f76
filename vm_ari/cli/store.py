"""``vm-ari store``: where messages lie, and moving them to the other store (STORE-04)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import (
    FAILED,
    PARTLY_FAILED,
    config_option,
    configured,
    directory_of,
    dry_run_option,
    on_users,
    output_option,
)
from vm_ari.cli.store_migrating import Order, migrate_all, resume_all
from vm_ari.cli.users.choosing import choosing, need_somebody

if TYPE_CHECKING:
    from vm_ari.domain.store_moving import StoreKind
    from vm_ari.domain.users import User
    from vm_ari.services.store_migration import StoreSide
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users

STORES = click.Choice(["local", "imap"])
AT_ONCE = 8
"""Mailboxes looked at side by side."""
_COLUMNS = ("user", "mailbox", "local", "imap", "problem")


@click.group()
def store() -> None:
    """Where messages lie, and moving them to the other store.

    Messages lie in Maildirs of our own (“local”) or in the users' mailboxes on mail servers
    (“imap”), as [store] kind says.
    """


@store.command()
@config_option
@dry_run_option
@output_option
@click.option("--from", "source", type=STORES, help="Where the messages are.")
@click.option("--to", "target", type=STORES, help="Where they shall be.")
@click.option(
    "--remove-source/--keep", "remove", default=False,
    help="Take messages away at the old place once they are at the new one.  [default: keep]",
)  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with a migration that was interrupted.")
@click.option("--anew", is_flag=True, help="Forget an interrupted one, and begin another.")
@choosing(needed=False)
def migrate(
    path: Path,
    dry_run: bool,
    form: str,
    source: str | None,
    target: str | None,
    remove: bool,
    resume: bool,
    anew: bool,
    wanted: "Selection",
) -> None:
    """Move messages of users from one store to the other, with folder, flags and date.

    Such as: migrate --from local --to imap --all. Change [store] kind first, so that new messages
    go to the new place; this can run while calls are served. Every message arrives once, however
    often it is interrupted and begun again. Exit codes: as of “users”; 130 after Ctrl-C.
    """
    if resume:
        if wanted or source or target or remove or anew:
            raise click.UsageError("--resume goes on with what was begun: say no more.")
        resume_all(path, form, dry_run=dry_run)
        return
    need_somebody(wanted)
    if source is None and target is None:
        raise click.UsageError("Say where from and where to: --from local --to imap.")
    migrate_all(path, form, wanted, _order(source, target, remove), dry_run=dry_run, anew=anew)


def _order(source: str | None, target: str | None, remove: bool) -> Order:
    """There are two stores only, so one of both is enough."""
    from vm_ari.domain.store_moving import StoreKind

    begin = StoreKind(source) if source else StoreKind(target or "").other
    if target and StoreKind(target) is begin:
        raise click.UsageError(f"Messages are in “{target}” already: name two different stores.")
    return Order(begin, remove)


@store.command()
@config_option
@output_option
@choosing(needed=False)
def status(path: Path, form: str, wanted: "Selection") -> None:
    """Say where the messages of users lie: how many in Maildirs, how many on mail servers.

    On mail servers voice and fax messages are counted. Maildirs that belong to nobody any more are
    listed when everybody is meant. Ends with 5, or 1, when mailboxes cannot be opened.
    """
    from vm_ari.cli.output import write

    rows, active = on_users(path, lambda desk: _look(path, desk, wanted))
    shown = rows if form != "table" else [row for row in rows if any(map(row.get, _COLUMNS[2:]))]
    if shown:
        write(shown, _COLUMNS, form)
    elif form != "table":
        write([], _COLUMNS, form)
    if form == "table":
        click.echo(_sums(rows, active))
    bad = [bool(row["problem"]) for row in rows if row["user"]]
    if any(bad):
        raise SystemExit(FAILED if all(bad) else PARTLY_FAILED)


def _sums(rows: Sequence[dict[str, object]], active: str) -> str:
    def total(name: str) -> int:
        return sum(value for row in rows if isinstance(value := row[name], int))

    new = {"local": "Maildirs of our own", "imap": "the users' mailboxes"}[active]
    told = f"{total('local')} in Maildirs, {total('imap')} on mail servers"
    return f"{told}. New messages go to {new}, and the telephone reads them there."


async def _look(
    path: Path, desk: "Users", wanted: "Selection"
) -> tuple[list[dict[str, object]], str]:
    import asyncio

    from vm_ari.adapters.maildir_tree import store_name
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.wiring.moving import local_side, open_sides, users_of

    config = configured(path)
    users = await users_of(desk, await desk.select(wanted))
    places = asyncio.Semaphore(AT_ONCE)
    async with open_sides(config, KeyRing(config.directory.keys), directory_of(desk)) as sides:

        async def one(user: "User") -> dict[str, object]:
            async with places:
                return await _row(user, sides)

        rows = list(await asyncio.gather(*(one(user) for user in users)))
    if not wanted or wanted.everybody:
        known = {store_name(user) for user in users}
        left = local_side(config).leftovers().items()
        rows += [
            {"user": "", "mailbox": name, "local": count, "imap": 0, "problem": ""}
            for name, count in left
            if name not in known
        ]
    return rows, config.store.kind


async def _row(user: "User", sides: "Mapping[StoreKind, StoreSide]") -> dict[str, object]:
    from vm_ari.domain.store_moving import StoreAway, StoreKind
    from vm_ari.ports import MailboxUnavailable
    from vm_ari.services.store_migration import spots_of

    row: dict[str, object] = {"user": user.id, "mailbox": user.mailbox, "local": 0, "imap": 0}
    problems = []
    for kind in StoreKind:
        if kind in sides:
            try:
                row[kind.value] = len(await spots_of(sides[kind], user))
            except (StoreAway, MailboxUnavailable) as error:
                row[kind.value] = None
                problems.append(str(error))
    return {**row, "problem": "; ".join(problems)}
