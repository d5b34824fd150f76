"""How changes in mailboxes are noticed: the kernel's limits, IDLE, and the push receiver."""

import ipaddress
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from inotify_simple import INotify

from vm_ari.adapters.findings import Finding, sentence
from vm_ari.adapters.imap.doorman import Doorman
from vm_ari.adapters.watching.maildirs import WATCHES, sysctl_line
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable

LIMITS = Path("/proc/sys/fs/inotify")
MOST_TRIED = 20
"""Mailboxes that are opened to ask their servers for IDLE."""
ANSWER_SECONDS = 3.0


def examine_inotify(mailboxes: int, limits: Path = LIMITS) -> list[Finding]:
    """Can so many Maildirs be watched? Blocks."""
    needed = mailboxes * WATCHES
    try:
        INotify(nonblocking=True).close()
        most = int((limits / "max_user_watches").read_text())
    except (OSError, ValueError) as error:
        text = f"inotify cannot be used: {sentence(error)}"
        advice = "Maildirs are looked at every few seconds; sysctl fs.inotify.max_user_instances"
        return [Finding(False, text, advice)]
    if needed > most:
        text = f"inotify watches {most // WATCHES} of {mailboxes} mailboxes; the rest is polled."
        return [Finding(False, text, f"Type as root: {sysctl_line(needed)}")]
    text = f"inotify watches all {mailboxes} mailboxes; it could watch {most // WATCHES}."
    return [Finding(True, text)]


async def examine_idle(doorman: Doorman, people: Sequence[User], most: int) -> list[Finding]:
    """Do the mail servers tell by IDLE what happens? One mailbox on each is opened."""
    offers: dict[str, bool] = {}
    users: Counter[str] = Counter()
    for user in people:
        try:
            server = str(await doorman.server_of(user))
            users[server] += 1
            if server not in offers and users[server] <= MOST_TRIED:
                door = await doorman.open(user)
                offers[server] = await door.run(lambda session: session.has("IDLE"))
        except MailboxUnavailable:
            continue  # that is said of the part imap
    return [_idle(server, users[server], most, offered=yes) for server, yes in offers.items()]


def _idle(server: str, users: int, most: int, *, offered: bool) -> Finding:
    rounds = "the others are counted in rounds, and when the server pushes (docs/lamps.md)"
    if not offered:
        text = f"{server} offers no IDLE: its mailboxes are counted in rounds only."
        return Finding(False, text, "Let the server push changes: docs/lamps.md shows how.")
    if users > most:
        return Finding(True, f"{server} tells by IDLE of {most} of {users} mailboxes; {rounds}.")
    return Finding(True, f"{server} tells by IDLE of all {users} mailboxes.")


async def examine_push(address: str, port: int, token: str) -> list[Finding]:
    """Does the running controller take what mail servers push?"""
    where = f"{_host(address)}:{port}"
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as web,
            web.get(f"http://{where}/lamps/0") as answer,
        ):
            status = answer.status
    except (aiohttp.ClientError, OSError, TimeoutError):
        text = f"Nobody takes pushed changes at {where}."
        return [Finding(False, text, "Is the controller running, and is the port free?")]
    if status != 200:
        text = f"Whoever listens at {where} does not know our token (answer {status})."
        return [Finding(False, text, "Restart the controller, or choose another push_port.")]
    text = f"Mail servers may push changes to http://{where}/mailbox-changed"
    remark = "" if _is_loopback(address) else ", and everybody on the way reads along"
    return [Finding(True, f"{text}{remark}.")]


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
