"""The work of ``vm-ari store migrate``: from the choice of users to report and exit code."""

import shlex
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import (
    BAD_CONFIG,
    DEFAULT_CONFIG,
    FAILED,
    PARTLY_FAILED,
    configured,
    directory_of,
    fail,
    on_users,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.adapters.migration_journal import Head, MigrationJournal
    from vm_ari.config import Config
    from vm_ari.domain.store_moving import StoreKind, Tally
    from vm_ari.domain.users import User
    from vm_ari.services.store_migration import Migration
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users

_COLUMNS = ("user", "result", "found", "copied", "there", "gone", "failed", "removed", "reason")
_SHOWN = 20
"""So many failures are told on the terminal; the journal and the other forms know all."""
_BY_SIGNAL = 128
"""Added to a signal's number it is the exit code, as shells have it."""


@dataclass(frozen=True)
class Order:
    """What the command line asks for, beside the users."""

    source: "StoreKind"
    remove: bool


@dataclass
class Ended:
    """How a run has ended."""

    tallies: "Sequence[Tally]" = ()
    signal: int = 0
    """Which one asked us to stop."""
    trouble: Exception | None = None
    """What made us stop."""


def migrate_all(
    path: Path, form: str, wanted: "Selection", order: Order, *, dry_run: bool, anew: bool
) -> None:
    """A new migration; it ends the program with its exit code."""
    from vm_ari.adapters.migration_journal import Head, MigrationJournal
    from vm_ari.cli.welcome_reset import directory_name
    from vm_ari.domain.store_moving import MigrationUnusable

    with reported():
        config = configured(path)
    _need_both(config)
    file = journal_file(config)
    if anew and file.exists() and not dry_run:
        _forget(file)
    if file.exists() and not dry_run:
        fail(_interrupted(path, file), FAILED)
    users = on_users(path, lambda desk: _chosen(config, desk, wanted))
    if not users:
        fail("Nobody is chosen by that; “vm-ari users list” shows all.", FAILED)
    head = Head(directory_name(config), order.source, order.remove, tuple(u.id for u in users))
    if dry_run:
        _look(path, form, config, head, users)
        return
    try:
        journal = MigrationJournal.create(file, head)
    except MigrationUnusable as error:
        fail(error, FAILED)
    _run(path, form, config, journal)


def resume_all(path: Path, form: str, *, dry_run: bool) -> None:
    """Go on with an interrupted one; it ends the program with its exit code."""
    from vm_ari.adapters.migration_journal import MigrationJournal
    from vm_ari.cli.welcome_reset import directory_name
    from vm_ari.domain.store_moving import MigrationUnusable

    with reported():
        config = configured(path)
    _need_both(config)
    file = journal_file(config)
    if not file.exists():
        fail("There is no interrupted migration: nothing to go on with.", FAILED)
    try:
        journal = MigrationJournal.open(file)
    except MigrationUnusable as error:
        fail(error, FAILED)
    if journal.head.directory != directory_name(config):
        journal.close()
        fail(f"{file} was written for another directory: {journal.head.directory}", FAILED)
    if dry_run:
        journal.close()
        tell(journal.tallies, form, dry=False)
        return
    _run(path, form, config, journal)


def journal_file(config: "Config") -> Path:
    """There is one at most: two migrations at a time would undo each other's work."""
    return config.directory.keys.parent / "journals" / "store-migration.jsonl"


def _need_both(config: "Config") -> None:
    if config.imap is None:
        fail(
            "There are no mail servers to move from or to: write a table [imap], and "
            "kind = “imap” in [store] (or moving = true, while new messages stay local).",
            BAD_CONFIG,
        )


def _forget(file: Path) -> None:
    """It is kept under another name, also where nobody can read it any more."""
    from vm_ari.adapters.migration_journal import MigrationJournal, aside
    from vm_ari.domain.store_moving import MigrationInUse, MigrationUnusable

    try:
        MigrationJournal.open(file).put_away()
    except MigrationInUse as error:
        fail(error, FAILED)
    except MigrationUnusable:
        aside(file)


def _interrupted(path: Path, file: Path) -> str:
    return (
        f"A migration was interrupted, or some users failed: {file}\n"
        f"Go on with: {_resume_command(path)}\nOr forget it: --anew"
    )


async def _chosen(config: "Config", desk: "Users", wanted: "Selection") -> "list[User]":
    from vm_ari.wiring.moving import users_of

    return await users_of(desk, await desk.select(wanted))


def _look(path: Path, form: str, config: "Config", head: "Head", users: "Sequence[User]") -> None:
    ended = Ended()
    on_users(path, lambda desk: _work(config, desk, head, None, users, ended))
    tell(ended.tallies, form, dry=True)
    _exit(ended)


def _run(path: Path, form: str, config: "Config", journal: "MigrationJournal") -> None:
    """The work, from an open journal to the exit code."""
    from vm_ari.domain.store_moving import Fate

    ended = Ended()
    todo = [one.user for one in journal.tallies if one.fate is not Fate.DONE]

    async def story(desk: "Users") -> None:
        found = {user.id: user for user in await _everybody(config, desk, todo)}
        users = [found[name] for name in todo if name in found]
        for name in sorted(set(todo) - found.keys()):
            await journal.note_end(_nobody(name))
        await _work(config, desk, journal.head, journal, users, ended)

    try:
        on_users(path, story)
    except KeyboardInterrupt:  # a second one: whoever is in the middle is left open
        ended.signal = signal.SIGINT
    now = {one.user: one for one in (*journal.tallies, *ended.tallies)}
    ended.tallies = list(now.values())
    record = journal.put_away() if journal.is_finished else None
    if record is None:
        journal.close()
    tell(ended.tallies, form, dry=False)
    click.echo(f"Journal: {record or journal.path}", err=True)
    if ended.trouble:
        click.echo(f"Stopped: {ended.trouble}", err=True)
    if record is None:
        click.echo(f"Go on with: {_resume_command(path)}", err=True)
    _exit(ended)


def _nobody(name: str) -> "Tally":
    from vm_ari.domain.store_moving import Fate, Tally

    return Tally(name, Fate.FAILED, reason=f"There is no user {name} any more.")


async def _everybody(config: "Config", desk: "Users", wanted: Sequence[str]) -> "list[User]":
    from vm_ari.wiring.moving import users_of

    entries = await desk.register.all_entries()
    return await users_of(desk, [entry for entry in entries if entry.id in set(wanted)])


async def _work(
    config: "Config",
    desk: "Users",
    head: "Head",
    journal: "MigrationJournal | None",
    users: "Sequence[User]",
    ended: Ended,
) -> None:
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.cli.progress import progress
    from vm_ari.domain.store_moving import MigrationUnusable, Tally
    from vm_ari.services.store_migration import Migration
    from vm_ari.wiring.moving import open_sides

    tallies = {user.id: Tally(user.id) for user in users}
    async with open_sides(config, KeyRing(config.directory.keys), directory_of(desk)) as sides:
        source, target = sides[head.source], sides[head.source.other]
        migration = Migration(source, target, journal, head.remove)
        with _stopped_by_signals(migration, ended), progress(len(users), "Moving") as advance:

            def note(tally: Tally) -> None:
                tallies[tally.user] = tally
                advance(1)

            try:
                await migration.run(users, note)
            except MigrationUnusable as error:
                ended.trouble = error
    ended.tallies = list(tallies.values())


@contextmanager
def _stopped_by_signals(migration: "Migration", ended: Ended) -> Iterator[None]:
    """The first signal lets messages under way arrive; a second one does not wait."""
    import asyncio

    loop = asyncio.get_running_loop()
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def on_signal(number: int) -> None:
        ended.signal = number
        for each in watched:
            loop.remove_signal_handler(each)
        migration.stop()

    for number in watched:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in watched:
            loop.remove_signal_handler(number)


def tell(tallies: "Sequence[Tally]", form: str, *, dry: bool) -> None:
    """The report: who had messages, and sums that add up, for people; all for programs."""
    from vm_ari.cli.output import write
    from vm_ari.domain.callers import printable
    from vm_ari.domain.store_moving import Fate, sum_of

    rows = [_row(one) for one in tallies]
    if form != "table":
        write(rows, _COLUMNS, form)
    elif shown := [row for row, one in zip(rows, tallies, strict=True) if one.found]:
        write(shown, _COLUMNS[:-1], form)
    if form == "table":
        click.echo(_said(sum_of(tallies), dry=dry))
    failed = [one for one in tallies if one.fate is Fate.FAILED]
    for one in failed[:_SHOWN]:
        click.echo(f"{printable(one.user)}: {one.reason}", err=True)
    if len(failed) > _SHOWN:
        click.echo(f"… and {len(failed) - _SHOWN} more; -o json names them.", err=True)


def _row(one: "Tally") -> dict[str, object]:
    counts = {name: getattr(one, name) for name in _COLUMNS[2:-1]}
    return {"user": one.user, "result": one.fate.value, **counts, "reason": one.reason}


def _said(sums: "Tally", *, dry: bool) -> str:
    copied = f"{sums.copied} {'would be copied' if dry else 'copied'}"
    rest = f"{sums.there} there already, {sums.gone} gone meanwhile, {sums.failed} failed"
    waiting = f", {sums.waiting} not yet looked at" if sums.waiting else ""
    told = f"{sums.found} messages: {copied}, {rest}{waiting}."
    return f"{told} {sums.removed} removed at the old place." if sums.removed else told


def _exit(ended: Ended) -> None:
    from vm_ari.domain.store_moving import Fate

    if ended.signal:
        raise SystemExit(_BY_SIGNAL + ended.signal)
    done = sum(one.fate is Fate.DONE for one in ended.tallies)
    if done == len(ended.tallies) and not ended.trouble:
        return
    raise SystemExit(PARTLY_FAILED if done else FAILED)


def _resume_command(path: Path) -> str:
    words = ["vm-ari", "store", "migrate", "--resume"]
    if path != Path(DEFAULT_CONFIG):
        words += ["-c", str(path.absolute())]
    return shlex.join(words)
