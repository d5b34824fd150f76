"""The samples of asterisk-conf/samples/ in a real Asterisk, as far as it goes without hardware."""

import asyncio
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.patience import AT_MOST, STORY
from tests.system.asterisk_drivers import tool, with_drivers
from tests.system.callers import Caller, calling
from tests.system.conftest import SOUNDS, NewAsterisk
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable
from vm_ari.adapters.softphone import CallRefused, Softphone
from vm_ari.config import shared_files

SAMPLES = shared_files() / "asterisk-conf" / "samples"
PROVIDER = "4930555"
COMPLAINT = re.compile(r"WARNING|ERROR")
NO_HARDWARE = re.compile(
    r"Unable to (?:register|open) channel|/dev/dahdi|failure ignored: ignore_failed_channels"
    r"|No music on hold classes"
)


def complaints(asterisk: PrivateAsterisk) -> list[str]:
    lines = asterisk.log.read_text(errors="replace").splitlines()
    return [line for line in lines if COMPLAINT.search(line) and not NO_HARDWARE.search(line)]


# --- SIP


@pytest.fixture(scope="module")
def provider(new_asterisk: NewAsterisk) -> Iterator[PrivateAsterisk]:
    """An Asterisk of another firm, at which ours registers."""
    one = new_asterisk(phones=(Phone(PROVIDER, "change-me-provider"),))
    asyncio.run(one.start())
    yield one
    asyncio.run(one.kill())


@pytest.fixture(scope="module")
def house(new_asterisk: NewAsterisk, provider: PrivateAsterisk) -> Iterator[PrivateAsterisk]:
    """The samples for SIP, with the addresses of this machine and nothing else changed."""
    port = free_port(socket.SOCK_DGRAM)
    text = "".join((SAMPLES / f"pjsip_{name}.conf").read_text() for name in ("phones", "trunks"))
    here = {
        "0.0.0.0:5060": f"127.0.0.1:{port}",
        "sip.provider.invalid": f"127.0.0.1:{provider.instance.sip_port}",
        f"from_domain = 127.0.0.1:{provider.instance.sip_port}": "from_domain = 127.0.0.1",
        "192.0.2.10": "127.0.0.1",
        "192.0.2.11": "127.0.0.2",
        "198.51.100.5": "127.0.0.3",
    }
    for sample, ours in here.items():
        assert sample in text
        text = text.replace(sample, ours)
    dialplan = (SAMPLES / "extensions_house.conf").read_text()
    one = new_asterisk(
        trunk_context=None,
        sounds=SOUNDS,
        extra_configuration={"pjsip.conf": text, "extensions.conf": dialplan},
    )
    asyncio.run(one.start())
    assert complaints(one) == []
    one.instance = replace(one.instance, sip_port=port)
    yield one
    asyncio.run(one.kill())


async def begins(caller: Caller, prompt: str) -> None:
    """Wait for half a second of it."""
    async with asyncio.timeout(AT_MOST):
        while not caller.has_heard(prompt):
            await asyncio.sleep(0.2)


@pytest.mark.feature("OPS-01")
def test_trunks_and_phones_of_the_samples_carry_calls(
    house: PrivateAsterisk, provider: PrivateAsterisk
) -> None:
    server = ("127.0.0.1", house.instance.sip_port)

    async def scenario() -> None:
        async with asyncio.timeout(AT_MOST):
            while "Registered" not in await house.command("pjsip show registrations"):
                await asyncio.sleep(0.1)
        contacts = await provider.command("pjsip show contacts")
        assert f"{PROVIDER}/sip:{PROVIDER}@127.0.0.1:{house.instance.sip_port}" in contacts
        async with (
            Softphone(user="outside", server=server) as outside,
            calling(outside, f"{PROVIDER}101", "en") as caller,
        ):
            await begins(caller, "fallback-greeting")
        async with Softphone(user="102", password="change-me-102", server=server) as ben:
            await ben.register()
            await ben.subscribe_mwi()
            async with calling(ben, "*95", "en", number="102") as owner:
                await begins(owner, "technical-problem")  # there is no controller

    asyncio.run(asyncio.wait_for(scenario(), STORY))


# --- ISDN and H.323


@pytest.fixture(scope="module")
def drivers(asterisk_install: AsteriskInstall) -> AsteriskInstall:
    """An Asterisk that has them."""
    try:
        return with_drivers(asterisk_install)
    except AsteriskUnavailable as unavailable:
        pytest.skip(str(unavailable))


def loaded(
    new_asterisk: NewAsterisk, drivers: AsteriskInstall, isdn: str, h323: str
) -> tuple[PrivateAsterisk, dict[str, str]]:
    """Asterisk's answers with these two files, and its log."""
    asked = {
        "isdn": "dahdi show channels",
        "version": "pri show version",
        "h323": "ooh323 show config",
        "peers": "ooh323 show peers",
        "module": "module show like chan_dahdi",
    }

    async def scenario(one: PrivateAsterisk) -> dict[str, str]:
        async with one:
            return {name: await one.command(line) for name, line in asked.items()}

    one = new_asterisk(
        extra_modules=("chan_dahdi.so", "chan_ooh323.so"),
        extra_configuration={
            "chan_dahdi.conf": isdn,
            "ooh323.conf": h323,
            "extensions.conf": (SAMPLES / "extensions_house.conf").read_text(),
        },
    )
    one.install = drivers
    return one, asyncio.run(scenario(one))


