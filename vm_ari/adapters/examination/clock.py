"""The machine's clock: PINs expire, messages are dated and certificates judged by it."""

import asyncio
import ctypes
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from vm_ari.adapters.ari.transport import ANSWER_SECONDS, Address
from vm_ari.adapters.findings import Finding

BEATS = timedelta(seconds=2)
"""The dialplan takes a controller for dead whose heartbeat is older than 3 s; HTTP counts whole
seconds."""
_TIMEX_SIZE = 256
_STATUS_AT = 40
"""Of the field ``status`` in ``struct timex`` (adjtimex(2)), where a long has 64 bits."""
_BYTES = 8
_UNSYNCHRONISED = 0x40
_SET = "Set the clock, and keep it right: timedatectl set-ntp true"


async def examine_clock(address: Address) -> list[Finding]:
    """Is it about right, does Asterisk agree, and does anything keep it so?"""
    now = datetime.now(UTC)
    if found := await asyncio.to_thread(_long_ago, now) or await _of_asterisk(address):
        return found
    kept = await asyncio.to_thread(_is_kept)
    advice = "" if kept is not False else "If nothing else keeps it right: timedatectl set-ntp true"
    return [Finding(True, f"It is {now:%Y-%m-%d %H:%M:%S} UTC.", advice)]


def _long_ago(now: datetime) -> list[Finding]:
    installed = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now > installed - timedelta(days=1):
        return []
    text = f"The clock says {now:%Y-%m-%d}, but this program was installed {installed:%Y-%m-%d}."
    return [Finding(False, text, _SET)]


async def _of_asterisk(address: Address) -> list[Finding]:
    """What it says of the time with each answer. Where it is away, that is told elsewhere."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    url = f"{address.url.rstrip('/')}/ari/asterisk/ping"
    try:
        async with aiohttp.ClientSession(timeout=timeout) as web:
            before = time.time()
            async with web.get(url, headers=address.authorization()) as answer:
                told = parsedate_to_datetime(answer.headers.get("Date", ""))
            ours = datetime.fromtimestamp((before + time.time()) / 2, UTC)
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return []
    ahead = told - ours
    if abs(ahead) <= BEATS:
        return []
    how = "ahead of" if ahead > timedelta() else "behind"
    text = f"Asterisk's clock is {_length(abs(ahead))} {how} ours"
    effect = "so its dialplan takes our heartbeat for an old one, and every message by itself"
    if ahead < timedelta():
        effect = "so its dialplan does not see when the controller hangs"
    return [Finding(False, f"{text}, {effect}.", _SET)]


def _length(time_between: timedelta) -> str:
    """In words that are not longer than it is exact."""
    seconds = time_between.total_seconds()
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def _is_kept() -> bool | None:
    """Does the kernel know of somebody who keeps the clock right? None: nobody can tell."""
    if ctypes.sizeof(ctypes.c_long) != _BYTES:
        return None
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    room = ctypes.create_string_buffer(_TIMEX_SIZE)
    if adjtimex(room) < 0:
        return None
    status = int.from_bytes(room.raw[_STATUS_AT : _STATUS_AT + 4], "little")
    return not status & _UNSYNCHRONISED
