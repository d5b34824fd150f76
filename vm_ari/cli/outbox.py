"""``vm-ari outbox``: what waits to be delivered, and what was refused for good (MAIL-08)."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.opening import (
    FAILED,
    config_option,
    configured,
    fail,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from datetime import datetime

    from vm_ari.adapters.mail_queue import MailQueue
    from vm_ari.adapters.spool import FileSpool
    from vm_ari.domain.delivery import Attempts
    from vm_ari.domain.messages import CallFacts
    from vm_ari.domain.system_mails import Letter

T = TypeVar("T")

COLUMNS = ("id", "what", "for", "state", "since", "tries", "next_try", "reason")
WAITING, HELD = "waiting", "held"
MINUTES = "%Y-%m-%d %H:%M"


@click.group()
def outbox() -> None:
    """What waits to be delivered, and what was refused for good."""


@outbox.command(name="list")
@config_option
@output_option
@click.option("--held", "only_held", is_flag=True, help="Only what was refused for good.")
def show(path: Path, form: str, only_held: bool) -> None:
    """Show voice messages and mails of the system that are not delivered.

    What is waiting is tried again by itself. What is held was refused for good; when the cause is
    mended, release it.
    """
    from vm_ari.cli.output import write

    rows = _on_both(path, _rows)
    write([row for row in rows if row["state"] == HELD or not only_held], COLUMNS, form)


@outbox.command()
@config_option
@click.option("--all", "everything", is_flag=True, help="All that is held.")
@click.argument("ids", metavar="[ID]...", nargs=-1)
def release(path: Path, everything: bool, ids: Sequence[str]) -> None:
    """Try again, within a minute, what was refused for good.

    Ends with 1 if something of that ID is not held.
    """
    if everything == bool(ids):
        raise click.UsageError("Name what to release by its ID, or write --all.")

    async def story(spool: "FileSpool", queue: "MailQueue") -> list[str]:
        held = {str(row["id"]): row for row in await _rows(spool, queue) if row["state"] == HELD}
        unknown = [one for one in ids if one not in held]
        if unknown:
            fail(f"Not held: {' '.join(unknown)}. Nothing was released.", FAILED)
        chosen = list(held) if everything else list(dict.fromkeys(ids))
        for one in chosen:
            await (spool.release(one) if held[one]["what"] == "voice" else queue.retry(one))
        return chosen

    chosen = _on_both(path, story)
    click.echo(f"{len(chosen)} released; the running controller tries within a minute")


async def _rows(spool: "FileSpool", queue: "MailQueue") -> list[dict[str, object]]:
    """Voice messages first, the oldest first."""
    rows = [_voice(m.facts, WAITING, tries) for m, tries, _ in await spool.waiting()]
    rows += [_voice(facts, HELD, tries) for facts, tries in await spool.held()]
    for name, tries in await queue.waiting():
        letter = await queue.letter(name)
        rows += [_mail(letter, WAITING, tries)] if letter else []
    return rows + [_mail(letter, HELD, tries) for letter, tries in await queue.held()]


def _voice(facts: "CallFacts", state: str, tries: "Attempts") -> dict[str, object]:
    for_whom = facts.user_id or facts.called
    return {"id": facts.id, "what": "voice", "for": for_whom} | _fate(state, facts.started, tries)


def _mail(letter: "Letter", state: str, tries: "Attempts") -> dict[str, object]:
    named = {"id": letter.id, "what": letter.kind.value, "for": letter.recipient.user_id}
    return named | _fate(state, letter.written, tries)


def _fate(state: str, since: "datetime", tries: "Attempts") -> dict[str, object]:
    """Times are UTC."""
    later = f"{tries.not_before:{MINUTES}}" if tries.not_before else "now"
    return {
        "state": state,
        "since": f"{since:{MINUTES}}",
        "tries": tries.failed,
        "next_try": later if state == WAITING else "",
        "reason": tries.last_error,
    }


def _on_both(path: Path, story: "Callable[[FileSpool, MailQueue], Awaitable[T]]") -> T:
    """Run a story on what the controller works on, beside it."""
    import asyncio

    from vm_ari.adapters.mail_queue import MailQueue
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.adapters.spool import FileSpool
    from vm_ari.logs import logs_of_command
    from vm_ari.ports import MailNotQueued, SpoolFull

    async def run() -> T:
        spool = FileSpool(config.spool.directory)
        place = config.mail.queue or config.spool.directory / "system-mails"
        queue = MailQueue(place, KeyRing(config.directory.keys))
        try:
            return await story(spool, queue)
        finally:
            queue.close()

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            try:
                return asyncio.run(run())
            except (SpoolFull, MailNotQueued) as error:
                fail(f"The outbox cannot be read: {error}", FAILED)
