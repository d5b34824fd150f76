"""Doing something for many users: what happened to each is said, and some may fail."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import FAILED, PARTLY_FAILED, on_users
from vm_ari.cli.progress import progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vm_ari.domain.entries import Entry
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Change, Users

UNCHANGED = "unchanged"
_OUTAGE = 3
"""So many users in a row, for whom the directory was away: nobody waits for thousands of them."""


@dataclass(frozen=True)
class Result:
    """What happened to one user."""

    what: str
    """Such as ``changed``, ``unchanged``, ``deleted``, ``failed``."""
    changes: "Sequence[Change]" = ()
    pin: str = ""
    """A new one, to be shown this once."""
    reason: str = ""
    """Of a failure."""
    told: str = ""
    """For people, in place of the changes."""

    @property
    def line(self) -> str:
        """For people."""
        if self.what == UNCHANGED and not self.pin:
            return "no change"
        told = self.told or written(self.changes) or self.what
        if self.what.startswith("would") and told != self.what:
            told = f"would become: {told}"
        return f"{told}; the PIN is {self.pin}" if self.pin else told

    def row(self, user_id: str) -> dict[str, object]:
        """For programs."""
        changes = [{"field": c.field, "old": c.old, "new": c.new} for c in self.changes]
        row: dict[str, object] = {"user": user_id, "result": self.what, "changes": changes}
        return {**row, "reason": self.reason, **({"pin": self.pin} if self.pin else {})}


Work = Callable[["Users", "Entry"], Awaitable[Result]]


@dataclass
class Report:
    """What is said while the work goes on, and at its end."""

    form: str
    brief: bool = False
    """People do not get a line for each."""
    closing: bool = False
    """People get the sums at the end."""
    rows: list[dict[str, object]] = field(default_factory=list)
    failed: int = 0

    def note(self, user_id: str, result: Result) -> None:
        """One is done."""
        if self.form != "table":
            self.rows.append(result.row(user_id))
        elif not self.brief:
            click.echo(f"{user_id}: {result.line}")

    def note_failure(self, user_id: str, reason: str) -> None:
        """One has failed."""
        click.echo(f"{user_id}: {reason}", err=True)
        self.failed += 1
        if self.form != "table":
            self.rows.append(Result("failed", reason=reason).row(user_id))

    def write(self, sums: "Mapping[str, int] | None" = None) -> None:
        """The sums for people, everything for programs."""
        from vm_ari.cli.output import write

        if self.form == "table":
            if self.closing:
                both = {**(sums or {}), **({"failed": self.failed} if self.failed else {})}
                click.echo(", ".join(f"{count} {what}" for what, count in both.items()))
            return
        rows = self.rows
        if self.form == "tsv":
            rows = [{**row, "changes": _flat(row["changes"])} for row in rows]
        pins = ("pin",) if any("pin" in row for row in rows) else ()
        write(rows, ("user", "result", "changes", "reason", *pins), self.form)


def for_each(
    path: Path,
    wanted: "Selection",
    report: Report,
    work: Work,
    *,
    before: "Callable[[Sequence[Entry]], None]" = lambda _found: None,
) -> None:
    """Do it for all of them, and say what happened.

    *before* hears whom it will be done for, and may end the program. Ends it with an exit code,
    when somebody failed.
    """
    total, sums = on_users(path, lambda desk: _all(desk, wanted, report, work, before))
    report.write(sums)
    if not total:
        click.echo("Nobody is chosen by that; “vm-ari users list” shows all.", err=True)
        raise SystemExit(FAILED)
    if report.failed == 0:
        return
    click.echo(f"{report.failed} of {total} users failed.", err=True)
    raise SystemExit(PARTLY_FAILED if report.failed < total else FAILED)


async def _all(
    desk: "Users",
    wanted: "Selection",
    report: Report,
    work: Work,
    before: "Callable[[Sequence[Entry]], None]",
) -> tuple[int, dict[str, int]]:
    from vm_ari.domain.directory_text import Unstorable
    from vm_ari.domain.preferences import BadSetting
    from vm_ari.ports import DirectoryReadOnly, DirectoryUnavailable, Taken, UnknownUser
    from vm_ari.services.users import Refused

    found = await desk.select(wanted)
    before(found)
    sums: dict[str, int] = {}
    away = 0
    quiet = report.brief or report.form != "table"
    with progress(len(found) if quiet else 0, "Changing") as advance:
        for done, entry in enumerate(found):
            try:
                result = await work(desk, entry)
            except (BadSetting, Refused, Taken, UnknownUser, Unstorable, DirectoryReadOnly) as why:
                away = 0
                report.note_failure(entry.id, str(why))
            except DirectoryUnavailable as why:
                if not sums:
                    raise
                away += 1
                report.note_failure(entry.id, str(why))
                if away == _OUTAGE:
                    _note_rest(report, found[done + 1 :], str(why))
                    break
            else:
                away = 0
                report.note(entry.id, result)
                sums[result.what] = sums.get(result.what, 0) + 1
            advance(1)
    return len(found), sums


def _note_rest(report: Report, rest: "Sequence[Entry]", reason: str) -> None:
    """The directory went away in the middle: nobody after that is tried."""
    for entry in rest:
        report.note_failure(entry.id, f"not changed, for the directory cannot be used: {reason}")


def written(changes: "Sequence[Change]") -> str:
    """Changes on one line."""
    return ", ".join(f"{c.field} {c.old or '-'} → {c.new or '-'}" for c in changes)


def _flat(changes: object) -> str:
    assert isinstance(changes, list)
    return ", ".join(f"{c['field']} {c['old'] or '-'} → {c['new'] or '-'}" for c in changes)
