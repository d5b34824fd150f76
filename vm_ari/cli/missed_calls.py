"""``vm-ari missed-calls``: who was told of which missed call, and why others were not (MISSED)."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    directory_of,
    fail,
    on_users,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from datetime import datetime

    from vm_ari.config import Config
    from vm_ari.domain.missed_call_records import Record
    from vm_ari.domain.ringing import RungCall
    from vm_ari.domain.system_mails import Letter
    from vm_ari.domain.users import User
    from vm_ari.services.users import Users
    from vm_ari.wiring.mail import Post
    from vm_ari.wiring.missed_calls import MissedCallParts

T = TypeVar("T")

COLUMNS = ("call", "began", "caller", "called", "user", "outcome", "answered_by")
REASONS = ("user", "outcome", "reason")
SECONDS = "%Y-%m-%d %H:%M:%S"
MOST = 1000
RINGS = 15
"""Seconds of the call that is made up."""


@click.group(name="missed-calls")
def missed_calls() -> None:
    """Who was told of missed calls, and why others were not."""


@missed_calls.command(name="list")
@config_option
@output_option
@click.option("--user", "who", metavar="USER", help="Only calls that rang phones of this user.")
@click.option("--since", "since", metavar="TIME", help="Such as 2026-12-24, UTC; all of them.")
def show(path: Path, form: str, who: str | None, since: str | None) -> None:
    """Calls that rang phones and were not answered there, the newest first; times are UTC."""
    from vm_ari.cli.output import write

    begin = _time(since) if since else None

    async def story(
        desk: "Users", parts: "MissedCallParts", _post: "Post"
    ) -> list[dict[str, object]]:
        user_id = (await desk.find(who)).id if who else ""
        found = await parts.log.records(user_id=user_id, since=begin, most=MOST)
        return [row for one in found for row in _rows(one) if not who or row["user"] == user_id]

    write(_on_missed_calls(path, story), COLUMNS, form)


@missed_calls.command()
@config_option
@output_option
@click.argument("call", metavar="CALL-ID")
def explain(path: Path, form: str, call: str) -> None:
    """Whose phones rang in that call, and why each got a mail or none.

    Ends with 1 if there is no such call.
    """
    from vm_ari.cli.output import write

    async def story(_desk: "Users", parts: "MissedCallParts", _post: "Post") -> "Sequence[Record]":
        return await parts.log.records(call_id=call)

    found = _on_missed_calls(path, story)
    if not found:
        fail(f"There is no call {call}, or nothing about it is known any more.", FAILED)
    if form == "table":
        for one in found:
            _tell(one.call)
    write([row for one in found for row in _reasons(one)], REASONS, form)


@missed_calls.command()
@config_option
@click.argument("user", shell_complete=user_ids)
@click.option("--from", "caller", metavar="NUMBER", default="", help="Who called; suppressed.")
@click.option("--eml", is_flag=True, help="The whole mail, as it is sent.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the HTML to this file.",
)
@click.option("--send", is_flag=True, help="Send it to the user.")
def test(path: Path, user: str, caller: str, eml: bool, html: Path | None, send: bool) -> None:
    """Show the mail that USER would get about a call from NUMBER, and whether it would be sent."""

    async def story(desk: "Users", parts: "MissedCallParts", post: "Post") -> "Letter":
        entry = await desk.find(user)
        found = await parts.calls.directory.user_by_id(entry.id)
        if found is None:
            fail(f"There is no user {entry.id}.", FAILED)
        return await _tried(parts, post, found, _call_of(caller, found, config), send=send)

    with reported():
        config = configured(path)
    letter = _on_missed_calls(path, story)
    _print(letter, eml=eml, html=html)
    if send:
        click.echo("queued; the running controller sends it", err=True)


async def _tried(
    parts: "MissedCallParts", post: "Post", user: "User", call: "RungCall", *, send: bool
) -> "Letter":
    """The mail, whatever the rules say; they are told on standard error."""
    from vm_ari.domain.missed_calls import REASONS as WHY
    from vm_ari.domain.missed_calls import RungUser
    from vm_ari.domain.system_mails import SystemMail
    from vm_ari.ports import ContactsUnavailable

    for decision in await parts.calls.preview(call):
        if not decision.told:
            click.echo(f"It would not be sent: {WHY[decision.outcome]}", err=True)
    contact = None
    try:
        contact = (
            await parts.contacts.contact_of(call.caller.number) if call.caller.number else None
        )
    except ContactsUnavailable as error:
        click.echo(f"No contact: {error}", err=True)
    values = await parts.calls.values(call, RungUser(user, call.rings), contact)
    whom = parts.calls.recipient(user)
    letter = await post.mails.write(
        whom, SystemMail.MISSED_CALL, values, occasion=call.id, at=call.ended
    )
    if send:
        await post.mails.letters.prepare(letter)
        await post.mails.letters.release(letter.id)
    return letter


def _call_of(caller: str, user: "User", config: "Config") -> "RungCall":
    """A call that nobody has made."""
    import secrets
    from datetime import UTC, datetime, timedelta

    from vm_ari.domain.callers import Caller, printable
    from vm_ari.domain.numbers import normalise
    from vm_ari.domain.ringing import Ring, RungCall

    number = normalise(caller, config.rules().site) if caller else ""
    if number is None:
        fail(f"“{printable(caller, 40)}” is not a telephone number.", FAILED)
    now = datetime.now(UTC).replace(microsecond=0)
    own = next(iter(user.numbers), user.mailbox)
    ring = Ring(own, now - timedelta(seconds=RINGS), now)
    call_id = f"test-{secrets.token_hex(6)}"
    return RungCall(call_id, Caller(number), own, ring.began, now, (ring,))


def _print(letter: "Letter", *, eml: bool, html: Path | None) -> None:
    import email.policy
    from email.message import EmailMessage
    from email.parser import BytesParser

    if eml:
        click.echo(letter.content.replace(b"\r\n", b"\n"), nl=False)
        return
    mail = BytesParser(policy=email.policy.default).parsebytes(letter.content)
    assert isinstance(mail, EmailMessage)
    texts = {kind: mail.get_body((kind,)) for kind in ("plain", "html")}
    if html and (part := texts["html"]):
        try:
            html.write_text(str(part.get_content()), encoding="utf-8")
        except OSError as error:
            fail(f"{html}: {error.strerror}", FAILED)
    for name in ("From", "Sender", "Reply-To", "To", "Subject"):
        if mail[name]:
            click.echo(f"{name}: {mail[name]}")
    attached = [str(part.get_filename()) for part in mail.iter_attachments()]
    click.echo(f"Attached: {', '.join(attached) or 'nothing'}\n")
    if part := texts["plain"]:
        click.echo(str(part.get_content()), nl=False)


def _rows(one: "Record") -> list[dict[str, object]]:
    """A line for each user; one for a call that is not decided, or concerned nobody."""
    call = one.call
    same: dict[str, object] = {
        "call": call.id,
        "began": f"{call.began:{SECONDS}}",
        "caller": call.caller.number or "suppressed",
        "called": call.called,
        "answered_by": call.answered_by,
    }
    if not one.fates:
        return [same | {"user": "", "outcome": "open" if one.open else "nobody"}]
    return [same | {"user": fate.user_id, "outcome": fate.outcome.value} for fate in one.fates]


def _reasons(one: "Record") -> list[dict[str, object]]:
    from vm_ari.domain.missed_calls import REASONS as WHY

    if one.open:
        return [{"user": "", "outcome": "open", "reason": "It is not decided yet."}]
    if not one.fates:
        return [{"user": "", "outcome": "nobody", "reason": "No phone of a user rang."}]
    return [
        {"user": fate.user_id, "outcome": fate.outcome.value, "reason": WHY[fate.outcome]}
        for fate in one.fates
    ]


def _tell(call: "RungCall") -> None:
    from vm_ari.domain.callers import printable

    who = printable(f"{call.caller.number or 'suppressed'} {call.caller.name}", 100)
    click.echo(f"{call.began:{SECONDS}} UTC: {who} dialled {printable(call.called, 40)}")
    for ring in call.rings:
        end = "answered" if ring.answered else "not answered"
        seconds = ring.length.total_seconds()
        click.echo(f"  {printable(ring.number, 40)} rang {seconds:.1f} s, {end}")
    if call.silent_for:
        click.echo(f"  nothing was said in the mailbox of {printable(call.silent_for, 40)}")
    if call.answered_by:
        click.echo(f"  answered by {printable(call.answered_by, 40)}")


def _time(text: str) -> "datetime":
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            "write 2026-12-24, or 2026-12-24T18:00", param_hint="--since"
        ) from None


def _on_missed_calls(
    path: Path, story: "Callable[[Users, MissedCallParts, Post], Awaitable[T]]"
) -> T:
    """Run a story beside the controller; an error ends the program with its exit code."""

    async def with_parts(desk: "Users") -> T:
        from vm_ari.adapters.sealing import KeyRing
        from vm_ari.adapters.system_clock import SystemClock
        from vm_ari.wiring.mail import open_post
        from vm_ari.wiring.missed_calls import open_missed_calls

        register, clock = directory_of(desk), SystemClock()
        post = open_post(config, KeyRing(config.directory.keys), clock, register, register)
        try:
            parts = open_missed_calls(config, register, post.mails, clock)
            try:
                return await story(desk, parts, post)
            finally:
                await parts.close()
        finally:
            await post.close()

    with reported():
        config = configured(path)
        return _explained(lambda: on_users(path, with_parts))


def _explained(work: Callable[[], T]) -> T:
    from vm_ari.ports import CallLogUnavailable, MailNotQueued

    try:
        return work()
    except CallLogUnavailable as error:
        fail(error, UNREACHABLE)
    except MailNotQueued as error:
        fail(f"The mail cannot be written or queued: {error}", FAILED)
