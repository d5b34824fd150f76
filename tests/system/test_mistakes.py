"""The mistakes of docs/mistakes.md with Asterisk: one real one, and one mistake after the other."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.cli.site import BASE, ROOT, CliSite
from tests.mistakes import Line, compare, problems, said
from tests.patience import AT_MOST
from tests.system.conftest import NewAsterisk
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.config import shared_files

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
        timeout=AT_MOST,
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


# --- faxes, conferences, spoken messages


SENDING = "[fax_sending]\nenabled = true\n"


@pytest.fixture
def served(lab: Lab, site: CliSite) -> CliSite:
    """Anna has a number for faxes and a conference room."""
    lab.configure(site)
    numbers = (word for number in (101, 102, 103) for word in ("--number", f"{BASE}{number}"))
    site.run("users", "add", "anna", "mail=anna@example.org", *numbers)
    site.run("users", "set", "anna", f"fax_numbers={BASE}102", f"conference_numbers={BASE}103")
    site.run("conferences", "pins", "anna", typed="482913\n739164\n")
    return site


def test_services_that_have_what_they_need(lab: Lab, served: CliSite) -> None:
    lab.configure(served, more=SENDING)
    found = json.loads(served.run("check", "--only", "faxes,conferences", "-o", "json").stdout)
    assert [one["what"] for one in found] == [
        "Received faxes: Asterisk has what they need.",
        "Faxes are dialled by Local/{number}@vm-ari-out/n, which passes no T.38: all go as audio.",
        "Pages of faxes can be made: 2 for a cover and a letter.",
        "T.38 uses the UDP ports 4000 to 4999, which a firewall has to let through.",
        "Conferences: Asterisk has what they need.",
    ]


def test_asterisk_lacks_what_services_need(lab: Lab, served: CliSite) -> None:
    lab.command("module unload res_fax_spandsp.so")
    compare("Asterisk", "A module for faxes that is missing", said(served, "faxes"))
    assert "fix: load res_fax_spandsp" in served.run("check", "--only", "faxes", "--fix").stderr
    lab.command("module unload bridge_softmix.so")
    line = said(served, "conferences")
    lab.command("module load bridge_softmix.so")
    compare("Asterisk", "A module for conferences that is missing", line)
    lab.command("dialplan remove context vm-ari-fax-receive")
    compare("Asterisk", "The dialplan for received faxes is missing", said(served, "faxes"))
    lab.command("dialplan reload")


def test_ports_of_t38(lab: Lab, served: CliSite) -> None:
    file = lab.asterisk.instance.etc / "udptl.conf"
    before = file.read_text()
    try:
        file.write_text("[general]\nudptlstart = 4999\nudptlend = 4000\n")
        compare("Asterisk", "Ports of T.38 that are no range", said(served, "faxes"))
        lab.configure(served, more=SENDING)
        file.write_text("[general]\nudptlstart = 4000\nudptlend = 4001\n")
        compare("Asterisk", "Too few ports for T.38", said(served, "faxes"))
    finally:
        file.write_text(before)


def test_numbers_that_do_not_lead_to_a_service(served: CliSite) -> None:
    served.run("users", "unassign", "anna", f"{BASE}102")
    line = said(served, "faxes")
    compare("Services", "A fax number that is not the user's", line)
    served.run("users", "set", "anna", f"fax_numbers={BASE}103")
    line = said(served, "conferences")
    compare("Services", "A number for faxes and for conferences", line)


def test_a_conference_room_without_pins(served: CliSite) -> None:
    served.run("conferences", "pins", "anna", typed="\n\n")
    compare("Services", "A conference room without PINs", said(served, "conferences"))


def test_a_cover_page_that_cannot_be_made(lab: Lab, served: CliSite) -> None:
    templates = served.base / "texts"
    shutil.copytree(shared_files() / "templates" / "fax-cover", templates / "fax-cover")
    (templates / "fax-cover" / "en" / "cover.txt").write_text("{{ nobody.knows.this }}\n")
    text = lab.configure(served, more=SENDING).config.read_text()
    served.config.write_text(f'templates = "{templates}"\n{text}')
    line = said(served, "faxes")
    compare("Services", "A cover page of faxes that cannot be made", line, srv=served.base)


def test_ports_that_take_mails(lab: Lab, served: CliSite) -> None:
    def with_port(port: int, more: str = "") -> CliSite:
        table = (
            f'[fax_sending]\nenabled = true\nmail_address = "$(phonenumber)@fax.example.org"\n'
            f"mail_port = {port}\n{more}"
        )
        return lab.configure(served, more=table)

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = said(with_port(port), "faxes")
    compare("Services", "Nobody takes mails that become faxes", line)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        greeting = threading.Thread(target=_another_server, args=(taken,), daemon=True)
        greeting.start()
        line = said(with_port(taken.getsockname()[1]), "faxes")
    compare("Services", "Another mail server at the port for faxes", line)
    spoken = (
        '[spoken_messages]\nenabled = true\nmail_address = "$(phonenumber)@voice.example.org"\n'
        f"mail_port = {port}\n"
    )
    line = said(with_port(port, spoken), "spoken-messages")
    compare("Services", "One port for two kinds of mails", line, PORT=port)


def _another_server(taken: socket.socket) -> None:
    with suppress(OSError):
        while True:
            somebody, _ = taken.accept()
            somebody.sendall(b"220 mail.example.org ESMTP Postfix\r\n")
            somebody.close()
