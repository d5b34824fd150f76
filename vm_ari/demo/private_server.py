"""A server of our own on loopback: its files below one directory, ended by its process id."""

import asyncio
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from vm_ari.adapters.asterisk.ports import free_port

PREFIX = "vm-ari-demo-"
_PATIENCE = 60.0
_FAREWELL = 10.0
_TRIES = 5
_NOBODY = "nobody"


class ServerFailed(Exception):
    """A server did not start; the text has its last words."""


class ServerMissing(Exception):
    """A program is not installed. The text says which package brings it."""


def program(name: str, package: str) -> str:
    """Where it is: Debian keeps servers out of an ordinary user's PATH. Raises `ServerMissing`."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/lib/dovecot")
    if found is None:
        raise ServerMissing(f"{name} is missing; install it as root: apt-get install {package}")
    return found


def account() -> tuple[str, str]:
    """User and group that servers run as: we ourselves, but never root."""
    if os.geteuid() == 0:
        return _NOBODY, grp.getgrgid(pwd.getpwnam(_NOBODY).pw_gid).gr_name
    return pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name


class PrivateServer:
    """One server; *place* is where its files are found, *name* tells it from others there.

    Root's servers run as nobody, who may not enter most directories: their files are below /tmp
    while they run, behind a link at *place*.
    """

    def __init__(self, name: str, place: Path) -> None:
        self.name = name
        self._place = place / name
        self.base = self._place
        self.port = 0
        self.user, self.group = account()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_roots(self) -> bool:
        """Does root start it?"""
        return os.geteuid() == 0

    @property
    def is_running(self) -> bool:
        """Is its process there?"""
        return self._process is not None and self._process.poll() is None

    def make_directory(self) -> None:
        """Where its files will be, for it alone."""
        if self.is_roots:
            self.base = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
            self._place.symlink_to(self.base)
        else:
            self.base.mkdir(mode=0o700, parents=True)

    def give_away(self) -> None:
        """What we wrote belongs to whom it runs as."""
        if self.is_roots:
            for path in (self.base, *self.base.rglob("*")):
                shutil.chown(path, self.user, self.group)

    async def start(
        self, command: Callable[[int], Sequence[str | Path]], greeting: bytes = b""
    ) -> None:
        """Start it on a free port, and wait until it says *greeting*. Raises `ServerFailed`."""
        for _ in range(_TRIES):
            self.port = free_port()
            self._spawn(command(self.port))
            if await asyncio.to_thread(self._answers, greeting):
                return
            await self.stop_process()
        raise ServerFailed(f"{self.name} does not start; its last words:\n{self.log()}")

    async def stop(self) -> None:
        """End it; its files stay at their place."""
        await self.stop_process()
        if self._place.is_symlink():
            self._place.unlink()
            await asyncio.to_thread(shutil.move, self.base, self._place)

    async def stop_process(self) -> None:
        """End it with all its processes."""
        if self._process:
            await asyncio.to_thread(self._end, self._process)
            self._process = None

    async def run(
        self, command: Sequence[str | Path], given: bytes = b""
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run another program as the same account."""
        return await asyncio.to_thread(self._run, command, given)

    def log(self) -> str:
        """Its last words."""
        files = [self.base / "output", self.base / "log"]
        return "".join(f.read_text(errors="replace")[-1500:] for f in files if f.exists())

    def _run(
        self, command: Sequence[str | Path], given: bytes
    ) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            command, input=given, capture_output=True, cwd=self.base, check=False, **self._whose()
        )

    def _whose(self) -> dict[str, Any]:
        if not self.is_roots:
            return {}
        return {"user": self.user, "group": self.group, "extra_groups": []}

    def _spawn(self, command: Sequence[str | Path]) -> None:
        """In a session of its own, and ending when we die."""
        setpriv = shutil.which("setpriv")
        bound = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        self.give_away()
        with (self.base / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [*bound, *command],
                cwd=self.base,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._whose(),
            )

    def _answers(self, greeting: bytes) -> bool:
        end = time.monotonic() + _PATIENCE
        while self._process and self._process.poll() is None and time.monotonic() < end:
            if _greets(self.port, greeting):
                return True
            time.sleep(0.02)
        return False

    @staticmethod
    def _end(process: "subprocess.Popen[bytes]") -> None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_FAREWELL)
        with suppress(ProcessLookupError):  # those that still serve somebody
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _greets(port: int, greeting: bytes) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(("127.0.0.1", port))
            return not greeting or probe.recv(len(greeting)) == greeting
        except OSError:
            return False