def samples(h323_port: int) -> tuple[str, str]:
    h323 = (SAMPLES / "ooh323.conf").read_text()
    here = h323.replace("0.0.0.0", "127.0.0.1").replace("port = 1720", f"port = {h323_port}")
    return (SAMPLES / "chan_dahdi.conf").read_text(), here


@pytest.mark.feature("OPS-01")
def test_isdn_and_h323_drivers_take_the_samples(
    new_asterisk: NewAsterisk, drivers: AsteriskInstall
) -> None:
    port = free_port()
    asterisk, told = loaded(new_asterisk, drivers, *samples(port))
    assert complaints(asterisk) == []
    assert "libpri" in told["version"]
    assert "Running" in told["module"]
    assert f"127.0.0.1:{port}" in told["h323"].replace("\t", "")
    assert "pbx-h323" in told["peers"]


def test_a_mistake_in_chan_dahdi_conf_is_seen(
    new_asterisk: NewAsterisk, drivers: AsteriskInstall
) -> None:
    isdn, h323 = samples(free_port())
    wrong = "switchtype = qsig"
    line = isdn[: isdn.index(wrong)].count("\n") + 1
    asterisk, _ = loaded(new_asterisk, drivers, isdn.replace(wrong, "switchtype = qsix"), h323)
    assert any(f"line {line}" in one for one in complaints(asterisk))


async def answers(phone: Softphone) -> bool:
    """Is a call out by H.323 answered?"""
    try:
        async with calling(phone, f"0{PROVIDER}101", "en"):
            return True
    except CallRefused:
        return False


def test_a_call_by_h323_reaches_the_mailbox(
    new_asterisk: NewAsterisk, drivers: AsteriskInstall
) -> None:
    """Two Asterisks with the sample's peer; the second one is the voicemail, and answers.

    Nothing is heard: chan_ooh323 does not tell res_rtp_asterisk of Asterisk 20.10 and later which
    payload types it has agreed on (docs/isdn.md).
    """
    ports = free_port(), free_port()
    both = [
        new_asterisk(
            extra_modules=("chan_ooh323.so",),
            sounds=SOUNDS,
            trunk_context="house-out-h323",
            extra_configuration={
                "ooh323.conf": samples(own)[1]
                .replace("198.51.100.7", "127.0.0.1")
                .replace(f"ip = 127.0.0.1\nport = {own}", f"ip = 127.0.0.1\nport = {other}"),
                "extensions.conf": (SAMPLES / "extensions_house.conf").read_text(),
            },
        )
        for own, other in (ports, ports[::-1])
    ]

    async def scenario() -> None:
        for one in both:
            one.install = drivers
            await one.start()
        try:
            server = ("127.0.0.1", both[0].instance.sip_port)
            async with Softphone(user="outside", server=server) as phone:
                while not await answers(phone):
                    await asyncio.sleep(0.5)  # the driver listens some time after Asterisk is up
                counts = await both[1].command("core show channels count")
                assert re.search(r"[1-9]\d* calls? processed", counts)
        finally:
            for one in both:
                await one.kill()

    asyncio.run(asyncio.wait_for(scenario(), STORY))


def spans(text: str) -> set[int]:
    """Every channel that a line like ``1-15,17-31`` names."""
    found = set[int]()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_both_files_name_the_same_channels() -> None:
    system = (SAMPLES / "system.conf").read_text()
    isdn = (SAMPLES / "chan_dahdi.conf").read_text()
    cards = [spans(found) for found in re.findall(r"(?m)^bchan=(.+)$", system)]
    asterisk = [spans(found) for found in re.findall(r"(?m)^channel => (.+)$", isdn)]
    assert cards == asterisk
    assert len(cards) == len(re.findall(r"(?m)^span=", system)) == 5


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs util-linux")
@pytest.mark.parametrize(("wrong", "right", "rc"), [("", "", 0), ("hdb3", "hdb9", 1)])
def test_dahdi_cfg_understands_system_conf(
    drivers: AsteriskInstall, tmp_path: Path, wrong: str, right: str, rc: int
) -> None:
    """In a mount name space of its own, with an empty file for the device it wants to open."""
    text = (SAMPLES / "system.conf").read_text()
    conf = tmp_path / "system.conf"
    conf.write_text(text.replace(wrong, right) if wrong else text)
    steps = "mount -t tmpfs none /dev && mkdir /dev/dahdi && touch /dev/dahdi/ctl /dev/null"
    command = " ".join([*tool(drivers, "dahdi_cfg"), "-t", "-v", "-c", str(conf)])
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f"{steps} || exit 77; {command}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=AT_MOST,
    )
    if done.returncode == 77 or "unshare:" in done.stderr:
        pytest.skip("this machine allows no name spaces")
    assert done.returncode == rc, done.stderr
    assert ("71 channels to configure" in done.stdout + done.stderr) is (rc == 0)
