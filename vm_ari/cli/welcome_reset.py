"""``vm-ari welcome reset``: the welcome mail leaves again, for one user or for all (WELCOME-06)."""

import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import (
    FAILED,
    config_option,
    configured,
    directory_of,
    dry_run_option,
    fail,
    on_users,
    output_option,
    reported,
)
from vm_ari.cli.users.choosing import choosing, need_somebody
from vm_ari.cli.welcome_reset_report import (
    Ended,
    Terms,
    announce,
    finish,
    said,
    tell,
    tell_dry_run,
    users_are,
)

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from vm_ari.adapters.reset_journal import ResetJournal
    from vm_ari.config import Config
    from vm_ari.domain.mass_reset import Order
    from vm_ari.services.mass_reset import Post, Preview
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users


def _rate(_context: object, _parameter: object, text: str | None) -> int:
    if text is None:
        return 0
    found = re.fullmatch(r"([1-9][0-9]{0,6})(/min)?", text)
    if not found:
        raise click.BadParameter(f"“{text}”: write a number of users a minute, such as 600/min.")
    return int(found[1])


@click.command()
@config_option
@dry_run_option
@output_option
@choosing(needed=False)
@click.option("--new-pin", is_flag=True, help="The mail brings a new PIN; the old one ends then.")
@click.option("--unlock", is_flag=True, help="Take locks away, at once.")
@click.option("--now", is_flag=True, help="Mails leave at once, not with the next call.")
@click.option("--rate", metavar="N/min", callback=_rate, help="At most so many users a minute.")
@click.option(
    "--yes-i-mean", "meant", metavar="N", type=int,
    help="Do not ask: so many users are meant, and if it is another number nothing is changed.",
)  # fmt: skip
@click.option(
    "--journal", "journal", type=click.Path(path_type=Path), metavar="FILE",
    help="Where the journal is written; else below journals/, beside the keys.",
)  # fmt: skip
@click.option(
    "--resume", "resume", type=click.Path(path_type=Path), metavar="JOURNAL",
    help="Go on with a reset that was interrupted, or try again what has failed.",
)  # fmt: skip
def reset(
    path: Path,
    dry_run: bool,
    form: str,
    wanted: "Selection",
    new_pin: bool,
    unlock: bool,
    now: bool,
    rate: int,
    meant: int | None,
    journal: Path | None,
    resume: Path | None,
) -> None:
    """Let the welcome mail of users leave again, with their next call or at once.

    Such as: reset anna; reset --filter locked=yes --unlock --new-pin; reset --all. How many users
    it is must be typed. What becomes of each is written into a journal, so that --resume goes on
    after an interruption, and nobody is reset twice. Exit codes: as of “users”; 5 when some users
    failed or are still open, 130 after Ctrl-C.
    """
    from vm_ari.domain.mass_reset import JournalUnusable, Order

    terms = Terms(path, form, dry_run, rate, meant)
    order = Order(new_pin, unlock, now)
    try:
        if resume is not None:
            if wanted or order != Order() or meant is not None or journal is not None:
                raise click.UsageError("--resume goes on with what the journal says: name no more.")
            _go_on(terms, resume)
        else:
            need_somebody(wanted)
            _begin(terms, wanted, order, journal)
    except JournalUnusable as error:
        fail(error, FAILED)


def _begin(terms: Terms, wanted: "Selection", order: "Order", journal: Path | None) -> None:
    from vm_ari.adapters.reset_journal import ResetJournal

    with reported():
        config = _with_welcome_mails(terms.config)
    found = on_users(terms.config, lambda desk: _preview(desk, wanted, order))
    if not found.users:
        fail("Nobody is chosen by that; “vm-ari users list” shows all.", FAILED)
    announce(found, order)
    if terms.dry_run:
        tell_dry_run(found, terms.form)
        return
    _must_be_meant(len(found.users), terms.meant)
    file = journal or _new_journal(config)
    _run(terms, ResetJournal.create(file, directory_name(config), order, found.users))


def _with_welcome_mails(path: Path) -> "Config":
    """The configuration, where there is a mail that could leave. Raises `BadConfig`."""
    config = configured(path)
    if not config.welcomes:
        fail("Welcome mails are switched off; write enabled = true in [welcome].", FAILED)
    return config


