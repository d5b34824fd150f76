"""The mistakes of docs/mistakes.md with Asterisk: one real one, and one mistake after the other."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.cli.site import ROOT, CliSite
from tests.mistakes import Line, compare, said
from tests.system.conftest import NewAsterisk
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.configuration import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk

pytestmark = [
    pytest.mark.feature_part("MAIL-07", "each mistake has one line with its next step"),
    # pyst2 calls setDaemon() and isSet()
    pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk.manager"),
]
LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
EXTRA = {
    "ari.conf": "[watcher]\ntype = user\nread_only = yes\npassword = looks\n",
    "manager.conf": "[deaf]\nsecret = hears-nothing\nread = system\nwrite = system\n",
}


@dataclass
class Lab:
    """One Asterisk, and a site that is configured for it."""

    asterisk: PrivateAsterisk
    loop: asyncio.AbstractEventLoop

    def command(self, line: str) -> None:
        """On Asterisk's own console."""
        self.loop.run_until_complete(self.asterisk.command(line))

    def configure(self, site: CliSite, **changes: str) -> CliSite:
        """As it should be, but for *changes*."""
        instance = self.asterisk.instance
        table = {
            "url": f"http://127.0.0.1:{instance.http_port}",
            "user": instance.ari_user,
            "password": instance.ari_password,
            "app": "vm-ari-mistakes",
        } | changes
        more = table.pop("more", "")
        site.configure(more)
        lines = "".join(f'{key} = "{value}"\n' for key, value in table.items())
        text = site.config.read_text().replace(
            '[asterisk]\npassword = "x"\n', f"[asterisk]\n{lines}"
        )
        site.config.write_text(text)
        return site


@pytest.fixture(scope="module")
def lab(new_asterisk: NewAsterisk) -> Iterator[Lab]:
    started = new_asterisk(ami_port=free_port(), extra_configuration=EXTRA)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(started.start())
    yield Lab(started, loop)
    loop.run_until_complete(started.kill())
    loop.close()


@pytest.fixture
def site(tmp_path: Path) -> CliSite:
    """Configured by the tests."""
    return CliSite(tmp_path)


def problems(site: CliSite, part: str) -> list[Line]:
    found = json.loads(site.run("check", "--only", part, "-o", "json", code=1).stdout)
    return [Line(one["what"], one["what to do"]) for one in found if one["result"] == "problem"]


def told(site: CliSite) -> Line:
    """The one line beside that on the controller, which does not run here."""
    [line] = [one for one in problems(site, "asterisk") if "No controller" not in one.what]
    return line


def test_mistakes_with_the_account(lab: Lab, site: CliSite) -> None:
    line = said(lab.configure(site, url="http://127.0.0.1:9"), "asterisk", code=4)
    compare("Asterisk", "Asterisk does not run", line)
    line = said(lab.configure(site, password="veiled"), "asterisk", code=1)
    assert "veiled" not in line.what
    compare("Asterisk", "A wrong password of the REST interface", line)
    line = told(lab.configure(site, user="watcher", password="looks"))
    compare("Asterisk", "An account that may only look", line)
    line = said(lab.configure(site), "asterisk", code=1)
    compare("Asterisk", "The controller does not run", line)


def test_a_module_is_missing_and_is_loaded(lab: Lab, site: CliSite) -> None:
    lab.configure(site)
    lab.command("module unload func_base64.so")
    compare("Asterisk", "A module that is missing", told(site))
    fixed = site.run("check", "--only", "asterisk", "--fix", code=1)
    assert fixed.stderr == "fix: load func_base64\n"
    assert "func_base64" not in fixed.stdout


def test_the_dialplan_is_missing_and_is_loaded(lab: Lab, site: CliSite) -> None:
    lab.configure(site)
    lab.command("dialplan remove context vm-ari-login")
    compare("Asterisk", "A context of the dialplan that is missing", told(site))
    assert site.run("check", "--only", "asterisk", "--fix", code=1).stderr.startswith("fix: reload")
    assert len(problems(site, "asterisk")) == 1, "only the controller is missing"


def test_another_program_uses_our_name(lab: Lab, site: CliSite) -> None:
    """It is connected, and never beats."""
    lab.configure(site)
    instance = lab.asterisk.instance

    async def story() -> Line:
        url = f"http://127.0.0.1:{instance.http_port}/ari/events?app=vm-ari-mistakes"
        headers = Address(url, instance.ari_user, instance.ari_password).authorization()
        async with aiohttp.ClientSession(headers=headers) as web, web.ws_connect(url):
            return await asyncio.to_thread(said, site, "asterisk")

    compare("Asterisk", "Another program uses our application's name", asyncio.run(story()))


def test_mistakes_with_the_manager(lab: Lab, site: CliSite) -> None:
    port = lab.asterisk.instance.ami_port

    def manager(user: str, secret: str) -> CliSite:
        table = f'[manager]\nport = {port}\nuser = "{user}"\nsecret = "{secret}"\n'
        return lab.configure(site, more=table)

    line = said(manager("nobody", "veiled"), "ringing", code=1)
    assert "veiled" not in line.what
    compare("Asterisk", "A manager account that Asterisk does not know", line)
    found = problems(manager("deaf", "hears-nothing"), "ringing")
    compare("Asterisk", "A manager account without rights", found[-1])


@pytest.mark.skipif(not LIBRARY.exists(), reason="NOT TESTED: libfaketime is not installed")
def test_a_clock_that_differs_from_asterisks(lab: Lab, site: CliSite) -> None:
    lab.configure(site)
    fake = {"LD_PRELOAD": str(LIBRARY), "FAKETIME": "-2h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    fake["NO_FAKE_STAT"] = "1"
    words = ["check", "--only", "clock", "-o", "json", "-c", str(site.config)]
    done = subprocess.run(
        [sys.executable, "-m", "vm_ari", *words],
        cwd=ROOT,
        env={**os.environ, **fake},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    [found] = json.loads(done.stdout)
    line = Line(found["what"], found["what to do"])
    compare("Asterisk", "A clock that is two hours behind Asterisk's", line)


def test_a_mistake_is_one_line_of_a_monitoring_system(lab: Lab, site: CliSite) -> None:
    lab.configure(site, password="veiled")
    done = site.run("check", "--nagios", "--only", "asterisk", code=2)
    assert done.stdout.startswith("VM-ARI CRITICAL: asterisk: Asterisk does not know ")
    assert done.stdout.count("\n") == 1
    assert "| problems=1;;0 warnings=0;0 looks=1 time=" in done.stdout
    well = site.run("check", "--nagios", "--only", "spool,dialling").stdout
    assert well.startswith("VM-ARI OK: 1 looks, and all is well. | problems=0;;0")
    site.configure('[dialling]\nrules = ["deny +49", "allow +4930"]\n')
    assert "VM-ARI WARNING" in site.run("check", "--nagios", "--only", "dialling", code=1).stdout
    site.config.unlink()
    assert "VM-ARI UNKNOWN" in site.run("check", "--nagios", code=3).stdout
