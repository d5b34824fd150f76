"""``vm-ari test call`` and ``test smtp``: a real call, and a real mail."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    fail,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.adapters.trial_call import TrialCall
    from vm_ari.config import Config

LISTEN = 8.0
_FALLBACK = "fallback-greeting"


@click.command()
@config_option
@output_option
@click.option("--login", is_flag=True, help="Remote inquiry of NUMBER, not a call to its mailbox.")
@click.option("--context", default="", help="Another context of the dialplan than ours.")
@click.option("--listen", type=click.FloatRange(1, 120), default=LISTEN, show_default=True)
@click.argument("number")
def call(path: Path, form: str, login: bool, context: str, listen: float, number: str) -> None:
    """Call the mailbox of NUMBER as the dialplan does, and say what its caller hears.

    Nothing is left there; its user may be told of a missed call. Ends with 1 if nobody answers, if
    nothing is heard, or if the dialplan answers by itself because no controller does.
    """
    import asyncio

    from vm_ari.adapters.trial_call import TrialFailed
    from vm_ari.adapters.trial_call import call as place
    from vm_ari.cli.output import write
    from vm_ari.domain.callers import printable
    from vm_ari.wiring.asterisk import asterisk_address

    digits = "".join(sign for sign in number if sign in "0123456789+")
    if not digits:
        fail(f"“{printable(number, 40)}” is not a telephone number.", FAILED)
    if not all(sign.isalnum() or sign in "-_" for sign in context):
        raise click.BadParameter("write the name of a context", param_hint="--context")
    where = f"{digits}@{context or ('vm-ari-login' if login else 'vm-ari')}"
    with reported():
        config = configured(path)
        try:
            trial = asyncio.run(place(asterisk_address(config), where, config.sounds, listen))
        except TrialFailed as error:
            fail(f"{where}: {error}.", UNREACHABLE)
    problem = _problem(trial)
    if form == "json":
        write([_facts(trial, problem)], (), form)
    else:
        write(_lines(trial, problem), ("at", "heard"), form)
    if problem:
        raise SystemExit(FAILED)


def _problem(trial: "TrialCall") -> str:
    if trial.first_sound is None:
        return "nothing was to be heard: vm-ari check --only sounds, and Asterisk's log"
    if any(one.name.endswith(_FALLBACK) for one in trial.heard):
        return "the dialplan answered by itself: vm-ari status"
    return ""


def _lines(trial: "TrialCall", problem: str) -> list[dict[str, object]]:
    rows = [("", f"answered after {trial.answered_after * 1000:.0f} ms")]
    rows += [(f"{one.start:.1f} s", one.name) for one in trial.heard]
    end = "they hung up" if trial.ended_by_them else "we hung up"
    rows.append((f"{trial.seconds:.1f} s", end))
    rows += [("", f"problem: {problem}")] if problem else []
    return [{"at": at, "heard": what} for at, what in rows]


def _facts(trial: "TrialCall", problem: str) -> dict[str, object]:
    return {
        "answered_ms": round(trial.answered_after * 1000, 1),
        "first_sound_ms": None if trial.first_sound is None else round(trial.first_sound * 1000, 1),
        "heard": [
            {"name": one.name, "start": round(one.start, 2), "end": round(one.end, 2)}
            for one in trial.heard
        ],
        "seconds": round(trial.seconds, 1),
        "ended_by_them": trial.ended_by_them,
        "problem": problem,
    }


@click.command()
@config_option
@output_option
@click.argument("address", default="")
def smtp(path: Path, form: str, address: str) -> None:
    """Hand a test mail for ADDRESS to the mail server; without ADDRESS everything but the mail.

    Ends with 1 if it is not taken, and with 4 if the server does not answer.
    """
    import asyncio

    from vm_ari.cli.output import write

    with reported():
        config = configured(path)
        facts, code = asyncio.run(_mail(config, address))
    if form == "json":
        write([facts], (), form)
    else:
        rows = [{"what": key, "value": value} for key, value in facts.items() if value != ""]
        write(rows, ("what", "value"), form)
    if code:
        raise SystemExit(code)


async def _mail(config: "Config", address: str) -> tuple[dict[str, object], int]:
    import time
    from datetime import UTC, datetime

    from vm_ari.adapters.examination.certificates import protection
    from vm_ari.adapters.examination.sending import advice_for
    from vm_ari.adapters.smtp import SmtpStep, SmtpTrouble
    from vm_ari.config import BadConfig
    from vm_ari.ports import DeliveryPostponed, DeliveryRefused
    from vm_ari.wiring.smtp import open_smtp

    if config.mail.smtp is None:
        raise BadConfig("mail.smtp: there is no such table; write one with host and security")
    sender = config.mail.system_sender or config.mail.sender
    mailer = open_smtp(config.mail.smtp, sender, key="mail.system_sender")
    facts: dict[str, object] = {"server": mailer.where, "sender": sender, "recipient": address}
    began = time.monotonic()
    try:
        end = await mailer.rehearse(address or config.site.default_recipient or sender)
        facts["protection"] = protection(end, datetime.now(UTC))
        if address:
            await _send(mailer, sender, address)
    except SmtpTrouble as trouble:
        code = UNREACHABLE if trouble.step is SmtpStep.CONNECT else FAILED
        return facts | {"problem": str(trouble), "advice": advice_for(trouble)}, code
    except (DeliveryPostponed, DeliveryRefused) as error:
        return facts | {"problem": str(error), "advice": "The server's own log says more."}, FAILED
    took = f"{(time.monotonic() - began) * 1000:.0f} ms"
    result = f"taken after {took}" if address else f"would be taken; asked within {took}"
    return facts | {"result": result}, 0


async def _send(mailer: object, sender: str, address: str) -> None:
    from datetime import UTC, datetime
    from email.message import EmailMessage
    from email.utils import format_datetime, make_msgid

    from vm_ari.adapters.smtp import SmtpMailer
    from vm_ari.domain.system_mails import Recipient

    assert isinstance(mailer, SmtpMailer)
    mail = EmailMessage()
    message_id = make_msgid(domain=sender.rpartition("@")[2])
    mail["From"], mail["To"], mail["Message-ID"] = sender, address, message_id
    mail["Subject"] = "Test mail of the voicemail system"
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("Mails of the voicemail system arrive here (vm-ari test smtp).\n")
    await mailer.send(mail.as_bytes(), Recipient("", "", address), message_id=message_id)