def _go_on(terms: Terms, resume: Path) -> None:
    from vm_ari.adapters.reset_journal import ResetJournal
    from vm_ari.domain.mass_reset import sums_of

    with reported():
        config = _with_welcome_mails(terms.config)
    journal = ResetJournal.open(resume, directory_name(config))
    click.echo(f"So far: {said(sums_of(journal.items))}", err=True)
    if terms.dry_run:
        journal.close()
        tell(journal.items, terms.form)
        return
    _run(terms, journal)


async def _preview(desk: "Users", wanted: "Selection", order: "Order") -> "Preview":
    from vm_ari.services.mass_reset import preview

    return preview(await desk.select(wanted), order, desk.house.allowed_failures)


def _must_be_meant(count: int, meant: int | None) -> None:
    """Whoever does not know how many users it is has chosen others than he thinks."""
    if meant is None:
        meant = click.prompt(f"Type {count} to go on", type=int, err=True)
    if meant != count:
        fail(f"{users_are(count)} chosen, not {meant}; nothing was changed.", FAILED)


def _run(terms: Terms, journal: "ResetJournal") -> None:
    """The work, from an open journal to the exit code."""
    ended = Ended(journal.items)
    try:
        on_users(terms.config, lambda desk: _work(terms, desk, journal, ended))
    except KeyboardInterrupt:  # a second one: whoever is in the middle is left open
        ended.signal = signal.SIGINT
    finally:
        ended.items = journal.items
        journal.close()
    tell(ended.items, terms.form)
    finish(terms, journal.path, ended)


async def _work(terms: Terms, desk: "Users", journal: "ResetJournal", ended: Ended) -> None:
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.domain.mass_reset import JournalUnusable
    from vm_ari.ports import DirectoryUnavailable
    from vm_ari.services.mass_reset import MassReset

    order = journal.head.order
    todo = sum(not item.is_finished for item in journal.items)
    async with _posting(terms, desk, order) as post:
        work = MassReset(
            desk.register, journal, order, SystemClock(), post=post, per_minute=terms.rate
        )
        with _stopped_by_signals(work.stop, ended), _bar(todo) as advance:
            try:
                await work.run(journal.items, advance)
            except (DirectoryUnavailable, JournalUnusable) as error:
                ended.trouble = error


@asynccontextmanager
async def _posting(terms: Terms, desk: "Users", order: "Order") -> "AsyncIterator[Post | None]":
    """What sends mails at once, where that is asked for."""
    if not order.now:
        yield None
        return
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.services.mass_reset import sending
    from vm_ari.wiring.mail import open_post

    config, register = configured(terms.config), directory_of(desk)
    keys = KeyRing(config.directory.keys)
    post = open_post(config, keys, SystemClock(), register, register)
    try:
        yield sending(post.welcome, register)
    finally:
        await post.close()


@contextmanager
def _stopped_by_signals(stop: Callable[[], None], ended: Ended) -> Iterator[None]:
    """The first signal lets those who are being changed finish; a second one does not wait."""
    import asyncio

    loop = asyncio.get_running_loop()
    watched = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def on_signal(number: int) -> None:
        ended.signal = number
        for each in watched:
            loop.remove_signal_handler(each)
        stop()

    for number in watched:
        loop.add_signal_handler(number, on_signal, number)
    try:
        yield
    finally:
        for number in watched:
            loop.remove_signal_handler(number)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """How far it is, how fast, and how long still; where a person looks at a terminal."""
    import time

    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    began = time.monotonic()

    def rate(done: int | None) -> str:
        return f"{(done or 0) / max(time.monotonic() - began, 0.001):.0f}/s"

    bar: ProgressBar[int | None]
    with click.progressbar(
        length=total, label="Resetting", file=sys.stderr, show_pos=True,
        update_min_steps=max(1, total // 500), item_show_func=rate,
    ) as bar:  # fmt: skip
        yield lambda done: bar.update(done, bar.pos + done)


def directory_name(config: "Config") -> str:
    """What tells a directory from others; without passwords."""
    from vm_ari.wiring.names import directory_name as name

    return name(config)


def _new_journal(config: "Config") -> Path:
    """A name that nobody has taken, in a place that outlives a restart."""
    from datetime import UTC, datetime

    name = f"welcome-reset-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.jsonl"
    return config.directory.keys.parent / "journals" / name
