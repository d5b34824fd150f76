"""A finished transfer leaves the server: both parties are asked to do without us (XFER-03).

SIP REFER with Replaces (RFC 3515, RFC 3891), sent on the caller's dialog and naming that of the
destination. It can only be of use where the same telephone system carries both of them. Asterisk
does not tell how it ended: both lines end when it was done, and stay as they are when not.
Never for channels in a bridge, which would take the answer away from who waits for it (0006).
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, NotFound

TRIES, PAUSE = 5, 0.1
"""The far half of a Local channel knows its partner some milliseconds after the answer."""
FENCE = "tone:ring"
"""What begins when the question has been answered: heard for some milliseconds at most, by somebody
who hears ringing."""
BOTH_END = 0.3
"""Seconds: a telephone system that agrees to connect two parties ends both calls right then."""
_ADDRESS = re.compile(
    r"(?P<uri>sips?:(?:[\w.!~*'()&=+$%-]{1,64}@)?(?P<host>[\w.:\[\]-]{1,255}))(?:;[^\s<>\"]*)?",
    re.ASCII,
)


async def refer(client: AriClient, caller_id: str, leg_id: str, far_id: str) -> bool:
    """Ask for it; False where that makes no sense. Raises `AriError`, `AriUnavailable`."""
    ours = await _address(client, caller_id)
    dialled = await _dialled(client, leg_id, far_id)
    theirs = dialled and await _address(client, dialled)
    if not (ours and dialled and theirs and ours["host"] == theirs["host"]):
        return False
    dialog = await _dialog(client, dialled)
    where = f"PJSIP/{theirs['uri']}?Replaces={quote(dialog, safe='')}"
    await client.channels.handle(caller_id).redirect(where)
    return True


async def _dialled(client: AriClient, leg_id: str, far_id: str) -> str | None:
    """The channel that leads to the destination: the leg, or the one behind a Local channel."""
    if not str((await client.channels.get(leg_id))["name"]).startswith("Local/"):
        return leg_id
    for _ in range(TRIES):
        try:
            name = await client.channels.handle(far_id).get_variable("BRIDGEPEER")
        except NotFound:
            await asyncio.sleep(PAUSE)
        else:
            channels = await client.channels.list()
            return next((str(one["id"]) for one in channels if one["name"] == name), None)
    return None


async def _address(client: AriClient, channel_id: str) -> Mapping[str, Any] | None:
    """Where the other end of a SIP channel is; None for any other channel."""
    try:
        text = await _sip(client, channel_id, "target_uri")
    except AriError:
        return None
    found = _ADDRESS.fullmatch(text.strip("<>"))
    return found.groupdict() if found else None


async def _dialog(client: AriClient, channel_id: str) -> str:
    """As its other end names it (RFC 3891 section 6.1)."""
    names = ("call-id", "remote_tag", "local_tag")
    call_id, theirs, ours = [await _sip(client, channel_id, name) for name in names]
    return f"{call_id};to-tag={theirs};from-tag={ours}"


async def _sip(client: AriClient, channel_id: str, what: str) -> str:
    return await client.channels.handle(channel_id).get_variable(f"CHANNEL(pjsip,{what})")
