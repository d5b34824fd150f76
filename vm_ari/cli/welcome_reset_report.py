"""What a mass reset says: who is meant, what became of them, and how to go on."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import DEFAULT_CONFIG, FAILED, PARTLY_FAILED, UNREACHABLE
from vm_ari.domain.callers import printable

if TYPE_CHECKING:
    from vm_ari.domain.mass_reset import Item, Order, Sums
    from vm_ari.services.mass_reset import Preview

_SHOWN = 20
"""So many failures are told on the terminal; the journal and the other forms know all."""
_BY_SIGNAL = 128
"""Added to a signal's number it is the exit code, as shells have it."""


@dataclass
class Ended:
    """How a run has ended."""

    items: "Sequence[Item]"
    signal: int = 0
    """Which one asked us to stop."""
    trouble: Exception | None = None
    """What made us stop."""


@dataclass(frozen=True)
class Terms:
    """What the command line asks for, beside the users."""

    config: Path
    form: str
    dry_run: bool
    rate: int
    """Users a minute; 0: as fast as it goes."""
    meant: int | None
    """So many users are meant, typed in advance."""


def announce(found: "Preview", order: "Order") -> None:
    """Who is meant, and what will become of them."""
    known = {
        "locked": found.locked,
        "without a PIN": found.without_pin,
        "whose welcome mail is waiting already": found.due,
    }
    more = "".join(f", {count} {what}" for what, count in known.items() if count)
    click.echo(f"{users_are(len(found.users))} chosen{more}.", err=True)
    brings = " and brings a new PIN" if order.new_pin else ""
    when = "now" if order.now else "with the next call"
    locks = " Locks are taken away at once." if order.unlock else ""
    click.echo(f"The welcome mail leaves {when}{brings}.{locks}", err=True)


def tell(items: "Sequence[Item]", form: str) -> None:
    """The report: sums and failures for people, everybody for programs."""
    from vm_ari.cli.output import write
    from vm_ari.domain.mass_reset import Outcome, sums_of

    sums = sums_of(items)
    if form == "table":
        click.echo(said(sums))
    else:
        rows = [
            {"user": item.user, "result": item.outcome.value, "reason": item.reason}
            for item in items
        ]
        write(rows, ("user", "result", "reason"), form)
    failed = [item for item in items if item.outcome is Outcome.FAILED]
    for item in failed[:_SHOWN]:
        click.echo(f"{printable(item.user)}: {item.reason}", err=True)
    if len(failed) > _SHOWN:
        click.echo(f"… and {len(failed) - _SHOWN} more; the journal names them.", err=True)


def tell_dry_run(found: "Preview", form: str) -> None:
    """What would be changed."""
    from vm_ari.cli.output import write

    if form == "table":
        same = len(found.unchanged)
        click.echo(f"{len(found.users) - same} would be reset, {same} unchanged")
        return
    rows = [
        {"user": user, "result": "unchanged" if user in found.unchanged else "would be reset"}
        for user in found.users
    ]
    write(rows, ("user", "result"), form)


def finish(terms: Terms, journal: Path, ended: Ended) -> None:
    """Say how to go on, where something is left, and end with the exit code."""
    from vm_ari.domain.mass_reset import sums_of

    sums = sums_of(ended.items)
    click.echo(f"Journal: {journal}", err=True)
    if ended.trouble:
        click.echo(f"Stopped: {ended.trouble}", err=True)
    if sums.failed or sums.open:
        click.echo(f"Go on with: {_resume_command(terms, journal)}", err=True)
    if ended.signal:
        raise SystemExit(_BY_SIGNAL + ended.signal)
    _exit(sums, away=ended.trouble is not None)


def _exit(sums: "Sums", *, away: bool) -> None:
    if sums.failed + sums.open == 0:
        return
    if sums.done + sums.unchanged:
        raise SystemExit(PARTLY_FAILED)
    raise SystemExit(UNREACHABLE if away and not sums.failed else FAILED)


def _resume_command(terms: Terms, journal: Path) -> str:
    words = ["vm-ari", "welcome", "reset", "--resume", str(journal.absolute())]
    if terms.config != Path(DEFAULT_CONFIG):
        words += ["-c", str(terms.config.absolute())]
    if terms.rate:
        words += ["--rate", f"{terms.rate}/min"]
    return shlex.join(words)


def said(sums: "Sums") -> str:
    """Sums that add up to everybody."""
    told = f"{sums.done} reset, {sums.unchanged} unchanged, {sums.failed} failed"
    return f"{told}, {sums.open} open" if sums.open else told


def users_are(count: int) -> str:
    """The beginning of a sentence."""
    return "1 user is" if count == 1 else f"{count} users are"
