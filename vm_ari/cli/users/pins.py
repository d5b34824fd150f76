"""``vm-ari users reset-pin``: another PIN for users (LOGIN-05)."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, dry_run_option, output_option
from vm_ari.cli.users.choosing import choosing
from vm_ari.cli.users.each import Report, Result, for_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vm_ari.domain.entries import Entry
    from vm_ari.services.user_selection import Selection
    from vm_ari.services.users import Users


@click.command("reset-pin")
@config_option
@dry_run_option
@output_option
@click.option("--lasting", is_flag=True, help="It need not be changed at the next login.")
@click.option("--unlock", is_flag=True, help="Forget the wrong PINs, too.")
@click.option(
    "--type", "typed", is_flag=True, help="Ask for the PIN, or read it from standard input."
)
@choosing(needed=True)
def reset_pin(
    path: Path,
    dry_run: bool,
    form: str,
    lasting: bool,
    unlock: bool,
    typed: bool,
    wanted: "Selection",
) -> None:
    """Give users a new PIN, which is shown this once; they change it at the next login.

    It is a random one, or with --type your own, for a single user: a PIN in a command line would
    be seen by everybody on the machine.
    """
    pin = _asked() if typed and not dry_run else ""

    def only_one(found: "Sequence[Entry]") -> None:
        if typed and len(found) > 1:
            raise click.UsageError("One PIN for several users is none: choose a single user.")

    async def work(desk: "Users", entry: "Entry") -> Result:
        if dry_run:
            return Result("would be changed", told="would get a new PIN")
        new = await _set(desk, entry, pin, one_time=not lasting)
        if unlock:
            await desk.register.unlock(entry.id)
        return Result("changed", pin="" if pin else new, told="new PIN")

    for_each(path, wanted, Report(form), work, before=only_one)


async def _set(desk: "Users", entry: "Entry", pin: str, *, one_time: bool) -> str:
    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.domain.pin_rules import sentence
    from vm_ari.services.logins import renew_pin, set_pin
    from vm_ari.services.users import Refused

    rules, numbers, clock = desk.house.logins, (*entry.numbers, entry.mailbox), SystemClock()
    if not pin:
        return await renew_pin(desk.register, entry.id, rules, numbers, clock, one_time=one_time)
    fault = await set_pin(desk.register, entry.id, pin, rules, numbers, clock, one_time=one_time)
    if fault:
        raise Refused(sentence(fault, shortest=rules.shortest_pin))
    return pin


def _asked() -> str:
    """Typed twice by a person, or piped in once."""
    if sys.stdin.isatty():
        return str(click.prompt("New PIN", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().strip()
