"""Calls with faxes on a real Asterisk: those that come to nothing, and what is found afterwards."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.patience import AT_MOST
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.fax_line import FOLDER, AsteriskFaxLine
from vm_ari.domain.dialling import Allowed, Kind
from vm_ari.domain.fax_calls import NEVER_MADE, VANISHED
from vm_ari.domain.fax_orders import Cause
from vm_ari.ports.fax_sending import FaxCall, Progress
from vm_ari.ports.orders import LineAway

NUMBER = Allowed("+49301234567", Kind.LANDLINE, "0301234567")


def call(name: str) -> FaxCall:
    return FaxCall(name, NUMBER, b"II*\0", 1, "+4930555101", 'Anna "Berg"')


def on(url: str, password: str, spool: Path, endpoint: str) -> AsteriskFaxLine:
    return AsteriskFaxLine(Address(url, "vm-ari", password), "faxes", spool, endpoint)


def tell(line: AsteriskFaxLine, story: Callable[[AsteriskFaxLine], Awaitable[None]]) -> None:
    async def run() -> None:
        try:
            await story(line)
        finally:
            await line.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("endpoint", "cause"),
    [
        ("PJSIP/{number}@nowhere", Cause.TROUBLE),
        ("Local/{number}@vm-ari-nowhere/n", Cause.TROUBLE),
        ("Local/{number}@vm-ari-end/n", Cause.TROUBLE),
    ],
)
def test_a_way_that_leads_nowhere_is_told(
    asterisk: PrivateAsterisk, endpoint: str, cause: Cause
) -> None:
    name = f"a{abs(hash(endpoint))}-1-1"
    spool = asterisk.instance.spool / "recording" / "vm-ari"

    async def story(line: AsteriskFaxLine) -> None:
        before = os.umask(0o077)
        try:
            await line.call(call(name))
        finally:
            os.umask(before)
        assert (spool / FOLDER / f"{name}.tif").stat().st_mode & 0o777 == 0o640
        async with asyncio.timeout(AT_MOST):
            while await line.progress(name) is not Progress.OVER:
                await asyncio.sleep(0.05)
        assert (await line.ending(name)).cause is cause
        await line.forget(name)
        assert not list((spool / FOLDER).glob(f"{name}*"))

    base = asterisk.ari_url.removesuffix("/ari")
    tell(on(base, asterisk.instance.ari_password, spool, endpoint), story)


def test_an_asterisk_that_is_away_is_no_answer(tmp_path: Path) -> None:
    async def story(line: AsteriskFaxLine) -> None:
        for work in (line.call(call("b1-1-1")), line.progress("b1-1-1"), line.hang_up("b1-1-1")):
            with pytest.raises(LineAway):
                await work

    tell(on(f"http://127.0.0.1:{free_port()}", "x", tmp_path, "PJSIP/{number}@x"), story)


def test_what_was_written_is_found_afterwards_whoever_asks(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "c1-1-1.begun").write_text("answered\n")
    (folder / "c2-1-1.begun").write_text("answered\n")
    (folder / "c2-1-1.txt").write_text("cause=16 answered=1 status=SUCCESS pages=2 end=1\n")

    async def story(line: AsteriskFaxLine) -> None:
        assert await line.ending("c0-1-1") == NEVER_MADE
        assert await line.ending("c1-1-1") == VANISHED
        found = await line.ending("c2-1-1")
        assert (found.cause, found.pages) == (None, 2)

    tell(on("http://127.0.0.1:9", "x", tmp_path, "PJSIP/{number}@x"), story)


def test_what_crashes_have_left_goes_when_it_is_old(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name in ("old-1-1", "known-1-1", "new-1-1"):
        (folder / f"{name}.tif").write_bytes(b"x")
    long_ago = time.time() - 3 * 86400
    for name in ("old-1-1", "known-1-1"):
        os.utime(folder / f"{name}.tif", (long_ago, long_ago))

    async def story(line: AsteriskFaxLine) -> None:
        await line.sweep(["known-1-1"])

    tell(on("http://127.0.0.1:9", "x", tmp_path, "PJSIP/{number}@x"), story)
    assert sorted(one.stem for one in folder.iterdir()) == ["known-1-1", "new-1-1"]


def test_only_names_of_ours_become_files(tmp_path: Path) -> None:
    async def story(line: AsteriskFaxLine) -> None:
        for name in ("../x", "a/b", "", "ä"):
            with pytest.raises(ValueError, match="name"):
                await line.forget(name)

    tell(on("http://127.0.0.1:9", "x", tmp_path, "PJSIP/{number}@x"), story)
