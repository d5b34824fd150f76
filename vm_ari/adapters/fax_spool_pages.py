"""Has the pages of a received fax looked at by a confined worker, whose answer is not trusted."""

import json
import math
import os
import stat
from pathlib import Path

from vm_ari.adapters.worker_process import WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.domain.faxes import MOST_PAGES, FaxPages
from vm_ari.ports import FaxUnreadable
from vm_ari.ports.fax import PreparedFax

WORKER = "vm_ari.adapters.fax_spool_worker"
PATIENCE = 90.0
"""Seconds for one fax, on a machine that has other things to do."""
LARGEST = 100_000_000
"""Bytes of a TIFF; more is no fax."""
_MOST_OUTPUT = 64 << 20
_LONGEST_HEAD = 200
_NOTHING = 8
"""Bytes that a TIFF without a page has."""


async def prepared(path: Path) -> PreparedFax:
    """Its pages, and a PDF of them. Raises `FaxUnreadable`, OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_size > LARGEST:
            raise FaxUnreadable("This is no fax: it is too large, or not a file.")
        if state.st_size <= _NOTHING:
            return PreparedFax(FaxPages(0))
        done = await run_module(WORKER, (), descriptor, seconds=PATIENCE, most_output=_MOST_OUTPUT)
    except (WorkerTooSlow, WorkerTooChatty) as error:
        raise FaxUnreadable(f"The pages cannot be read ({type(error).__name__}).") from None
    finally:
        os.close(descriptor)
    head, _, rest = done.output.partition(b"\n")
    if done.code:
        raise FaxUnreadable(f"The pages cannot be read (code {done.code}: {done.complaint[:80]}).")
    return _judged(head, rest)


def _judged(head: bytes, rest: bytes) -> PreparedFax:
    try:
        told = json.loads(head[:_LONGEST_HEAD])
        pages, lines, size = int(told["pages"]), float(told["lines"]), int(told["size"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FaxUnreadable("The pages cannot be read.") from error
    if not 0 <= pages <= MOST_PAGES or not math.isfinite(lines) or size != len(rest):
        raise FaxUnreadable("The pages cannot be read.")
    return PreparedFax(FaxPages(pages, lines), rest if rest.startswith(b"%PDF-") else b"")
