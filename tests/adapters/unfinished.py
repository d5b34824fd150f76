"""What a spool finds unfinished, once its threads have let go of the facts that they wrote."""

import time
from collections.abc import Sequence

from vm_ari.domain.messages import CallFacts
from vm_ari.ports import Spool

_PATIENCE = 5.0


async def left_unfinished(spool: Spool) -> Sequence[tuple[CallFacts, Sequence[int]]]:
    """The unfinished calls; nothing when there are none after seconds of the real clock."""
    end = time.monotonic() + _PATIENCE
    while not (found := await spool.unfinished()) and time.monotonic() < end:
        time.sleep(0.01)
    return found
