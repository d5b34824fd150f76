"""``vm-ari test imap``: whether a user's mailbox can be opened, and how."""

from pathlib import Path
from typing import TYPE_CHECKING

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
    from vm_ari.adapters.imap.diagnosis import Trial


@click.command()
@config_option
@output_option
@click.argument("user")
def imap(path: Path, form: str, user: str) -> None:
    """Open the mailbox of a USER (id or number): server, login, folder, counts, quota.

    Ends with 1 if it cannot be opened.
    """
    import asyncio

    from vm_ari.cli.output import write

    with reported():
        trial = asyncio.run(_try(path, user))
    rows = [{"what": key, "value": value} for key, value in _row(trial).items() if value != ""]
    if form == "json":
        write([_row(trial)], (), form)
    else:
        write(rows, ("what", "value"), form)
    if trial.problem:
        raise SystemExit(FAILED)


async def _try(path: Path, who: str) -> "Trial":
    from vm_ari.adapters.imap.diagnosis import try_mailbox
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.domain.entries import effective_user
    from vm_ari.domain.numbers import normalise
    from vm_ari.logs import logs_of_command
    from vm_ari.wiring.directories import open_register
    from vm_ari.wiring.organisations import organisations_now
    from vm_ari.wiring.store import open_doorman

    config = configured(path)
    keys = KeyRing(config.directory.keys)
    register = open_register(config, keys)
    try:
        with logs_of_command(config.log_level):
            entry = await register.entry_by_id(who)
            if entry is None and (number := normalise(who, config.rules().site)):
                entry = await register.entry_by_number(number)
            if entry is None:
                fail(f"There is no user {who}.", FAILED)
            there = await organisations_now(config, register)
            organisation = there.get(entry.organisation)
            user = effective_user(entry, organisation, config.user_defaults())
            doorman = open_doorman(config, keys, register)
            try:
                return await try_mailbox(doorman, user)
            finally:
                await doorman.close()
    finally:
        await register.close()


def _row(trial: "Trial") -> dict[str, object]:
    counts = trial.counts
    return {
        "server": trial.server,
        "chosen_by": trial.chosen_by,
        "protection": trial.security,
        "login": trial.login,
        "folder": trial.folder,
        "opened_ms": round(trial.seconds * 1000, 1) if trial.seconds else "",
        "new_voice": counts.new_voice if counts else "",
        "heard_voice": counts.heard_voice if counts else "",
        "new_other": counts.new_other if counts else "",
        "quota": trial.quota,
        "lacks": " ".join(trial.lacks),
        "problem": trial.problem,
        "advice": trial.advice,
    }
