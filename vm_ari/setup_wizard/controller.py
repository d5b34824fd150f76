"""A controller for the trial: the one that runs, or one of our own that ends with it."""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.examination.asterisk import client_of
from vm_ari.config import Config
from vm_ari.setup_wizard.surroundings import service_account
from vm_ari.setup_wizard.talk import Talk
from vm_ari.setup_wizard.test_line import CallFailed
from vm_ari.wiring.asterisk import asterisk_address

_BEAT = "VM_ARI_BEAT"
_FRESH = 4
"""Seconds; the heartbeat comes each second."""
_START = 30.0
_STOP = 15.0
_LAST_LINES = 5


@asynccontextmanager
async def controller(talk: Talk, config: Config, path: Path) -> AsyncIterator[None]:
    """Calls come to a controller within the block. Raises `CallFailed`."""
    if await _beats(config):
        talk.found("the controller that runs takes the call")
        yield
        return
    with tempfile.TemporaryFile() as log:
        process = _started(path, log.fileno())
        try:
            await _ready(config, process)
            talk.found("a controller was started for the trial")
            yield
        except CallFailed as error:
            raise CallFailed(f"{error}{_words(log.fileno(), process)}") from None
        finally:
            process.terminate()
            await asyncio.to_thread(_ended, process)


def _started(path: Path, log: int) -> "subprocess.Popen[bytes]":
    """As the service's own account, so that it can use the files afterwards."""
    account = service_account()
    setpriv = shutil.which("setpriv")
    bound = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []  # it ends with us
    return subprocess.Popen(
        [*bound, sys.executable, "-m", "vm_ari", "run", "-c", str(path.absolute())],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd="/",
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=os.getgrouplist(account.pw_name, account.pw_gid) if account else None,
    )


async def _ready(config: Config, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _START
    while not await _beats(config):
        if process.poll() is not None:
            raise CallFailed("the controller does not start")
        if time.monotonic() > end:
            raise CallFailed(f"the controller does not reach Asterisk within {_START:.0f} s")
        await asyncio.sleep(0.2)


async def _beats(config: Config) -> bool:
    """Does one say that it is alive?"""
    try:
        async with client_of(asterisk_address(config)) as client:
            told = await client.asterisk.get_global_variable(_BEAT)
            await client.applications.get(config.asterisk.app)
    except (AriError, AriUnavailable):
        return False
    return told.isdecimal() and time.time() - int(told) < _FRESH


def _ended(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _words(log: int, process: "subprocess.Popen[bytes]") -> str:
    """The last ones of a controller that ended by itself."""
    if process.poll() is None:
        return ""
    text = os.pread(log, 100_000, 0).decode("utf-8", "replace")
    lines = [line for line in text.splitlines() if line.strip()][-_LAST_LINES:]
    return "; its last words:\n    " + "\n    ".join(lines) if lines else ""
