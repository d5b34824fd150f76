"""What systemd is told of a service (sd_notify(3)): ready, stopping, alive, and a line of status.

A datagram to the socket that ``$NOTIFY_SOCKET`` names; without one, nothing is said to nobody.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

LONGEST_STATUS = 200


@dataclass(frozen=True)
class ServiceManager:
    """Whoever has started us, and wants to hear how we are."""

    address: str = ""
    """Path of its socket, with @ for an abstract one; empty: there is nobody."""
    watchdog: float = 0.0
    """Seconds after which it takes us for hung; 0: it does not watch."""

    @classmethod
    def of(cls, environment: Mapping[str, str], pid: int) -> "ServiceManager":
        """As the variables say that it sets; those meant for another process do not count."""
        address = environment.get("NOTIFY_SOCKET", "")
        if not address.startswith(("/", "@")):
            return cls()
        micros = environment.get("WATCHDOG_USEC", "")
        for_us = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        watched = micros.isdecimal() and for_us
        return cls(address, int(micros) / 1_000_000 if watched else 0.0)

    def ready(self, status: str) -> None:
        """Calls come in from now on."""
        self._tell(f"READY=1\nSTATUS={_line(status)}")

    def alive(self) -> None:
        """Not hung: restart us when you have not heard this for a while."""
        self._tell("WATCHDOG=1")

    def status(self, text: str) -> None:
        """For ``systemctl status``."""
        self._tell(f"STATUS={_line(text)}")

    def stopping(self) -> None:
        """On purpose."""
        self._tell("STOPPING=1")

    def _tell(self, state: str) -> None:
        """Without waiting: nothing of ours may stop because nobody reads."""
        if not self.address:
            return
        name = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.sendto(state.encode("utf-8", "replace"), name)


def _line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_STATUS]


def service_manager() -> ServiceManager:
    """That of this process."""
    return ServiceManager.of(os.environ, os.getpid())
