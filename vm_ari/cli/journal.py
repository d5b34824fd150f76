"""``vm-ari journal``: what calls and messages there were."""

import csv
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from vm_ari.cli.opening import FAILED, UNREACHABLE, config_option, configured, fail, reported

if TYPE_CHECKING:
    from vm_ari.config import Config
    from vm_ari.domain.journal import JournalEntry, Search, Viewer
    from vm_ari.services.journal import JournalReading

T = TypeVar("T")
Command = TypeVar("Command", bound=Callable[..., None])

COLUMNS = ("started", "kind", "result", "user", "caller_number", "caller_name", "called", "id")
KINDS = (
    *("call", "transfer", "remote-inquiry", "message-sent", "fax-sent", "message-received"),
    *("spoken-sent", "fax", "conference", "missed-call", "notification", "system-call"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.group()
def journal() -> None:
    """What calls and messages there were: listed, searched, written to a file.

    Times are UTC. What was left for numbers that nobody has is not shown: only the default
    recipient sees it.
    """


def _filters(command: Command) -> Command:
    """What an entry must be like."""
    for option in (
        click.option("--message", "with_message", is_flag=True, help="Only with a message."),
        click.option("--result", help="How it ended, such as message-left."),
        click.option("--kind", type=click.Choice(KINDS), help="What it was."),
        click.option("--until", type=_MOMENT, help="Before that time, such as 2026-03-01."),
        click.option("--since", type=_MOMENT, help="From that time on."),
        click.option("--name", default="", help="Words of the caller's name begin like that."),
        click.option("--number", default="", help="Of caller or called, in any spelling."),
        click.option("--user", "user_id", default="", help="Whose entries: a user's id."),
    ):
        command = option(command)
    return command


@journal.command(name="list")
@config_option
@_filters
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "json", "tsv", "csv"]),
    default="table",
    show_default=True,
    help="How the result is written.",
)
@click.option(
    "--limit", type=click.IntRange(1, 500), default=50, show_default=True, help="So many at most."
)
def show_list(path: Path, form: str, limit: int, **wanted: Any) -> None:
    """Show the newest entries."""
    from vm_ari.cli.output import write

    search = _search(wanted)
    page = _on(path, lambda reading: reading.entries_for(_all(), search, limit=limit))
    rows = [_row(entry) for entry in page.entries]
    if form == "csv":
        _write_csv(rows, sys.stdout)
    else:
        write(rows, COLUMNS, form)
    if page.older and form == "table":
        click.echo("There are older ones: see --until and --limit, or vm-ari journal export.")


@journal.command()
@config_option
@click.argument("entry_id", metavar="ID")
def show(path: Path, entry_id: str) -> None:
    """Show all that is known of one entry."""
    from vm_ari.cli.output import write

    entry = _on(path, lambda reading: reading.entry_for(_all(), entry_id))
    if entry is None:
        fail(f"There is no entry {entry_id}.", FAILED)
    facts = [(key.replace("_", " "), value) for key, value in _row(entry).items()]
    known = [{"what": key, "value": value} for key, value in facts if value not in ("", None)]
    write(known, ("what", "value"), "table")


@journal.command()
@config_option
@_filters
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["csv", "json"]),
    default="csv",
    show_default=True,
    help="csv for spreadsheets, json for a JSON object in each line.",
)
@click.argument("file", type=click.File("w", encoding="utf-8", lazy=False), default="-")
def export(path: Path, form: str, file: TextIO, **wanted: Any) -> None:
    """Write all entries into FILE, or to the screen; the newest first."""
    search = _search(wanted)

    async def story(reading: "JournalReading") -> int:
        rows = 0
        async for entry in reading.export(_all(), search):
            _write_one(_row(entry), file, form, first=rows == 0)
            rows += 1
        return rows

    count = _on(path, story)
    click.echo(f"{count} entries", err=True)


@journal.command()
@config_option
def sweep(path: Path) -> None:
    """Forget now what is due, as the running controller does every hour."""
    import asyncio

    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.ports import JournalUnavailable
    from vm_ari.services.journal_keeping import Swept
    from vm_ari.wiring.journal import open_journal_keeping, open_journal_store

    async def run(config: "Config") -> Swept:
        store = open_journal_store(config)
        try:
            return await open_journal_keeping(config, store, SystemClock()).sweep()
        finally:
            await store.close()

    with reported():
        try:
            swept = asyncio.run(run(configured(path)))
        except JournalUnavailable as error:
            fail(error, UNREACHABLE)
    click.echo(f"{swept.removed} removed, the numbers of {swept.shortened} shortened")


def _all() -> "Viewer":
    from vm_ari.domain.journal import Viewer

    return Viewer("", everybody=True)


def _search(wanted: Mapping[str, Any]) -> "Search":
    """From the options."""
    from vm_ari.domain.journal import Kind, Result, Search

    result, kind = wanted["result"], wanted["kind"]
    if result is not None and result not in set(Result):
        raise click.BadParameter(f"{result}: there are {', '.join(Result)}", param_hint="--result")
    return Search(
        user_id=wanted["user_id"],
        number=wanted["number"],
        name=wanted["name"],
        kind=Kind(kind) if kind else None,
        result=Result(result) if result else None,
        since=_utc(wanted["since"]),
        until=_utc(wanted["until"]),
        with_message=wanted["with_message"],
    )


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment else None


def _row(entry: "JournalEntry") -> dict[str, object]:
    """Times to the second."""
    from vm_ari.domain.journal import as_record

    ended = f"{entry.ended:%Y-%m-%d %H:%M:%S}" if entry.ended else ""
    return as_record(entry) | {"started": f"{entry.started:%Y-%m-%d %H:%M:%S}", "ended": ended}


def _write_one(row: Mapping[str, object], file: TextIO, form: str, *, first: bool) -> None:
    import json

    if form == "json":
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    else:
        _write_csv([row], file, head=first)


def _write_csv(rows: Sequence[Mapping[str, object]], file: TextIO, *, head: bool = True) -> None:
    """As spreadsheets read it; nothing in it is taken for a formula."""
    writer = csv.writer(file)
    for row in rows:
        if head:
            writer.writerow(row)
            head = False
        writer.writerow([_harmless(value) for value in row.values()])


def _harmless(value: object) -> str:
    """A caller can choose his name: ``=HYPERLINK(…)`` shall stay a text."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _on(path: Path, story: "Callable[[JournalReading], Awaitable[T]]") -> T:
    """Run a story on the configured journal; an error ends the program with its exit code."""
    import asyncio

    from vm_ari.domain.journal import BadSearch
    from vm_ari.logs import logs_of_command
    from vm_ari.ports import JournalUnavailable
    from vm_ari.services.journal import JournalReading
    from vm_ari.wiring.journal import open_journal_store

    async def run(config: "Config") -> T:
        store = open_journal_store(config)
        try:
            return await story(JournalReading(store, config.rules().sites))
        finally:
            await store.close()

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            try:
                return asyncio.run(run(config))
            except BadSearch as error:
                fail(error, FAILED)
            except JournalUnavailable as error:
                fail(error, UNREACHABLE)
