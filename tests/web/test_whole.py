"""The portal as it is installed: directory servers, single sign-on, TLS, a proxy (WEB-03)."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.cli.site import ROOT, CliSite
from tests.patience import AT_MOST
from tests.private_ca import PrivateCa
from tests.slapd import PASSWORD, SERVICE, slapd
from tests.web.openid_provider import CLIENT, SECRET, provider
from tests.web.portal_house import House, in_house, token_in
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.adapters.web_server import Listening, WebServer
from vm_ari.config import Config
from vm_ari.wiring.directories import open_directories
from vm_ari.wiring.surroundings import Surroundings
from vm_ari.wiring.web import the_portal

ANNAS = "annas-own-password"
_PATIENCE = AT_MOST


def config_on(home: Path, ldap: str, **web: object) -> Config:
    keys = home / "keys"
    table = {"servers": [ldap], "plaintext": True, "bases": [PEOPLE], "account": SERVICE}
    cache = {"cache": home / "cache.db", "password": PASSWORD}
    tables: dict[str, Any] = {
        "asterisk": {"password": "unused"},
        "directory": {
            "kind": "ldap",
            "url": f"sqlite:///{home}/portal.db",
            "keys": keys,
            "ldap": table | cache,
        },
        "web": {"directory": home / "web", **web},
    }
    return Config(**tables)


async def signs_in(base: str, trusted: Path, *, way: str) -> None:
    """With the password of the directory, or by the provider."""
    context = ssl.create_default_context(cafile=trusted)
    async with httpx.AsyncClient(base_url=base, verify=context) as browser:
        if way == "password":
            form = {"csrf": token_in((await browser.get("/sign-in")).text)}
            form |= {"name": "anna@example.org", "password": ANNAS}
            assert (await browser.post("/sign-in", data=form)).status_code == HTTPStatus.SEE_OTHER
        else:
            away = (await browser.get("/sign-in/openid")).headers["location"]
            async with httpx.AsyncClient() as there:
                back = (await there.get(away)).headers["location"]
            assert back.startswith(base)
            assert (await browser.get(back)).status_code == HTTPStatus.SEE_OTHER
        assert "Anna" in (await browser.get("/me/overview")).text


@pytest.mark.feature("WEB-03")
def test_sign_in_by_directory_and_provider_over_own_and_imported_certificates(
    tmp_path: Path,
) -> None:
    ca = PrivateCa(tmp_path)
    identity = ca.identity()
    own = tmp_path / "web" / "portal.pem"
    imported = {"tls": "files", "certificate": identity.certificate, "key": identity.key}

    async def story(ldap: str) -> None:
        async with provider(preferred_username="anna") as there:
            for files, trusted in ((dict[str, Any](), own), (imported, ca.file)):
                port = free_port()
                openid = {"issuer": there.issuer, "client_id": CLIENT, "client_secret": SECRET}
                config = config_on(tmp_path, ldap, openid=openid, port=port, **files)
                await served(config, trusted, port)

    async def served(config: Config, trusted: Path, port: int) -> None:
        keys, clock = KeyRing(config.directory.keys), SystemClock()
        directories = open_directories(config, keys, clock)
        portal = the_portal(config, Surroundings(keys, clock, directories))
        serving = asyncio.create_task(portal.run())
        try:
            async with asyncio.timeout(_PATIENCE):
                while not (portal.server and portal.server.port):
                    await asyncio.sleep(0.01)
            for way in ("password", "provider"):
                await signs_in(f"https://localhost:{port}", trusted, way=way)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await portal.close()
            await directories.close()

    with slapd(unit("people") + person("anna", userPassword=ANNAS)) as ldap:
        asyncio.run(story(ldap.url))


def test_only_a_trusted_proxy_says_who_comes(tmp_path: Path) -> None:
    claimed = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}

    async def seen(house: House, trusted: tuple[str, ...]) -> bool:
        """Is the client taken for one that has come by HTTPS?"""
        place = Listening("127.0.0.1", 0, trusted_proxies=trusted)
        server = WebServer(house.app, place)
        serving = asyncio.create_task(server.run())
        try:
            while not server.port:
                await asyncio.sleep(0.01)
            async with httpx.AsyncClient() as browser:
                url = f"http://127.0.0.1:{server.port}/sign-in"
                answer = await browser.get(url, headers=claimed)
            return "strict-transport-security" in answer.headers
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)

    async def story(house: House) -> None:
        assert await seen(house, ("127.0.0.1",))
        assert not await seen(house, ("192.0.2.0/24",))
        assert not await seen(house, ())

    in_house(tmp_path, story, web={"tls": "off"})


def test_a_database_that_is_away_is_said_and_nothing_breaks(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        browser.has_session("x" * 43)
        answer = await browser.sees("/me/overview")
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "Not possible just now" in answer.text
        assert (await house.browser().sees("/sign-in")).status_code == HTTPStatus.OK

    (tmp_path / "file").touch()
    in_house(tmp_path, story, web={"url": f"sqlite:///{tmp_path}/file/portal.db"})


@pytest.mark.parametrize("command", ["web", "run"])
def test_the_program_serves_the_portal_until_it_is_stopped(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With calls or without; Asterisk is not there, which is no reason to have no portal."""
    site, port = CliSite(tmp_path), free_port()
    monkeypatch.setenv("VM_ARI__ASTERISK__URL", f"http://127.0.0.1:{free_port()}")
    spool = tmp_path / "vm-ari"
    spool.mkdir()
    site.configure(
        f'[web]\nenabled = true\nport = {port}\ndirectory = "{tmp_path}/web"\n'
        f'[spool]\ndirectory = "{spool}"\n[store]\nmaildir = "{tmp_path}/mail"\n'
        f'[greetings]\ndirectory = "{tmp_path}/greetings"\n'
    )
    site.run("users", "add", "anna", "mailbox=101")
    weak = site.run("users", "set-password", "anna", typed="short\n", code=1)
    assert "at least 10 characters" in weak.output
    site.run("users", "set-password", "anna", typed="a-password-of-7-words\n")
    link = site.run("users", "set-password", "anna", "--link").stdout.strip()
    assert link.startswith(f"https://localhost:{port}/password/")
    words = [sys.executable, "-m", "vm_ari", command, "-c", str(site.config)]
    running = subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        page = _answer(link, running)
        assert "Choose a password" in page.text
        running.send_signal(signal.SIGTERM)
        assert running.wait(_PATIENCE) == 0
    finally:
        if running.poll() is None:
            os.kill(running.pid, signal.SIGKILL)
        running.communicate()


def _answer(url: str, running: "subprocess.Popen[bytes]") -> httpx.Response:
    """As soon as it listens."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return httpx.get(url, verify=False)
        except httpx.TransportError:
            assert running.poll() is None, running.communicate()[1]
            assert time.monotonic() < end
            time.sleep(0.1)
