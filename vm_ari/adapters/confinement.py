"""What a worker process may use that reads somebody else's data; for Unix.

Imports nothing large: the limits are in force before a library is loaded.
"""

import os
import resource

MEMORY = 768 << 20
"""Bytes of address space: libraries take some 300 MB of it, two minutes of audio 60 MB."""
CPU_SECONDS = 20
OPEN_FILES = 48
NICENESS = 10
"""A call that goes on at the same time is more urgent."""


def confine(*, memory: int = MEMORY, cpu_seconds: int = CPU_SECONDS, largest_file: int = 0) -> None:
    """Limit memory, CPU time and files of this process and of what it executes, for good.

    Without *largest_file* (bytes) nothing can be written but standard output, a pipe.
    """
    limits = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: OPEN_FILES,
        resource.RLIMIT_FSIZE: largest_file,
    }
    for what, most in limits.items():
        _, already = resource.getrlimit(what)
        allowed = most if already == resource.RLIM_INFINITY else min(most, already)
        resource.setrlimit(what, (allowed, allowed))
    os.nice(NICENESS)
