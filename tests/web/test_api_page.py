"""docs/api.md: its commands work as they stand there, on a portal of its own (WEB-01)."""

import asyncio
import os
import re
import shlex
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.site import ROOT, CliSite
from tests.patience import AT_MOST
from tests.recordings import spoken, wav
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.cli.web import _serve
from vm_ari.config import load
from vm_ari.web.api.problems import CODES

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
_COMMANDS = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INNER = re.compile(r"\$\((vm-ari [^)]*)\)")
_PATIENCE = AT_MOST


def installed(home: Path, port: int) -> CliSite:
    """A site with Anna and the operator."""
    site = CliSite(home)
    site.configure(
        f'[web]\nenabled = true\nport = {port}\ndirectory = "{home}/web"\noperators = ["olga"]\n'
        f'[spool]\ndirectory = "{home}/spool"\n[store]\nmaildir = "{home}/mail"\n'
        f'[greetings]\ndirectory = "{home}/greetings"\n[speech]\ncache = "{home}/speech"\n'
        '[organisations.north]\nname = "North"\n'
    )
    site.run("users", "add", "anna", "--number", "+493055510", "mail=anna@example.org")
    site.run("users", "add", "olga", "--number", "+493055511")
    (home / "hello.wav").write_bytes(wav(spoken(2.0)))
    return site


def by_vm_ari(site: CliSite, line: str) -> str:
    """What a command line of the page prints."""
    program, *words = shlex.split(line)
    assert program == "vm-ari"
    return site.run(*words).stdout.strip()


async def by_shell(site: CliSite, script: str) -> tuple[int, str]:
    """In a shell that stops at the first failure: how it ended, and what it has printed."""
    shell = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        cwd=site.base,
        env={**os.environ, "CURL_CA_BUNDLE": str(site.base / "web" / "portal.pem")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(_PATIENCE):
        told, _ = await shell.communicate()
    assert shell.returncode is not None
    return shell.returncode, told.decode()


async def on_portal(site: CliSite, port: int, script: str) -> tuple[int, str]:
    """While “vm-ari web” serves the portal."""
    serving = asyncio.create_task(_serve(load(site.config)))
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                assert not serving.done()
                with suppress(ConnectionError):
                    _, there = await asyncio.open_connection("127.0.0.1", port)
                    there.close()
                    break
                await asyncio.sleep(0.05)
        return await by_shell(site, script)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@pytest.mark.feature_part("WEB-01", "programs do by API what users do on pages, as documented")
def test_the_commands_of_the_page_work(tmp_path: Path) -> None:
    port = free_port()
    site = installed(tmp_path, port)
    start, tokens, *rest = _COMMANDS.findall(PAGE)
    script = "\n".join((start, *rest)).replace("voicemail.example.org:8443", f"localhost:{port}")
    script = _INNER.sub(lambda found: by_vm_ari(site, found[1]), script)
    code, told = asyncio.run(on_portal(site, port, script))
    assert code == 0, told
    for text in ('"id":"anna"', '"profile":"vacation"', '"source":"upload"', '"own":"de"'):
        assert text in told, text
    printed = [by_vm_ari(site, line) for line in tokens.splitlines()]
    assert "me read" in printed[2]
    assert printed[-1].endswith("revoked")


def test_the_page_names_codes_that_there_are() -> None:
    named = set(re.findall(r'"code": "([a-z-]+)"', PAGE))
    assert named
    assert named <= CODES.keys()
    for status, _ in CODES.values():
        if status not in {400, 405, 500}:
            assert str(status.value) in PAGE, status
