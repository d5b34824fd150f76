"""``vm-ari welcome``: the mail that tells users of their mailbox (WELCOME)."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import (
    FAILED,
    config_option,
    configured,
    directory_of,
    fail,
    on_users,
    output_option,
)
from vm_ari.cli.users.choosing import choosing
from vm_ari.cli.welcome_reset import reset

if TYPE_CHECKING:
    from email.message import EmailMessage

    from vm_ari.domain.delivery import Attempts
    from vm_ari.domain.entries import Entry
    from vm_ari.domain.system_mails import Letter
    from vm_ari.domain.users import User
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users
    from vm_ari.services.welcome import Outcome
    from vm_ari.wiring.mail import Post

T = TypeVar("T")

COLUMNS = ("user", "mailbox", "welcome", "at", "wish", "pin", "locked")
HIDDEN_PIN = "••••••"
"""Nobody needs to see somebody else's PIN to look at a mail."""
user_argument = click.argument("user", shell_complete=user_ids)


@click.group()
def welcome() -> None:
    """The mail with mailbox number, PIN and guide: sent at a user's first call."""


welcome.add_command(reset)


@welcome.command()
@config_option
@user_argument
@click.option("--lang", metavar="CODE", help="In that language instead of the user's.")
@click.option("--text", "form", flag_value="text", default=True, help="The plain text (default).")
@click.option("--eml", "form", flag_value="eml", help="The whole mail, as it is sent.")
@click.option(
    "--html",
    "html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the HTML to this file.",
)
@click.option(
    "--pdf",
    "pdf",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the attached guide to this file.",
)
def preview(
    path: Path, user: str, lang: str | None, form: str, html: Path | None, pdf: Path | None
) -> None:
    """Show the mail as USER would get it; the PIN is hidden. Nothing is sent or changed."""
    letter = on_mails(path, user, lambda post, one: _previewed(post, one, lang))
    if pdf:
        _write(pdf, _guide(_parsed(letter.content)))
    if form == "eml" and not (html or pdf):
        click.echo(letter.content.replace(b"\r\n", b"\n"), nl=False)
        return
    if html or not pdf:
        shown_mail(letter, html)


def shown_mail(letter: "Letter", html: Path | None = None) -> None:
    """On the screen as plain text, or its HTML in a file."""
    mail = _parsed(letter.content)
    if html:
        _write(html, _body(mail, "html").encode())
        return
    for name in ("From", "To", "Subject"):
        click.echo(f"{name}: {mail[name]}")
    attached = [str(part.get_filename()) for part in mail.iter_attachments()]
    click.echo(f"Attached: {', '.join(attached) or 'nothing'}\n")
    click.echo(_body(mail, "plain"), nl=False)


@welcome.command()
@config_option
@user_argument
@click.option("--new-pin", is_flag=True, help="With a new PIN; until it leaves the old one holds.")
@click.option("--unlock", is_flag=True, help="Forget the wrong PINs, at once.")
@click.option("--now", is_flag=True, help="Not with the next call to the mailbox, but at once.")
def send(path: Path, user: str, new_pin: bool, unlock: bool, now: bool) -> None:
    """Send USER the mail once more: with the next call to the mailbox, or at once."""

    async def ask(post: "Post", one: "User") -> "Outcome | None":
        return await post.welcome.ask_again(one, new_pin=new_pin, unlock=unlock, now=now)

    if not configured_welcome(path):
        fail("Welcome mails are switched off; write enabled = true in [welcome].", FAILED)
    match on_mails(path, user, ask):
        case None:
            click.echo(f"{user}: the mail leaves with the next call")
        case outcome if outcome.value == "queued":
            click.echo(f"{user}: queued; the running controller sends it")
        case outcome:
            fail(f"{user}: not sent: {outcome.value}", FAILED)


