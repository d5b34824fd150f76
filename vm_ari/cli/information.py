"""``vm-ari information``: the mail about the functions, and what is read out instead (STORE-03)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import (
    FAILED,
    PARTLY_FAILED,
    config_option,
    configured,
    dry_run_option,
    fail,
    output_option,
    reported,
)
from vm_ari.cli.users.choosing import choosing
from vm_ari.cli.users.each import Report, Result
from vm_ari.cli.welcome import HIDDEN_PIN, on_mails, on_post, shown_mail

if TYPE_CHECKING:
    from vm_ari.domain.entries import Entry
    from vm_ari.domain.system_mails import Letter
    from vm_ari.domain.users import User
    from vm_ari.services.information import InformationMails, ReadOut
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users
    from vm_ari.wiring.mail import Post


@click.group()
def information() -> None:
    """The mail that tells users what their mailbox can do."""


@information.command()
@config_option
@dry_run_option
@output_option
@click.option(
    "--mailing",
    metavar="NAME",
    help="Nobody gets two mails of the same one, so it can be sent again; else it is today's.",
)
@choosing(needed=True)
def send(path: Path, dry_run: bool, form: str, mailing: str | None, wanted: "Selection") -> None:
    """Send it to users: such as send --all, or send --ou Sales.

    The running controller delivers the mails. A mailing that was broken off goes on when the same
    command is given again.
    """
    from datetime import UTC, datetime

    occasion = mailing or f"{datetime.now(UTC):%Y-%m-%d}"

    with reported():
        if not configured(path).mail.information:
            fail("Information mails are switched off: information = false in [mail].", FAILED)
    report = Report(form, brief=wanted.everybody, closing=True)

    async def story(post: "Post", desk: "Users") -> dict[str, int]:
        found = await desk.select(wanted)
        if dry_run:
            for entry in found:
                report.note(entry.id, Result("would be sent", told="would get the mail"))
            return {"would be sent": len(found)}
        return await _sent(_mails(path, post), found, report, occasion)

    sums = on_post(path, story)
    report.write(sums)
    if not (sums or report.failed):
        fail("Nobody is chosen by that; “vm-ari users list” shows all.", FAILED)
    if report.failed:
        raise SystemExit(PARTLY_FAILED if sums else FAILED)


async def _sent(
    mails: "InformationMails", found: "Sequence[Entry]", report: Report, occasion: str
) -> dict[str, int]:
    """How many were queued, and how many had it already. Raises `DirectoryUnavailable`."""
    from vm_ari.cli.progress import progress
    from vm_ari.ports import MailNotQueued, UnknownUser
    from vm_ari.services.information import Outcome

    sums: dict[str, int] = {}
    with progress(len(found) if report.brief else 0, "Sending") as advance:
        for entry in found:
            advance(1)
            try:
                user = await mails.welcome.directory.user_by_id(entry.id)
                outcome = await mails.send(user, occasion) if user else Outcome.NO_MAILBOX
            except (MailNotQueued, UnknownUser) as error:
                report.note_failure(entry.id, str(error))
                continue
            if outcome not in {Outcome.QUEUED, Outcome.SENT_BEFORE}:
                report.note_failure(entry.id, f"not sent: {outcome.value}")
                continue
            report.note(entry.id, Result(outcome.value))
            sums[outcome.value] = sums.get(outcome.value, 0) + 1
    return sums


@information.command()
@config_option
@click.argument("user", shell_complete=user_ids)
@click.option("--lang", metavar="CODE", help="In that language instead of the user's.")
@click.option("--html", "html", type=click.Path(path_type=Path, dir_okay=False))
def preview(path: Path, user: str, lang: str | None, html: Path | None) -> None:
    """Show the mail as USER would get it, or write its HTML to a file. Nothing is sent."""

    async def written(post: "Post", one: "User") -> "Letter":
        from dataclasses import replace

        whom = one if lang is None else replace(one, language=lang)
        return await _mails(path, post).preview(whom)

    shown_mail(on_mails(path, user, written), html)


@information.command("read-out")
@config_option
@click.argument("user", shell_complete=user_ids)
@click.option("--pin", is_flag=True, help="With the PIN: whoever reads it can log in.")
def read_out(path: Path, user: str, pin: bool) -> None:
    """What USER needs to know, to be said where no mails tell it.

    A new PIN: vm-ari users reset-pin USER.
    """

    async def asked(post: "Post", one: "User") -> "ReadOut":
        return await _mails(path, post).read_out(one)

    told = on_mails(path, user, asked)
    for name, value in _lines(told, show_pin=pin):
        click.echo(f"{name + ':':<22}{value}")


def _lines(told: "ReadOut", *, show_pin: bool) -> list[tuple[str, str]]:
    facts = told.facts
    lines = [("mailbox", str(facts["mailbox_number"]))]
    if told.telephone:
        way = f"dial {facts['login_number']}" if facts["login_number"] else "call the mailbox"
        key = "" if facts["login_number"] else f", press {facts['login_key']} during the greeting"
        lines += [("to log in", f"{way}{key}"), ("PIN", _pin(told, show_pin=show_pin))]
    lines += [("PIN ends", told.ends)] if told.ends else []
    lines += [("locked", "yes; unlock: vm-ari users unlock " + told.login)] if told.locked else []
    if told.portal:
        lines += [("portal", told.portal), ("signs in as", told.login)]
    return lines


def _pin(told: "ReadOut", *, show_pin: bool) -> str:
    if told.state.unopened:
        return "there is one that cannot be read; a new one: vm-ari users reset-pin"
    if not told.state.pin:
        return "none; a new one: vm-ari users reset-pin"
    return told.state.pin if show_pin else f"{HIDDEN_PIN} (--pin shows it)"


def _mails(path: Path, post: "Post") -> "InformationMails":
    from vm_ari.domain.settings import Hideable
    from vm_ari.services.information import InformationMails

    config = configured(path)
    portal = config.web.base_url() if config.web.enabled else ""
    return InformationMails(post.welcome, portal, config.rules().shows(Hideable.TRANSFER))
