"""Ports at which the running controller takes mails: does it listen there, and nobody else?"""

import asyncio
import os
import re

from vm_ari.adapters.findings import Finding

_PATIENCE = 10.0
"""Seconds."""
_OURS = re.compile(r"220 .* vm-ari$|554 |421 ")
"""Our greeting, or to a host that may not bring mails, or to one too many."""


async def examine_mail_port(host: str, port: int, table: str, what: str, good: str) -> Finding:
    """*table* of the configuration says where *what* ("mails to the system") is taken.

    *good*: what is said if it is, without the place.
    """
    where = f"{host}:{port}"
    try:
        async with asyncio.timeout(_PATIENCE):
            answer = await _greeting(host, port)
    except (OSError, TimeoutError, ValueError) as error:  # ValueError: a line without an end
        text = f"Nobody takes {what} at {where}: {_reason(error)}."
        advice = f"Start the controller, or correct host and port of [{table}]."
        return Finding(False, text, advice, unreachable=True)
    if not _OURS.match(answer):
        text = f"Something at {where} answers “{answer}”."
        advice = f"ss -ltnp says what; give the controller another port in [{table}]."
        return Finding(False, text, advice)
    return Finding(True, f"{good} at {where}.")


async def _greeting(host: str, port: int) -> str:
    """The first line. Raises OSError, ValueError."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        return (await reader.readline())[:200].decode("ascii", "replace").strip()
    finally:
        writer.close()


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or "no answer"