@welcome.command()
@config_option
@output_option
@choosing(needed=False)
def status(path: Path, form: str, wanted: "Selection") -> None:
    """Who has got the mail, who will get it, and what still waits to be sent."""
    from vm_ari.cli.output import write

    found = on_users(path, lambda desk: desk.select(wanted))
    allowed = configured(path).logins.failures_before_lock
    write([_row(entry, allowed) for entry in found], COLUMNS, form)
    if form == "table":
        _tell_queue(path)


def configured_welcome(path: Path) -> bool:
    """Are welcome mails switched on?"""
    from vm_ari.cli.opening import reported

    with reported():
        return configured(path).welcomes


def _row(entry: "Entry", allowed: int) -> dict[str, object]:
    from vm_ari.domain.login_state import state_of
    from vm_ari.domain.pin import is_locked
    from vm_ari.domain.welcome import Standing, standing

    state = state_of(entry)
    sent = standing(state) is Standing.SENT
    return {
        "user": entry.id,
        "mailbox": entry.mailbox,
        "welcome": standing(state).value,
        "at": state.welcome if sent else "",
        "wish": state.welcome_wish,
        "pin": state.has_pin,
        "locked": is_locked(state.failures, allowed),
    }


def _tell_queue(path: Path) -> None:
    waiting, held = on_post(path, lambda post, _desk: _queue(post))
    if waiting:
        what = "mail waits" if waiting == 1 else "mails wait"
        click.echo(f"{waiting} {what} to be sent", err=True)
    for letter, attempts in held:
        who = letter.recipient.user_id
        click.echo(f"{letter.kind.value} to {who} was refused: {attempts.last_error}", err=True)


async def _queue(post: "Post") -> "tuple[int, Sequence[tuple[Letter, Attempts]]]":
    return len(await post.queue.waiting()), await post.queue.held()


async def _previewed(post: "Post", user: "User", language: str | None) -> "Letter":
    from dataclasses import replace

    shown = user if language is None else replace(user, language=language)
    return await post.welcome.preview(shown, HIDDEN_PIN)


def on_mails(path: Path, asked: str, story: "Callable[[Post, User], Awaitable[T]]") -> T:
    """Run a story for one user; an error ends the program with its exit code."""

    async def for_user(post: "Post", desk: "Users") -> T:
        from vm_ari.ports import UnknownUser

        entry = await desk.find(asked)
        user = await post.welcome.directory.user_by_id(entry.id)
        if user is None:
            raise UnknownUser(f"There is no user {entry.id}.")
        return await story(post, user)

    return on_post(path, for_user)


def on_post(path: Path, story: "Callable[[Post, Users], Awaitable[T]]") -> T:
    """Run a story with the queue of mails; an error ends the program with its exit code."""
    from vm_ari.cli.opening import reported

    with reported():
        config = configured(path)

        async def with_post(desk: "Users") -> T:
            from vm_ari.adapters.sealing import KeyRing
            from vm_ari.adapters.system_clock import SystemClock
            from vm_ari.wiring.mail import open_post

            register = directory_of(desk)
            keys = KeyRing(config.directory.keys)
            post = open_post(config, keys, SystemClock(), register, register)
            try:
                return await story(post, desk)
            finally:
                await post.close()

        return _queued(lambda: on_users(path, with_post))


def _queued(work: Callable[[], T]) -> T:
    from vm_ari.ports import MailNotQueued

    try:
        return work()
    except MailNotQueued as error:
        fail(f"The mail cannot be queued: {error}", FAILED)


def _parsed(content: bytes) -> "EmailMessage":
    import email.policy
    from email.message import EmailMessage
    from email.parser import BytesParser

    mail = BytesParser(policy=email.policy.default).parsebytes(content)
    assert isinstance(mail, EmailMessage)
    return mail


def _body(mail: "EmailMessage", kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def _guide(mail: "EmailMessage") -> bytes:
    for part in mail.iter_attachments():
        content = part.get_content()
        assert isinstance(content, bytes)
        return content
    fail("This user gets no guide.", FAILED)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        fail(f"{file}: {error.strerror}", FAILED)
