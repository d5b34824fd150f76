"""systemd hears that the controller is ready, alive and stopping: over a socket as it has one."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.patience import AT_MOST
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.pulse import Pulse
from vm_ari.adapters.service_manager import ServiceManager

CONFIG = """
[asterisk]
url = "http://127.0.0.1:{nobody}"
password = "none"
[spool]
directory = "{directory}/vm-ari"
[directory]
url = "sqlite:///{directory}/directory.db"
keys = "{directory}/keys"
[greetings]
directory = "{directory}/greetings"
[store]
maildir = "{directory}/mail"
[speech]
cache = "{directory}/speech"
[metrics]
enabled = true
port = {port}
"""


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(AT_MOST)
        yield heard


def until(heard: socket.socket, state: str) -> list[str]:
    """Everything that is said, to the first message that holds *state*."""
    said: list[str] = []
    while not said or state not in said[-1]:
        said.append(heard.recv(4096).decode())
    return said


def test_variables_for_somebody_else_do_not_count() -> None:
    told = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "30000000"}
    assert ServiceManager.of({}, 7) == ServiceManager()
    assert ServiceManager.of(told, 7) == ServiceManager("/run/x", 30.0)
    assert ServiceManager.of({**told, "WATCHDOG_PID": "8"}, 7).watchdog == 0
    assert ServiceManager.of({**told, "NOTIFY_SOCKET": "relative"}, 7) == ServiceManager()


def test_a_manager_that_has_gone_stops_nothing(tmp_path: Path) -> None:
    gone = ServiceManager(str(tmp_path / "gone"))
    gone.ready("x")
    gone.alive()
    gone.stopping()


def test_a_loop_that_is_blocked_is_late_and_gives_no_sign_of_life(
    manager: socket.socket, tmp_path: Path
) -> None:
    async def story() -> float:
        pulse = Pulse(ServiceManager(str(tmp_path / "notify")), lambda: "two\nlines")
        beating = asyncio.create_task(pulse.run())
        await asyncio.sleep(0.1)
        assert until(manager, "READY=1")[-1] == "READY=1\nSTATUS=two lines"
        await asyncio.sleep(0.7)
        until(manager, "WATCHDOG=1")
        manager.setblocking(False)
        with suppress(BlockingIOError):
            while manager.recv(4096):
                pass
        time.sleep(1.5)  # what a hung library would do
        with pytest.raises(BlockingIOError):
            manager.recv(4096)
        await asyncio.sleep(0.1)
        manager.settimeout(AT_MOST)
        until(manager, "WATCHDOG=1")
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        until(manager, "STOPPING=1")
        return pulse.latest

    assert asyncio.run(story()) > 0.9


@pytest.mark.feature_part("OPS-03", "ready, alive, stopping, for systemd; health")
def test_a_controller_without_asterisk_is_alive_but_not_ready(
    manager: socket.socket, tmp_path: Path
) -> None:
    config, port = tmp_path / "vm-ari.toml", free_port()
    text = CONFIG.format(directory=tmp_path, nobody=free_port(), port=port)
    config.write_text(text, encoding="utf-8")
    surroundings = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    run = [sys.executable, "-m", "vm_ari", "run", "-c", str(config)]
    with subprocess.Popen(run, env=surroundings, stderr=subprocess.PIPE) as controller:
        try:
            said = until(manager, "WATCHDOG=1")
            assert said[0].startswith("READY=1\nSTATUS=Waiting for Asterisk at http://127.0.0.1:")
            assert answer(port, "healthz") == (200, ["alive"])
            status, lines = answer(port, "readyz")
            assert status == 503
            assert [line.partition(":")[0] for line in lines] == [
                *("not ready", "MISSING asterisk", "ok      directory"),
                *("ok      spool", "ok      message store"),
            ]
            controller.send_signal(signal.SIGTERM)
            until(manager, "STOPPING=1")
            assert controller.wait(AT_MOST) == 0
        finally:
            controller.kill()


def answer(port: int, path: str) -> tuple[int, list[str]]:
    """Status and lines; the port is there a moment after the first sign of life."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=AT_MOST) as told:
                return told.status, told.read().decode().splitlines()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().splitlines()
        except urllib.error.URLError:
            time.sleep(0.1)
    raise AssertionError("nobody listens")
