"""The portal of the demo: switched on, and a link for each user by which a password is chosen."""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.demo.people import Person
from vm_ari.demo.world import World


def portal_settings(directory: Path, operator: str, port: int = 0) -> str:
    """TOML that switches it on, on loopback; *operator* is a user's id."""
    return (
        f'[web]\nenabled = true\nport = {port or free_port()}\nhosts = ["localhost", "127.0.0.1"]\n'
        f'directory = "{directory / "web"}"\noperators = ["{operator}"]\n'
    )


async def ways_in(world: World) -> Mapping[str, str]:
    """By the name of each user a link that works once; none where a directory has passwords."""
    found = {person.name: await _link(world, person) for person in world.people}
    return {name: link for name, link in found.items() if link}


async def _link(world: World, person: Person) -> str:
    """Empty where it cannot be had."""
    words = ("users", "set-password", "--link", "-c", str(world.config), person.user.id)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vm_ari", *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    return output.decode().strip() if process.returncode == 0 else ""
