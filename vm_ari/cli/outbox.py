"""``vm-ari outbox``: what waits to be delivered, and what was refused for good (MAIL-08)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
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
    from vm_ari.adapters.notice_queue import NoticeQueue
    from vm_ari.adapters.spool import FileSpool
    from vm_ari.domain.delivery import Attempts
    from vm_ari.domain.messages import CallFacts
    from vm_ari.domain.notice_jobs import NoticeJob
    from vm_ari.domain.system_mails import Letter

T = TypeVar("T")

COLUMNS = ("id", "what", "for", "state", "since", "tries", "next_try", "reason")
WAITING, HELD = "waiting", "held"
VOICE, NOTICE = "voice", "notice by "
MINUTES = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class Waits:
    """Where things wait."""

    spool: "FileSpool"
    queue: "MailQueue"
    notices: "NoticeQueue"


@click.group()
def outbox() -> None:
    """What waits to be delivered, and what was refused for good."""


@outbox.command(name="list")
@config_option
@output_option
@click.option("--held", "only_held", is_flag=True, help="Only what was refused for good.")
def show(path: Path, form: str, only_held: bool) -> None:
    """Show voice messages, mails of the system and notices (SMS …) that are not delivered.

    What is waiting is tried again by itself. What is held was refused for good; when the cause is
    mended, release it.
    """
    from vm_ari.cli.output import write

    rows = _on_all(path, _rows)
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

    async def story(waits: Waits) -> list[str]:
        held = {str(row["id"]): row for row in await _rows(waits) if row["state"] == HELD}
        unknown = [one for one in ids if one not in held]
        if unknown:
            fail(f"Not held: {' '.join(unknown)}. Nothing was released.", FAILED)
        chosen = list(held) if everything else list(dict.fromkeys(ids))
        for one in chosen:
            await _let_go(waits, one, str(held[one]["what"]))
        return chosen

    chosen = _on_all(path, story)
    click.echo(f"{len(chosen)} released; the running controller tries within a minute")


async def _let_go(waits: Waits, one: str, what: str) -> None:
    from datetime import UTC, datetime

    if what == VOICE:
        await waits.spool.release(one)
    elif what.startswith(NOTICE):
        await waits.notices.retry(one, datetime.now(UTC))
    else:
        await waits.queue.retry(one)


async def _rows(waits: Waits) -> list[dict[str, object]]:
    """Voice messages first, then mails, then notices; of each the oldest first."""
    rows = [_voice(m.facts, WAITING, tries) for m, tries, _ in await waits.spool.waiting()]
    rows += [_voice(facts, HELD, tries) for facts, tries in await waits.spool.held()]
    for name, tries in await waits.queue.waiting():
        letter = await waits.queue.letter(name)
        rows += [_mail(letter, WAITING, tries)] if letter else []
    rows += [_mail(letter, HELD, tries) for letter, tries in await waits.queue.held()]
    rows += [_notice(job, WAITING, tries) for job, tries in await waits.notices.all_waiting()]
    return rows + [_notice(job, HELD, tries) for job, tries in await waits.notices.held()]


def _voice(facts: "CallFacts", state: str, tries: "Attempts") -> dict[str, object]:
    for_whom = facts.user_id or facts.called
    return {"id": facts.id, "what": VOICE, "for": for_whom} | _fate(state, facts.started, tries)


def _mail(letter: "Letter", state: str, tries: "Attempts") -> dict[str, object]:
    named = {"id": letter.id, "what": letter.kind.value, "for": letter.recipient.user_id}
    return named | _fate(state, letter.written, tries)


def _notice(job: "NoticeJob", state: str, tries: "Attempts") -> dict[str, object]:
    named = {"id": job.id, "what": NOTICE + job.channel.value, "for": job.user_id}
    return named | _fate(state, job.made, tries)


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


def _on_all(path: Path, story: Callable[[Waits], Awaitable[T]]) -> T:
    """Run a story on what the controller works on, beside it."""
    import asyncio

    from vm_ari.adapters.mail_queue import MailQueue
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.adapters.spool import FileSpool
    from vm_ari.logs import logs_of_command
    from vm_ari.ports import MailNotQueued, NoticeNotKept, SpoolFull
    from vm_ari.wiring_channels import open_notice_queue

    async def run() -> T:
        spool, keys = FileSpool(config.spool.directory), KeyRing(config.directory.keys)
        place = config.mail.queue or config.spool.directory / "system-mails"
        queue, notices = MailQueue(place, keys), open_notice_queue(config, keys)
        try:
            return await story(Waits(spool, queue, notices))
        finally:
            queue.close()
            notices.close()

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            try:
                return asyncio.run(run())
            except (SpoolFull, MailNotQueued, NoticeNotKept) as error:
                fail(f"The outbox cannot be read: {error}", FAILED)
