"""``vm-ari demo``: a complete small installation on this machine, and a call through it."""

import asyncio
import json
import tempfile
import time
from pathlib import Path

import click


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
def demo(
    keep: bool,
    directory: Path | None,
    sip_port: int,
    http_port: int,
    as_json: bool,
    story: bool,
) -> None:
    """Start Asterisk and vm_ari, leave a message over SIP, hear and delete it.

    Needs nothing but this package: Asterisk is taken from the PATH, or fetched.
    """
    with tempfile.TemporaryDirectory(prefix="vm-ari-demo-") as temporary:
        place = directory or Path(temporary)
        try:
            asyncio.run(_demo(place, sip_port, http_port, keep, as_json, story))
        except KeyboardInterrupt:
            click.echo("stopped")


async def _demo(
    place: Path, sip_port: int, http_port: int, keep: bool, as_json: bool, story: bool
) -> None:
    from vm_ari.adapters.asterisk.install import find_or_fetch
    from vm_ari.adapters.asterisk.process import AsteriskFailed
    from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable
    from vm_ari.demo.story import DemoFailed, tell
    from vm_ari.demo.world import ControllerFailed, DirectoryInUse, World, describe

    started = time.monotonic()

    def report(line: str) -> None:
        click.echo(f"{time.monotonic() - started:6.1f} s  {line}", err=as_json)

    try:
        install = await asyncio.to_thread(find_or_fetch, report=report)
        async with World(install, place, sip_port=sip_port, http_port=http_port) as world:
            if as_json:
                click.echo(json.dumps(describe(world)))
            report(f"Asterisk {install.version} and the controller are up")
            if story:
                click.echo(await tell(world, report), err=as_json)
            if keep:
                await _stay(describe(world), as_json)
    except (
        AsteriskUnavailable,
        AsteriskFailed,
        ControllerFailed,
        DemoFailed,
        DirectoryInUse,
    ) as error:
        click.echo(f"demo failed: {error}", err=True)
        raise SystemExit(1) from None


async def _stay(facts: dict[str, object], quiet: bool) -> None:
    if not quiet:
        click.echo(_how_to(facts))
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
            f"number {u['number']}, mails in {u['maildir']}"
            for u in users
        ),
        f"Dial an extension to leave a message, {facts['voicemail_key']} to hear yours.",
        f"Configuration and logs: {facts['directory']}",
        "Ctrl-C ends it.",
    ]
    return "\n".join(lines)
