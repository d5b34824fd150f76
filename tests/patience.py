"""How long tests wait for what must happen: in one place, and far longer than it ever takes.

Waiting costs nothing when it happens. What is asserted is that it happens; how quickly is asserted
only where that is the requirement, and then beside a limit for machines that stall.
"""

import os

_FACTOR = float(os.environ.get("VM_ARI_PATIENCE", "1"))
"""``VM_ARI_PATIENCE=5 make test``: for an emulator, or under a debugger."""
AT_MOST = 120.0 * _FACTOR
"""Seconds: for one thing, such as a prompt, a mail, the end of a process."""
STORY = 600.0 * _FACTOR
"""Seconds: for a whole story of many calls."""
