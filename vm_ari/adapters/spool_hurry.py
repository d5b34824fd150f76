"""Telling the controller, from another process, that a waiting message is to be tried now.

The controller reads the history of an item once and remembers it; a mark has it read it again.
Blocking; raises OSError.
"""

import secrets
from pathlib import Path

from vm_ari.adapters import durable
from vm_ari.adapters.spool_records import attempts_to_json
from vm_ari.domain.delivery import Attempts

MARK = "now"


def hurry(item: Path, attempts: Attempts) -> None:
    """Write that history, and the mark beside it."""
    unfinished = item / f"{secrets.token_hex(4)}{durable.UNFINISHED}"
    durable.write_file(unfinished, attempts_to_json(attempts))
    unfinished.rename(item / "attempts.json")
    durable.write_file(item / MARK, b"")
    durable.sync(item)


def taken(item: Path) -> bool:
    """Is there such a mark? It is gone then."""
    try:
        (item / MARK).unlink()
    except FileNotFoundError:
        return False
    return True
