"""What surrounds every answer: headers, hosts, sizes, and no address outside of the portal."""

import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.portal_house import ANNA, HOST, House, in_house, token_in
from vm_ari.web.page import Scope
from vm_ari.web.pages import all_pages

TEMPLATES = Path(__file__).parents[2] / "templates" / "web"
NAMESPACES = {"http://www.w3.org/2000/svg", "https://picocss.com"}
"""The names that a picture and a comment have; nobody fetches them."""


def test_browsers_may_load_nothing_from_elsewhere_and_nothing_inline(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        for path in ("/sign-in", "/nowhere", "/static/portal.css"):
            headers = (await browser.sees(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert "http" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["strict-transport-security"]
            kept = headers["cache-control"]
            assert kept.startswith("public" if path.startswith("/static") else "no-store")

    in_house(tmp_path, story)


def test_no_page_has_inline_scripts_styles_or_addresses_outside(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        await browser.signs_in(ANNA)
        paths = [
            f"/me/{page.path}" for page in all_pages() if page.menu and page.scope is Scope.OWN
        ]
        for path in ("/sign-in", *paths):
            text = (await browser.sees(path)).text
            assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text), path
            assert not re.search(r"""(?:href|src|action)=["'](?:https?:)?//""", text), path

    in_house(tmp_path, story)


def test_no_file_of_the_portal_names_an_address_outside() -> None:
    for file in TEMPLATES.rglob("*"):
        if file.suffix in {".html", ".css", ".js", ".toml", ".svg"}:
            text = file.read_text(encoding="utf-8")
            found = set(re.findall(r"https?://[A-Za-z0-9./-]+", text)) - NAMESPACES
            assert not found, f"{file.name}: {found}"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", ""])
def test_a_name_that_is_not_ours_is_refused(tmp_path: Path, host: str) -> None:
    async def story(house: House) -> None:
        answer = await house.browser().sees("/sign-in", host=host)
        assert answer.status_code == HTTPStatus.MISDIRECTED_REQUEST

    in_house(tmp_path, story)


def test_more_than_a_page_takes_is_refused_whether_it_is_announced_or_not(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        token = token_in((await browser.sees("/sign-in")).text)
        fields = {"csrf": token, "name": "x" * 100_000}
        answer = await browser.http.post("/sign-in", data=fields)
        assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(200):
                yield b"name=" + b"x" * 1000 + b"&"

        kind = {"content-type": "application/x-www-form-urlencoded"}
        answer = await browser.http.post(f"{HOST}/sign-in", content=pieces(), headers=kind)
        assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    in_house(tmp_path, story)


def test_nonsense_is_answered_and_never_breaks_a_page(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        await browser.signs_in(ANNA)
        token = token_in((await browser.sees("/me/overview")).text)
        for page in all_pages():
            if page.change is None or page.scope is not Scope.OWN:
                continue
            path = f"/me/{page.path}"
            names = re.findall(r'name="([a-z_-]+)"', (await browser.sees(path)).text)
            for junk in ("\0\ud7ff", "<script>", "{0}{name}" * 30, "%s\r\nx: y"):
                fields = {**dict.fromkeys(names, junk), "csrf": token}
                answer = await browser.http.post(path, data=fields)
                assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR, (path, junk)
                assert "<script>" not in answer.text
        answer = await browser.http.post(
            "/me/pin", content=b"\xff", headers={"x-csrf-token": token}
        )
        assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
        answer = await browser.sees("/users/%00/overview")
        assert answer.status_code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}

    in_house(tmp_path, story)
