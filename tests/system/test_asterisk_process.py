"""A private Asterisk starts, answers, restarts, dies with us, and says why it cannot start."""

import asyncio
import dataclasses
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import AT_MOST
from tests.system.conftest import NewAsterisk
from tests.system.dialplan_site import complaints
from vm_ari.adapters.asterisk.configuration import Instance, Phone
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import AsteriskFailed, PrivateAsterisk

PARENT = """
import asyncio, sys
from pathlib import Path
from vm_ari.adapters.asterisk.configuration import Instance
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.adapters.asterisk.process import PrivateAsterisk

async def main():
    instance = Instance(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), "secret")
    async with PrivateAsterisk(find_or_fetch(), instance) as asterisk:
        print(asterisk.pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


def test_it_starts_answers_restarts_and_stops(new_asterisk: NewAsterisk) -> None:
    asterisk = new_asterisk(ari_password='; a "hard\\\\" one, pässword]')

    async def scenario() -> None:
        async with asterisk:
            first = asterisk.pid
            assert "Asterisk" in await asterisk.command("core show version")
            await asterisk.command("database put family key kept")
            await asterisk.restart()
            assert asterisk.pid != first
            assert "kept" in await asterisk.command("database get family key")
            await asterisk.start()  # it runs already: nothing happens

    asyncio.run(scenario())
    assert asterisk.pid is None
    assert "cleanly ending" in asterisk.log.read_text()


def test_it_outlives_the_event_loop_that_started_it(new_asterisk: NewAsterisk) -> None:
    asterisk = new_asterisk()
    asyncio.run(asterisk.start())
    assert "active call" in asyncio.run(asterisk.command("core show channels count"))
    asyncio.run(asterisk.stop())
    with pytest.raises(AsteriskFailed, match="core show version"):
        asyncio.run(asterisk.command("core show version"))


def test_after_a_crash_it_starts_again(new_asterisk: NewAsterisk) -> None:
    async def scenario() -> None:
        async with new_asterisk() as asterisk:
            pid = asterisk.pid
            assert pid is not None
            await asterisk.kill()
            assert asterisk.pid is None
            assert not Path(f"/proc/{pid}").exists()
            await asterisk.start()
            assert "Asterisk" in await asterisk.command("core show version")

    asyncio.run(scenario())


def test_two_run_side_by_side(new_asterisk: NewAsterisk) -> None:
    async def scenario() -> set[str]:
        async with new_asterisk() as one, new_asterisk() as other:
            names = [await each.command("core show settings") for each in (one, other)]
            return {line for name in names for line in name.splitlines() if "System name" in line}

    assert len(asyncio.run(scenario())) == 2


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    ports = str(free_port(socket.SOCK_DGRAM)), str(free_port())
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path), *ports], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        assert os.getsid(pid) == pid  # a Ctrl-C in our terminal does not reach it
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + AT_MOST
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(pid)


def runs(pid: int) -> bool:
    """Not gone, and not merely waiting for init to take notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_port_in_use_is_named(new_asterisk: NewAsterisk, kind: socket.SocketKind) -> None:
    asterisk = new_asterisk()
    udp = kind is socket.SOCK_DGRAM
    port = asterisk.instance.sip_port if udp else asterisk.instance.http_port
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", port))
        if not udp:
            other.listen()
        name = "SIP" if udp else r"HTTP \(ARI\)"
        with pytest.raises(AsteriskFailed, match=rf"the {name} port 127\.0\.0\.1:{port}: .*in use"):
            asyncio.run(asterisk.start())
    assert asterisk.pid is None


def test_a_start_that_fails_shows_the_log_and_the_cause(
    new_asterisk: NewAsterisk, tmp_path: Path
) -> None:
    healthy = new_asterisk()
    install = dataclasses.replace(healthy.install, data=tmp_path)
    broken = PrivateAsterisk(install, healthy.instance)
    with pytest.raises(AsteriskFailed, match=r"ended at once.*documentation was not found"):
        asyncio.run(broken.start())
    assert broken.pid is None


def test_the_console_of_a_missing_library_is_shown(new_asterisk: NewAsterisk) -> None:
    healthy = new_asterisk()
    install = dataclasses.replace(healthy.install, command=("/bin/sh", "-c", "echo no lib; exit 9"))
    with pytest.raises(AsteriskFailed, match=r"ended at once\.\nno lib"):
        asyncio.run(PrivateAsterisk(install, healthy.instance).start())


def test_more_modules_and_configuration_can_be_given(new_asterisk: NewAsterisk) -> None:
    box = "[general]\nformat=wav\n[default]\n101 => 1234,Anna\n"
    asterisk = new_asterisk(
        extra_modules=("app_voicemail.so",), extra_configuration={"voicemail.conf": box}
    )

    async def scenario() -> None:
        async with asterisk:
            assert "101" in await asterisk.command("voicemail show users")
        async with new_asterisk() as without:
            assert "No such command" in await without.command("voicemail show users")

    asyncio.run(scenario())
    assert [line for line in complaints(asterisk) if "musiconhold" not in line] == []


def test_the_manager_interface_opens_on_demand(new_asterisk: NewAsterisk) -> None:
    port = free_port()

    async def scenario() -> bytes:
        async with new_asterisk(ami_port=port) as asterisk:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert (await reader.readline()).startswith(b"Asterisk Call Manager/")
            who = f"Username: vm-ari\r\nSecret: {asterisk.instance.ari_password}\r\n\r\n"
            writer.write(b"Action: Login\r\n" + who.encode())
            answer = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return answer

    assert asyncio.run(scenario()) == b"Response: Success\r\n"


@pytest.mark.parametrize(
    "fields",
    [
        {"ari_password": "two\nlines"},
        {"language": "en\n[general]"},
        {"directory": Path("/tmp") / ("x" * 100)},
    ],
)
def test_what_no_file_can_hold_is_refused(
    new_asterisk: NewAsterisk, fields: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"one line|too long"):
        asyncio.run(new_asterisk(**fields).start())


@pytest.mark.parametrize("number", ["", "10 1", "101]", "_X.", "1;2", "101\n"])
def test_a_phone_is_named_by_digits_and_letters(number: str) -> None:
    with pytest.raises(ValueError, match="digits and letters"):
        Phone(number)


def test_instances_share_the_audio_ports_out() -> None:
    ranges = {Instance(Path("x"), port, 1, "").rtp_range for port in range(5060, 5115)}
    assert len(ranges) == 55
    ports = [port for first, last in ranges for port in range(first, last + 1)]
    assert len(ports) == len(set(ports))
    assert min(ports) >= 10000
    assert max(ports) < 32768
    assert Instance(Path("x"), 5060, 1, "", rtp_ports=(4000, 4100)).rtp_range == (4000, 4100)
