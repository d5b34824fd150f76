"""``vm-ari spool rescue``: deliver what a node has left that does not come back."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import BAD_CONFIG, FAILED, config_option, configured, fail, reported

if TYPE_CHECKING:
    from collections.abc import Collection

    from vm_ari.config import Config
    from vm_ari.wiring.rescue import Rest


@click.command()
@config_option
@click.option("-n", "--dry-run", is_flag=True, help="Only say what lies there.")
@click.argument(
    "spool", type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path)
)
def rescue(path: Path, spool: Path, dry_run: bool) -> None:
    """Deliver what lies in the SPOOL of a node that does not come back.

    SPOOL is its directory …/recording/vm-ari: on a shared file system, or restored from its disk.
    Its own controller must not run, and this one may: nothing is moved, messages are delivered
    from there. Directory, store and keys are those of our configuration. Run it as the account
    that runs the controller. Ends with 1 if something is left there; it can be repeated.
    """
    from vm_ari.wiring.rescue import config_for

    with reported():
        config = configured(path)
    _check(config, spool)
    there = config_for(config, spool)
    rest = _look(there) if dry_run else _delivered(config, there)
    click.echo(_words(rest, spool))
    if rest.any:
        raise SystemExit(FAILED)


def _check(config: "Config", spool: Path) -> None:
    """What would do harm is refused."""
    own = config.spool.directory
    if spool == own.absolute():
        fail(f"{spool} is our own spool: vm-ari run delivers what lies there.", BAD_CONFIG)
    if not (spool / "new").is_dir():
        fail(f"{spool} is no spool of vm_ari: name the directory …/recording/vm-ari.", BAD_CONFIG)
    if own.is_dir() and own.stat().st_uid != os.geteuid():
        owner = f"#{own.stat().st_uid}"
        fail(f"Run it as the controller's account: sudo -u {owner} vm-ari spool rescue …", FAILED)


def _look(there: "Config") -> "Rest":
    import asyncio

    from vm_ari.logs import logs_of_command
    from vm_ari.ports import MailNotQueued, NoticeNotKept, SpoolFull
    from vm_ari.wiring.rescue import look

    with reported(), logs_of_command(there.log_level):
        try:
            return asyncio.run(look(there))
        except (SpoolFull, MailNotQueued, NoticeNotKept) as error:
            fail(f"The spool cannot be read: {error}", FAILED)


def _delivered(config: "Config", there: "Config") -> "Rest":
    import asyncio

    from vm_ari.app import Node
    from vm_ari.logs import logs_of_command
    from vm_ari.ports import SpoolFull, SpoolInUse
    from vm_ari.wiring.rescue import deliver, look

    async def work() -> "Rest":
        users = await deliver(Node(there).leftovers(), lambda: look(there))
        click.echo(await _have_recounted(config, users))
        return await look(there)

    with reported(), logs_of_command(there.log_level):
        try:
            return asyncio.run(work())
        except SpoolInUse as error:
            fail(f"{error}: it delivers by itself, or stop it first.", FAILED)
        except SpoolFull as error:
            fail(f"The spool cannot be used: {error}", FAILED)


async def _have_recounted(config: "Config", users: "Collection[str]") -> str:
    """The running controllers tell lamps and notices."""
    from vm_ari.ports import NoticeBookUnavailable
    from vm_ari.wiring.mwi import NoController, have_recounted

    if not users:
        return "Nobody has got a message."
    try:
        await have_recounted(config, sorted(users))
    except (NoController, NoticeBookUnavailable) as error:
        return f"{len(users)} users have got messages; their lamps are told later: {error}"
    return f"{len(users)} users have got messages; their lamps are told within some seconds."


def _words(rest: "Rest", spool: Path) -> str:
    if not rest.any:
        return f"Nothing is left in {spool}."
    parts = [f"Left in {spool}: {rest.due} to be delivered"]
    if rest.late:
        reasons = "; ".join(sorted(rest.reasons))[:300]
        parts.append(f"{rest.late} tried in vain ({reasons}): repeat the command later")
    if rest.held:
        parts.append(f"{rest.held} refused for good: copy their audio from hold")
    return ", ".join(parts) + "."
