"""``vm-ari log``: the program's own log read back, and its level changed for a while (OPS-02)."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import FAILED, config_option, configured, fail, output_option, reported

if TYPE_CHECKING:
    from datetime import timedelta

    from vm_ari.config import Config
    from vm_ari.domain.log_lines import LogLine, LogQuery

KINDS = ("calls", "portal", "wrong-pin", "notices", "system")
LEVELS = ("debug", "info", "warning", "error")
COLUMNS = ("at", "level", "kind", "event", "facts")
MOST = 10_000
_DURATION = re.compile(r"([1-9][0-9]{0,3})(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
LONGEST_HOURS = 24


@click.group()
def log() -> None:
    """The program's own log: read back, and its level changed for a while."""


@log.command()
@config_option
@output_option
@click.option("--kind", type=click.Choice(KINDS), help="Only lines about this.")
@click.option("--level", type=click.Choice(LEVELS), default=None, help="From this level on.")
@click.option("--user", default="", help="Only lines about the user of that id.")
@click.option("--call", default="", help="Only lines of the call of that channel.")
@click.option("--text", default="", help="Only lines in which this stands.")
@click.option("-n", "--lines", "most", type=click.IntRange(1, MOST), default=50, show_default=True)
def show(
    path: Path,
    form: str,
    kind: str | None,
    level: str | None,
    user: str,
    call: str,
    text: str,
    most: int,
) -> None:
    """Show the newest lines, the newest last: of the file, or of systemd's journal."""
    from vm_ari.cli.output import write
    from vm_ari.domain.log_lines import LogKind, LogQuery

    query = LogQuery(LogKind(kind) if kind else None, level or "", text, user, call)
    with reported():
        config = configured(path)
    found = _newest(config, query, most)
    write([_row(one) for one in reversed(found)], COLUMNS, form)


def _newest(config: "Config", query: "LogQuery", most: int) -> "list[LogLine]":
    import asyncio

    from vm_ari.ports import LogsUnavailable
    from vm_ari.wiring.logs import open_logs

    logs = open_logs(config)

    async def read() -> "list[LogLine]":
        found: list[LogLine] = []
        after = ""
        while True:
            page = await logs.newest(query, after=after, limit=most - len(found))
            found += page.lines
            after = page.older
            if not after or len(found) >= most:
                return found

    try:
        return asyncio.run(read())
    except LogsUnavailable as error:
        fail(f"The log cannot be read: {error}", FAILED)


def _row(line: "LogLine") -> dict[str, object]:
    return {
        "at": f"{line.at:%Y-%m-%d %H:%M:%S%z}" if line.at else "",
        "level": line.level,
        "kind": line.kind.value,
        "event": line.event,
        "area": line.area,
        "facts": " ".join(f"{key}={value}" for key, value in line.facts),
        "raw": line.raw,
    }


@log.command()
@config_option
@click.argument("wanted", metavar="[LEVEL]", type=click.Choice(LEVELS), required=False)
@click.option("--for", "time", default="15m", show_default=True, help="So long: 90s, 15m, 2h.")
@click.option("--usual", is_flag=True, help="Back to that of the configuration, at once.")
def level(path: Path, wanted: str | None, time: str, usual: bool) -> None:
    """Let the running programs of this machine write from LEVEL on for a while, or show the level.

    They follow within two seconds; after that time “log_level” counts again.
    """
    from datetime import UTC, datetime

    from vm_ari.logs import wish_level, wished_level
    from vm_ari.wiring.logs import level_file

    with reported():
        config = configured(path)
    file, now = level_file(config), datetime.now(UTC)
    try:
        if usual:
            file.unlink(missing_ok=True)
        elif wanted:
            wish_level(file, wanted, now + _duration(time))
    except OSError as error:
        fail(f"{error.filename or file}: {error.strerror}", FAILED)
    present, until = wished_level(file, config.log_level, now)
    click.echo(f"{present}, until {until:%Y-%m-%d %H:%M:%S} UTC" if until else present)


def _duration(text: str) -> "timedelta":
    from datetime import timedelta

    found = _DURATION.fullmatch(text.strip())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LONGEST_HOURS * 3600:
        raise click.BadParameter("write such as 90s, 15m or 2h, at most 24h", param_hint="--for")
    return timedelta(seconds=seconds)
