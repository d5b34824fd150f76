"""Reading our own log back from systemd's journal, by its own program ``journalctl``."""

import asyncio
import json
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from vm_ari.domain.log_lines import LogLine, LogPage, LogQuery, parse
from vm_ari.ports import LogsUnavailable

PROGRAM = "journalctl"
MOST_LINES = 10_000
"""Read in one look."""
TURN = 20
"""Lines after which others have their turn."""
MARK = 1_000
"""Every so many lines one is read whatever it says: the next look goes on there."""
PATIENCE = 10.0
"""Seconds for one look."""
LONGEST = 256_000
"""Bytes of one entry as JSON; journald itself cuts lines at 48 KiB."""
_LONGEST_CURSOR = 300


@dataclass(frozen=True)
class JournalLogs:
    """`ports.Logs` on the journal; *more* are arguments such as ``--directory=…``."""

    unit: str
    more: Sequence[str] = ()

    async def newest(self, query: LogQuery, *, after: str = "", limit: int = 200) -> LogPage:
        """See `Logs`."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._newest(query, after, limit)
        except FileNotFoundError:
            text = "there is no systemd journal on this machine; name a file: logs.file"
            raise LogsUnavailable(text) from None
        except TimeoutError:
            raise LogsUnavailable("journalctl does not answer in time") from None
        except OSError as error:
            raise LogsUnavailable(f"journalctl: {error.strerror or error}") from error

    async def _newest(self, query: LogQuery, after: str, limit: int) -> LogPage:
        process = await asyncio.create_subprocess_exec(
            *self._command(after), stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, limit=LONGEST
        )
        found, place, count = list[LogLine](), "", 0
        needles = query.needles()
        try:
            async for raw in _entries(process):
                count += 1
                if count % TURN == 0:
                    await asyncio.sleep(0)  # calls are served by the same loop
                if count % MARK and not all(one.search(raw) for one in needles):
                    continue
                entry = _read(raw)
                place = str(entry.get("__CURSOR", place))
                line = parse(_message(entry))
                if query.matches(line):
                    found.append(line)
                if len(found) >= limit:
                    return LogPage(tuple(found), place)
            if await process.wait() and not count:
                text = f"journalctl shows no line of unit {self.unit}: may this account read them?"
                raise LogsUnavailable(text)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return LogPage(tuple(found), place if count >= MOST_LINES else "")

    def _command(self, after: str) -> list[str]:
        command = [PROGRAM, "--output=json", "--reverse", "--quiet", "--no-pager"]
        command += ["--output-fields=MESSAGE", f"--lines={MOST_LINES}", f"--unit={self.unit}"]
        if after and after.isprintable() and len(after) <= _LONGEST_CURSOR:
            command.append(f"--after-cursor={after}")
        return [*command, *self.more]


async def _entries(process: Process) -> AsyncIterator[bytes]:
    """Those of a size that ours have."""
    assert process.stdout
    while True:
        try:
            raw = await process.stdout.readline()
        except ValueError:  # longer than any of ours
            continue
        if not raw:
            return
        yield raw


def _read(raw: bytes) -> dict[str, Any]:
    """Empty for what cannot be read."""
    try:
        told = json.loads(raw)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _message(entry: dict[str, Any]) -> str:
    """What is no UTF-8 comes as a list of octets."""
    match entry.get("MESSAGE"):
        case str(text):
            return text
        case list(octets) if all(isinstance(one, int) and 0 <= one < 256 for one in octets):
            return bytes(octets).decode("utf-8", "replace")
    return ""
