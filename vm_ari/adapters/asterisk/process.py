"""Start, ask and stop a private Asterisk as a child of this process."""

import asyncio
import base64
import os
import shutil
import signal
import socket
import subprocess
from contextlib import closing
from pathlib import Path
from types import TracebackType

import aiohttp

from vm_ari.adapters.asterisk import configuration
from vm_ari.adapters.asterisk.configuration import Instance
from vm_ari.adapters.asterisk.install import AsteriskInstall

START_SECONDS = 60.0
STOP_SECONDS = 17.0  # Asterisk itself waits up to 15 s for channels that do not go away
COMMAND_SECONDS = 30.0
_POLL_SECONDS = 0.02
_LINES_SHOWN = 12

_CAUSES = (
    ("Address already in use", "another program uses one of its ports"),
    ("could not be started", "the SIP port cannot be opened"),
    ("Cannot assign requested address", "this machine does not have the address to listen on"),
    ("Permission denied", "a file or port may not be used by this user"),
    ("No space left on device", "the disk is full"),
    ("Too many open files", "the limit of open files is too low (ulimit -n)"),
    ("documentation", "Asterisk's XML documentation was not found"),
    ("error while loading shared libraries", "a library is missing: fetch Asterisk again"),
)


class AsteriskFailed(Exception):
    """A private Asterisk did not start, died, or did not answer; carries its last log lines."""


class PrivateAsterisk:
    """An Asterisk of our own in a directory of its own.

    ``async with PrivateAsterisk(install, instance) as asterisk:`` starts it and stops it at the
    end. It ends with the thread that started it, even if that is killed. The object is not bound
    to an event loop: it may be started in one and used in the next.
    """

    def __init__(self, install: AsteriskInstall, instance: Instance) -> None:
        self.install = install
        self.instance = instance
        self._conf = instance.etc / "asterisk.conf"
        self._child: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> "PrivateAsterisk":
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def log(self) -> Path:
        """Asterisk's log file."""
        return self.instance.log

    @property
    def ari_url(self) -> str:
        """Where ARI is: ``http://127.0.0.1:<port>/ari``."""
        return f"http://127.0.0.1:{self.instance.http_port}/ari"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    async def start(self) -> None:
        """Write the configuration, start and wait until it takes calls.

        Raises AsteriskFailed with the likely cause, FileNotFoundError without ``asterisk-conf/``.
        """
        if self.pid is not None:
            return
        self._conf = configuration.write(self.instance, self.install)
        _require_free_ports(self.instance)
        self.log.unlink(missing_ok=True)
        self._child = self._spawn()
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._booted()
        except TimeoutError:
            await self.kill()
            raise self._failure(f"was not ready after {START_SECONDS:.0f} s") from None
        except BaseException:
            await self.kill()
            raise

    async def stop(self) -> None:
        """Ask it to end, wait for channels to go, and make sure it is gone."""
        child = self._child
        if child is None:
            return
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        try:
            await _ends_within(child, STOP_SECONDS)
        finally:
            await self.kill()

    async def restart(self) -> None:
        """Stop and start again; registrations and other data of its database survive."""
        await self.stop()
        await self.start()

    async def kill(self) -> None:
        """End it at once by SIGKILL, as a crash would."""
        if self._child is not None:
            if self._child.poll() is None:
                self._child.kill()
            self._child.wait()  # immediate after SIGKILL
            self._child = None

    async def command(self, line: str) -> str:
        """Run one command of Asterisk's command line interface and return what it prints.

        Raises AsteriskFailed where Asterisk does not answer.
        """
        done = await asyncio.create_subprocess_exec(
            *(*self.install.command, "-C", str(self._conf), "-rx", line),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self._environment(),
        )
        try:
            async with asyncio.timeout(COMMAND_SECONDS):
                output, _ = await done.communicate()
        except BaseException as error:
            done.kill()
            await done.wait()
            if isinstance(error, TimeoutError):
                raise self._failure(f"did not answer “{line}”") from None
            raise
        if done.returncode:
            raise self._failure(f"refused “{line}”: {output.decode(errors='replace').strip()}")
        return output.decode(errors="replace")

    def _spawn(self) -> subprocess.Popen[bytes]:
        """In a session of its own, so that Ctrl-C reaches us first, and dying with us."""
        # util-linux's setpriv; unlike a preexec_fn it is safe beside threads
        setpriv = shutil.which("setpriv")
        bound = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with self._console.open("wb") as console:
            return subprocess.Popen(
                [*bound, *self.install.command, "-f", "-C", str(self._conf)],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )

    @property
    def _console(self) -> Path:
        return self.log.with_name("console")

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **dict(self.install.environment)}

    async def _booted(self) -> None:
        """``GET /asterisk/ping`` is refused, then 503 while modules load, then 200."""
        login = f"{self.instance.ari_user}:{self.instance.ari_password}".encode()
        headers = {"Authorization": f"Basic {base64.b64encode(login).decode()}"}
        async with aiohttp.ClientSession(headers=headers) as session:
            while not await _pings(session, f"{self.ari_url}/asterisk/ping"):
                if self.pid is None:
                    raise self._failure("ended at once")
                await asyncio.sleep(_POLL_SECONDS)
        if any(cause in self._last_lines() for cause, _ in _CAUSES[:2]):
            raise self._failure("started without one of its ports")

    def _last_lines(self) -> str:
        texts = [
            path.read_text(errors="replace") for path in (self._console, self.log) if path.exists()
        ]
        return "\n".join("\n".join(texts).splitlines()[-200:])

    def _failure(self, what: str) -> AsteriskFailed:
        lines = self._last_lines()
        cause = next((why for sign, why in _CAUSES if sign in lines), None)
        likely = f" Likely cause: {cause}." if cause else ""
        shown = "\n".join(lines.splitlines()[-_LINES_SHOWN:])
        return AsteriskFailed(
            f"Asterisk in {self.instance.directory} {what}.{likely}\n{shown}".rstrip()
        )


async def _ends_within(child: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Polled: a child watcher would tie the process to the event loop that started it."""
    for _ in range(round(seconds / _POLL_SECONDS)):
        if child.poll() is not None:
            return True
        await asyncio.sleep(_POLL_SECONDS)
    return False


async def _pings(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _require_free_ports(instance: Instance) -> None:
    """Asterisk starts without a port it cannot have; say so before, by its name."""
    wanted = [
        ("SIP", socket.SOCK_DGRAM, instance.address, instance.sip_port),
        ("HTTP (ARI)", socket.SOCK_STREAM, "127.0.0.1", instance.http_port),
    ]
    if instance.ami_port is not None:
        wanted.append(("manager", socket.SOCK_STREAM, "127.0.0.1", instance.ami_port))
    for name, kind, address, port in wanted:
        with closing(socket.socket(socket.AF_INET, kind)) as probe:
            if kind is socket.SOCK_STREAM:  # as Asterisk does: connections in TIME_WAIT are no harm
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                raise AsteriskFailed(
                    f"Asterisk cannot have the {name} port {address}:{port}: {error.strerror}"
                ) from None
