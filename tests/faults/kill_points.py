"""Lives of a controller, whole or struck down at their n-th system call of one name."""

import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.spool_process import Job, order
from tests.patience import AT_MOST

SYSTEM_CALLS = (
    *("openat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync", "chmod", "fchmod"),
    *("rename", "renameat", "renameat2", "link", "linkat", "symlink"),
    *("mkdir", "mkdirat", "rmdir", "unlink", "unlinkat"),
)
"""All that change the disk."""

PATIENCE = AT_MOST
"""Seconds before a life counts as hung."""

CALL = re.compile(r"^(?:\[pid +\d+\] )?(\w+)\(", re.MULTILINE)


@dataclass
class Life:
    """What was seen of one life from outside."""

    said: list[str] = field(default_factory=list)
    recorded: list[bytes] = field(default_factory=list)
    """What Asterisk wrote, whole, before the end."""
    trace: str = ""

    @property
    def kept(self) -> bool:
        """Was the caller thanked?"""
        return "kept" in self.said

    @property
    def ended(self) -> bool:
        """Did it come to its own end?"""
        return self.said[-1:] in (["finished"], ["refused"])

    def calls(self) -> Counter[str]:
        """How often each system call was seen."""
        return Counter(CALL.findall(self.trace))


class Stage:
    """The fork server, and Asterisk's part in the play."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.faults.spool_process", str(theirs.fileno())]
        root = Path(__file__).parents[2]
        with theirs:
            self._server = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=root)

    def close(self) -> None:
        """No more lives."""
        self._orders.close()
        self._server.wait(PATIENCE)

    def live(self, job: Job, *takes: bytes, strace: tuple[str, ...] = ()) -> Life:
        """One life; Asterisk writes *takes* when asked to record."""
        life, asterisk = Life(), iter(takes)
        with order(self._orders, job) as wire, wire.makefile("r") as lines:
            wire.settimeout(PATIENCE)
            pid = int(lines.readline().removeprefix("pid "))
            with _traced(pid, strace, life):
                _send(wire)
                for line in lines:
                    life.said.append(line.strip())
                    word, _, name = line.strip().partition(" ")
                    if word == "record":
                        content = next(asterisk)
                        Path(f"{job.directory}/{name}.wav").write_bytes(content)
                        life.recorded.append(content)
                        _send(wire)
        return life


def _send(wire: socket.socket) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        wire.send(b".")


@contextmanager
def _traced(pid: int, options: tuple[str, ...], life: Life) -> Iterator[None]:
    """Have strace hold the process *pid* and its threads by the time the block begins."""
    if not options:
        yield
        return
    command = ["strace", "-f", "-p", str(pid), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, errors="replace") as tracer:
        assert tracer.stderr is not None
        first = tracer.stderr.readline()
        assert "attached" in first, first
        yield
        life.trace = tracer.stderr.read()


def seen(names: tuple[str, ...]) -> tuple[str, ...]:
    """Options of strace: show these calls, with the paths of descriptors."""
    return ("-y", "-s", "300", "-e", f"trace={','.join(names)}")


def killed_before(name: str, n: int) -> tuple[str, ...]:
    """Options of strace: SIGKILL instead of the *n*-th call of that name."""
    return ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={n}")


def failing(name: str, error: str, when: str) -> tuple[str, ...]:
    """Options of strace: that call fails; *when* is ``3`` (once) or ``3+`` (from then on)."""
    return ("-e", f"trace={name}", "-e", f"inject={name}:error={error}:when={when}")
