"""Ports for servers that are started in a moment: each is handed out once on the whole machine.

Between the choice of a port and the server's start there are moments in which somebody else could
choose the same one. So the choice is kept: as the name of an abstract socket (unix(7)), which the
kernel gives to one process only, and takes back when that process ends, however it ends.
"""

import os
import random
import socket
from collections import deque
from contextlib import closing, suppress

_SERVICE_PORTS = range(5100, 10000)
_MOST_KEPT = 300
_kept: deque[int] = deque()
"""The descriptors of what was chosen; the oldest are servers for long."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, address: str = "127.0.0.1") -> int:
    """A port number that nobody uses at this moment, TCP by default; each time another one.

    Outside the range the kernel takes ports from for others, so that it is still free a moment
    later, and outside the range for audio. Raises OSError where all are taken.
    """
    for port in random.SystemRandom().sample(_SERVICE_PORTS, len(_SERVICE_PORTS)):
        with closing(socket.socket(socket.AF_INET, kind)) as probe, suppress(OSError):
            probe.bind((address, port))
            _keep(port)
            return port
    raise OSError(f"no port between {_SERVICE_PORTS[0]} and {_SERVICE_PORTS[-1]} is free")


def _keep(port: int) -> None:
    """Raises OSError where another has it."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as mark:
        mark.bind(f"\0vm-ari chose port {port}")
        _kept.append(mark.detach())
    while len(_kept) > _MOST_KEPT:
        os.close(_kept.popleft())
