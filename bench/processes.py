"""What the kernel says of processes: CPU, memory, file descriptors, threads."""

import os
import re
import resource
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_MB = 1024.0


@dataclass(frozen=True)
class Process:
    """One that runs. Each question raises `FileNotFoundError` when it has ended."""

    pid: int

    @property
    def cpu(self) -> float:
        """Seconds, of all threads."""
        words = self._stat()
        return (int(words[11]) + int(words[12])) / _TICKS

    @property
    def megabytes(self) -> float:
        """Resident."""
        return self._kilobytes("status", "VmRSS") / _MB

    @property
    def own_megabytes(self) -> float:
        """Resident, its part of what several share (PSS)."""
        return self._kilobytes("smaps_rollup", "Pss") / _MB

    @property
    def descriptors(self) -> int:
        """Open files, sockets and pipes."""
        return len(list((self._place / "fd").iterdir()))

    @property
    def threads(self) -> int:
        """All of them."""
        return len(list((self._place / "task").iterdir()))

    @property
    def _place(self) -> Path:
        return Path(f"/proc/{self.pid}")

    def _stat(self) -> list[str]:
        return (self._place / "stat").read_text().rpartition(")")[2].split()

    def _kilobytes(self, file: str, name: str) -> int:
        found = re.search(rf"^{name}:\s+(\d+)", (self._place / file).read_text(), re.MULTILINE)
        return int(found[1]) if found else 0


def cpu_seconds(pid: int) -> float:
    """Of all threads of a process, until now."""
    return Process(pid).cpu


def machine_seconds() -> tuple[float, float]:
    """CPU seconds that everybody has used since the machine began, and those nobody wanted."""
    user, nice, system, idle, wait, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / _TICKS, (idle + wait) / _TICKS


def our_programs_seconds() -> float:
    """CPU seconds of programs that we started and that have ended, such as the callers."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def offspring(pid: int) -> list[Process]:
    """The processes that a process has started, and theirs."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):
            words = (place / "stat").read_text().rpartition(")")[2].split()
            parents[int(place.name)] = int(words[1])
    found: list[int] = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return [Process(one) for one in found[1:]]
