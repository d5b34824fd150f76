"""``vm-ari demo``: a complete small installation on this machine, and a call through it."""

import json
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vm_ari.demo.parts import Part

_SERVERS = {"ldap": "slapd", "imap": "Dovecot, an SMTP server"}


def _parts(_context: object, _parameter: object, text: str) -> "Sequence[Part]":
    from vm_ari.demo.parts import Part

    try:
        return tuple(dict.fromkeys(Part(name.strip()) for name in text.split(",") if name.strip()))
    except ValueError:
        raise click.BadParameter(f"“{text}”: write ldap, imap, or both: ldap,imap") from None


@click.command()
@click.option("--keep", is_flag=True, help="Stay up afterwards, to be tried with own phones.")
@click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is kept; by default a temporary directory.",
)
@click.option("--sip-port", type=click.IntRange(0, 65535), default=0, help="UDP; 0: any free one.")
@click.option("--http-port", type=click.IntRange(0, 65535), default=0, help="TCP, for ARI.")
@click.option("--json", "as_json", is_flag=True, help="Numbers and PINs as JSON in the first line.")
@click.option("--story/--no-story", default=True, help="Place the demo calls.")
@click.option(
    "--stack", "parts", metavar="ldap,imap", default="", callback=_parts,
    help="Users on a directory server (slapd), mailboxes on a mail server (Dovecot, SMTP).",
)  # fmt: skip
def demo(
    keep: bool,
    directory: Path | None,
    sip_port: int,
    http_port: int,
    as_json: bool,
    story: bool,
    parts: "Sequence[Part]",
) -> None:
    """Start Asterisk and vm_ari, leave a message over SIP, hear and delete it.

    Needs nothing but this package: Asterisk is taken from the PATH, or fetched. The servers of
    --stack are started, too, but not installed: it says what is missing.
    """
    import asyncio

    with tempfile.TemporaryDirectory(prefix="vm-ari-demo-") as temporary:
        place = (directory or Path(temporary)).absolute()
        try:
            asyncio.run(_demo(place, sip_port, http_port, keep, as_json, story, parts))
        except (KeyboardInterrupt, asyncio.CancelledError):
            click.echo("stopped")


async def _demo(
    place: Path,
    sip_port: int,
    http_port: int,
    keep: bool,
    as_json: bool,
    story: bool,
    parts: "Sequence[Part]",
) -> None:
    import asyncio

    from vm_ari.adapters.asterisk.install import find_or_fetch
    from vm_ari.adapters.asterisk.process import AsteriskFailed
    from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable
    from vm_ari.demo.portal import portal_settings, ways_in
    from vm_ari.demo.private_server import ServerFailed, ServerMissing
    from vm_ari.demo.story import DemoFailed, tell
    from vm_ari.demo.world import ControllerFailed, DirectoryInUse, World, describe

    started = time.monotonic()
    if task := asyncio.current_task():  # whoever ends us ends the servers, too
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    def report(line: str) -> None:
        click.echo(f"{time.monotonic() - started:6.1f} s  {line}", err=as_json)

    try:
        install = await asyncio.to_thread(find_or_fetch, report=report)
        settings = portal_settings(place, "anna") if keep else ""
        async with World(
            install, place, sip_port=sip_port, http_port=http_port, parts=parts, settings=settings
        ) as world:
            if as_json:
                click.echo(json.dumps(describe(world)))
            servers = ", ".join(("", *(_SERVERS[part.value] for part in parts)))
            report(f"Asterisk {install.version}{servers} and the controller are up")
            if story:
                click.echo(await tell(world, report), err=as_json)
            if keep:
                await _stay({**describe(world), "portal": await ways_in(world)}, as_json)
    except (
        AsteriskUnavailable,
        AsteriskFailed,
        ControllerFailed,
        DemoFailed,
        DirectoryInUse,
        ServerFailed,
        ServerMissing,
    ) as error:
        click.echo(f"demo failed: {error}", err=True)
        raise SystemExit(1) from None


async def _stay(facts: dict[str, object], quiet: bool) -> None:
    if not quiet:
        click.echo(_how_to(facts))
    import asyncio

    await asyncio.Event().wait()


def _how_to(facts: dict[str, object]) -> str:
    sip, users = facts["sip"], facts["users"]
    assert isinstance(sip, dict)
    assert isinstance(users, list)
    lines = [
        "",
        f"Register a softphone at {sip['host']}:{sip['port']} (UDP):",
        *(
            f"  {u['name']}: user {u['sip_user']}, password {u['sip_password']}, PIN {u['pin']}, "
            f"number {u['number']}, mails in {u['mailbox']}"
            + (f" (password {u['mail_password']})" if "mail_password" in u else "")
            for u in users
        ),
        *(f"Look into the directory with: {look}" for look in [facts.get("ldapsearch")] if look),
        *_portal(facts["portal"]),
        f"Dial an extension to leave a message, {facts['voicemail_key']} to hear yours.",
        f"Configuration and logs: {facts['directory']}",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)


def _portal(links: object) -> list[str]:
    """How to get in; Anna runs the installation, Ben only his mailbox."""
    assert isinstance(links, dict)
    if not links:
        return []
    told = [f"  {name}: {link}" for name, link in links.items()]
    trust = "(the browser warns of a certificate that the demo has signed itself)"
    return [f"Open the portal; these links let you choose a password, once {trust}:", *told]
