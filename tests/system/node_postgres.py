"""The PostgreSQL that nodes share; it can be killed and started again with what it has."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from tempfile import mkdtemp

from tests.adapters.postgres import postgres_programs

_ACCOUNT = "nobody"
"""PostgreSQL refuses to run as root."""
_PATIENCE = 30.0


class MortalPostgres:
    """An empty server on a Unix socket; *careful*: with fsync, though only processes die here."""

    def __init__(self, *, careful: bool = False) -> None:
        programs = postgres_programs()
        assert programs
        self._programs = programs
        self._account = _ACCOUNT if os.getuid() == 0 else None
        self.base = Path(mkdtemp(prefix="vm-ari-nodes-", dir="/tmp"))
        self._server: subprocess.Popen[bytes] | None = None
        self._options = () if careful else ("-F",)

    @property
    def url(self) -> str:
        """SQLAlchemy's; who asks does not wait for long."""
        return f"postgresql+psycopg://vmari@/postgres?host={self.base}&connect_timeout=2"

    @property
    def is_running(self) -> bool:
        """Is its process there?"""
        return self._server is not None and self._server.poll() is None

    async def start(self) -> None:
        """Once it returns it takes connections."""
        await asyncio.to_thread(self._start)

    async def kill(self) -> None:
        """As a power cut would: the postmaster, and with it all that serve somebody."""
        assert self._server
        os.killpg(self._server.pid, signal.SIGKILL)
        await asyncio.to_thread(self._server.wait)

    async def stop(self) -> None:
        """For good."""
        if self.is_running and self._server:
            self._server.send_signal(signal.SIGINT)
            await asyncio.to_thread(self._server.wait)
        shutil.rmtree(self.base)

    def _start(self) -> None:
        data = self.base / "data"
        if not data.exists():
            self._make(data)
        (data / "postmaster.pid").unlink(missing_ok=True)
        run = [str(self._programs / "postgres"), "-D", str(data), "-k", str(self.base), "-h", ""]
        with (self.base / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [*run, *self._options, "-c", "max_connections=200"],
                user=self._account,
                cwd=self.base,
                stderr=log,
                start_new_session=True,
            )
        self._wait(data / "postmaster.pid")

    def _make(self, data: Path) -> None:
        if self._account:
            shutil.chown(self.base, self._account)
        how = ["-U", "vmari", "-A", "trust", "--no-sync"]
        subprocess.run(
            [self._programs / "initdb", "-D", data, *how],
            check=True,
            user=self._account,
            cwd=self.base,
            stdout=subprocess.DEVNULL,
        )

    def _wait(self, state: Path) -> None:
        end = time.monotonic() + _PATIENCE
        while not (state.exists() and state.read_text().rstrip().endswith("ready")):
            assert self.is_running, "PostgreSQL has ended"
            assert time.monotonic() < end, "PostgreSQL does not start"
            time.sleep(0.05)
