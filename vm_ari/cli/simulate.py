"""``vm-ari simulate``: the real dialogue in a terminal (OPS-05)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import config_option, configured, reported

if TYPE_CHECKING:
    from vm_ari.wiring.simulation import Rehearsal

BEGIN = """\
Keys 0-9 * # are those of the telephone; Ctrl-D hangs up. What is said into a recording is typed.
"""
OF_CALLER = "The message is not delivered, whatever is said.\n"
OF_OWNER = "The mailbox is the real one: what is deleted here is deleted. No message is sent.\n"


@click.command()
@config_option
@click.argument("number")
@click.option("--as-owner", is_flag=True, help="Log in, instead of leaving a message.")
@click.option(
    "--from", "caller", default="", metavar="NUMBER", help="Who calls; else nobody tells."
)
@click.option("--fast", is_flag=True, help="Prompts take no time; for scripts.")
def simulate(path: Path, number: str, as_owner: bool, caller: str, fast: bool) -> None:
    """Call NUMBER without a telephone: prompts as text, keys typed.

    Directory, greetings and mailboxes are the real ones. Keys can also come from a pipe: each is
    pressed when the words before it are over, and at the end the caller hangs up.
    """
    import asyncio

    from vm_ari.adapters.terminal_line import READING
    from vm_ari.logs import logs_of_command

    purpose = "login" if as_owner else "leave"
    click.echo(BEGIN + (OF_OWNER if as_owner else OF_CALLER))
    with reported():
        config = configured(path)
        call = _call(config, [purpose, number, "", ""], caller, 0.0 if fast else READING)
        with logs_of_command(config.log_level):
            asyncio.run(call)


async def _call(config: object, arguments: Sequence[str], caller: str, reading: float) -> None:
    from vm_ari.adapters.keyboard import pressing
    from vm_ari.config import Config
    from vm_ari.wiring.simulation import rehearsal

    assert isinstance(config, Config)
    async with rehearsal(config, arguments, caller, click.echo, reading=reading) as call:
        async with pressing(call.line):
            await call.run()
        _tell_what_was_left(call)


def _tell_what_was_left(call: "Rehearsal") -> None:
    if not call.left:
        click.echo("No message would be delivered.")
    for message in call.left:
        facts = message.facts
        kind = "An urgent message" if facts.urgent else "A message"
        whose = facts.user_id or f"nobody, for {facts.called} is unknown"
        click.echo(f"{kind} of {message.seconds:.1f} s would be delivered now, to {whose}.")
