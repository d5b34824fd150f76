"""``vm-ari keys``: the keys that seal PINs and passwords (LOGIN-08)."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vm_ari.cli.opening import FAILED, config_option, configured, dry_run_option, on_users, reported

if TYPE_CHECKING:
    from vm_ari.ports import Resealed
    from vm_ari.services.users import Users


@click.group()
def keys() -> None:
    """The keys that seal PINs and passwords."""


@keys.command()
@config_option
@dry_run_option
def rotate(path: Path, dry_run: bool) -> None:
    """Add a key, and seal every secret anew with it.

    Running controllers use it at once, where they have the same directory of keys. Older keys stay
    there: mails and copies of the directory may need them.
    """
    from vm_ari.adapters.sealing import KeyRing

    with reported():
        ring = KeyRing(configured(path).directory.keys)
        if not dry_run:
            click.echo(f"new key {ring.rotate()} in {configured(path).directory.keys}")
    if dry_run:
        found = on_users(path, lambda desk: desk.register.all_entries())
        count = sum(len(entry.sealed) for entry in found)
        click.echo(f"{count} secrets of {len(found)} users would be sealed anew")
        return
    _report(on_users(path, _reseal))


async def _reseal(desk: "Users") -> "Resealed":
    from vm_ari.cli.progress import progress

    total = len(await desk.register.all_entries())
    with progress(total, "Sealing") as advance:
        return await desk.register.reseal(advance)


def _report(done: "Resealed") -> None:
    click.echo(f"{done.renewed} secrets sealed anew, {done.current} had the newest key already")
    for user_id in done.broken:
        click.echo(
            f"{user_id}: a secret cannot be opened; put the missing key back, or give a new PIN "
            f"with “vm-ari users set {user_id} --new-pin”",
            err=True,
        )
    if done.broken:
        raise SystemExit(FAILED)
