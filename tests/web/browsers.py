"""A real Chromium in front of a real portal with TLS; axe looks for what keeps people out."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.patience import AT_MOST
from tests.web.portal_house import PASSWORD, House, portal_house
from vm_ari.adapters.web_server import WebServer

T = TypeVar("T")

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
_RUN = "() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
_PATIENCE = AT_MOST


@dataclass
class Served:
    """A portal on a port, in a thread of its own."""

    house: House
    loop: asyncio.AbstractEventLoop

    @property
    def server(self) -> WebServer:
        """Listening."""
        assert self.house.portal.server
        return self.house.portal.server

    @property
    def address(self) -> str:
        """Without a slash at the end."""
        return f"https://localhost:{self.server.port}"

    def do(self, work: Awaitable[T]) -> T:
        """Something in the thread of the portal."""

        async def done() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(_PATIENCE)


@contextmanager
def served(home: Path, **tables: Any) -> Iterator[Served]:
    """A house with a portal that listens."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    houses: list[House] = []
    stop = asyncio.Event()

    async def run() -> None:
        async with portal_house(home, **tables) as house:
            houses.append(house)
            serving = asyncio.create_task(house.portal.run())
            while not (house.portal.server and house.portal.server.port):
                await asyncio.sleep(0.01)
            ready.set()
            await stop.wait()
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    assert ready.wait(_PATIENCE)
    try:
        yield Served(houses[0], loop)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(_PATIENCE)
        loop.close()


@dataclass
class Window:
    """A window of the browser, and what it complained about."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def goes(self, path: str) -> None:
        """To an address of the portal."""
        self.page.goto(self.base + path)

    def waits_until(self, condition: str) -> None:
        """JavaScript; Playwright's own waiting would need what the portal's policy forbids."""
        end = time.monotonic() + _PATIENCE
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, condition
            time.sleep(0.05)

    def violations(self) -> list[str]:
        """What axe finds on this page: rule and element."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(_RUN)
        return [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def signs_in(opened: Window, user_id: str, password: str = PASSWORD) -> None:
    """By the form."""
    opened.goes("/sign-in")
    opened.page.fill("#name", user_id)
    opened.page.fill("#password", password)
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url("**/me/overview")


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """The system's own, with *more* arguments; skips where there is none."""
    program = which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            timeout=1000 * _PATIENCE,
            args=["--no-sandbox", "--use-fake-device-for-media-stream", "--disable-gpu", *more],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def window(browser: Browser, base: str, **options: Any) -> Iterator[Window]:
    """A window that shares nothing with others; *options* as Playwright's ``new_context``."""
    with ExitStack() as closing:
        context = browser.new_context(ignore_https_errors=True, **options)
        context.set_default_timeout(1000 * _PATIENCE)
        closing.callback(context.close)
        opened = Window(context.new_page(), base)
        opened.page.on("console", lambda said: _complain(opened, said))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("request", lambda asked: _foreign(opened, asked.url))
        yield opened


def _complain(opened: Window, said: ConsoleMessage) -> None:
    if said.type == "error" and "status of 4" not in said.text:
        opened.complaints.append(f"{said.text} {said.location.get('url', '')}")


def _foreign(opened: Window, url: str) -> None:
    if not url.startswith((opened.base, "data:", "blob:")):
        opened.complaints.append(f"a request to the outside: {url}")
