"""How much lies in the queues on the disk, by counting names; nothing is opened. Blocks."""

import os
import shutil
from itertools import islice
from pathlib import Path

MOST = 100_000
"""Names of one directory that are counted: nobody needs to know more exactly."""


def counted(directory: Path) -> int:
    """How many names there are; 0 where there is no such directory."""
    try:
        with os.scandir(directory) as names:
            return sum(not one.name.startswith(".") for one in islice(names, MOST))
    except OSError:
        return 0


def oldest(directory: Path) -> float | None:
    """When the oldest of these was changed last, in seconds since 1970; None: there is none."""
    try:
        with os.scandir(directory) as names:
            times = [one.stat().st_mtime for one in islice(names, MOST)]
    except OSError:
        return None
    return min(times, default=None)


def free_bytes(path: Path) -> float:
    """Of the disk; NaN where it cannot be asked."""
    try:
        return float(shutil.disk_usage(path).free)
    except OSError:
        return float("nan")
