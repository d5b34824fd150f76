"""Every page, for every role, in a real Chromium: nothing keeps anybody out (WEB-04).

``VM_ARI_ALL_LOOKS=1`` looks at each page as every role, in every language, colour and width (some
minutes), and keeps the pictures in the directory that ``VM_ARI_PICTURES`` names; without it each
page is looked at once.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser

from tests.web.browsers import Served, Window, chromium, served, signs_in, window
from tests.web.every_page import NAMES, Seen, every_page
from tests.web.left_messages import leave, noted, only_message
from tests.web.portal_house import ADAM, ANNA, BERT, OLGA, config_of
from tests.web.test_conferences import goes_on, has_a_room
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spoken_orders import SpokenOrderFiles
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.fax_orders import Cause, FaxOrder
from vm_ari.domain.orders import Way
from vm_ari.domain.spoken_orders import SpokenOrder
from vm_ari.web.visit import written_id
from vm_ari.wiring.faxes import open_fax_orders
from vm_ari.wiring.spoken import FOLDER

pytestmark = pytest.mark.slow

LANGUAGES, COLOURS, WIDTHS = ("de", "en"), ("light", "dark"), (360, 1400)
ALL = bool(os.environ.get("VM_ARI_ALL_LOOKS"))
LOGGED = (
    "timestamp=2026-11-22T12:56:50.320576Z level=info event=call call=pbx-1.8 purpose=leave "
    "mailbox=101 caller=678 area=app\n"
)
PICTURES = os.environ.get("VM_ARI_PICTURES", "")


class Look(NamedTuple):
    """How a page is shown."""

    colours: str
    width: int


LOOKS = [Look(*one) for one in product(COLOURS, WIDTHS)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, language: str) -> Iterator[Served]:
    """With a message in each of two mailboxes, and what the journal says of them."""
    home = tmp_path_factory.mktemp("portal")
    site = {"language": language, "base_number": "+498142479", "area": "8142"}
    (home / "log").write_text(LOGGED)
    logs = {"file": home / "log"}
    faxes = {"enabled": True}
    on = {"welcome": faxes, "fax_sending": faxes, "spoken_messages": faxes}
    with served(home, site=site, logs=logs, **on) as one:
        for user_id in (ANNA, BERT, ADAM, OLGA):
            one.do(one.house.directory.change_settings(user_id, {"language": language}))
        one.do(prepared(home))
        one.do(faxed(home))
        one.do(spoken(home))
        one.do(has_a_room(one.house, ANNA, "+49814247910"))
        one.do(goes_on(one.house, ANNA, BERT))
        for number, user_id in enumerate((ANNA, BERT), start=1):
            one.do(noted(home, one.do(leave(one.house, home, user_id, number)), user_id))
        yield one


async def prepared(home: Path) -> None:
    """What a controller makes at its start, so that its queue can be read."""
    spool = FileSpool(config_of(home).spool.directory)
    await spool.claim()
    spool.close()


async def faxed(home: Path) -> None:
    """A fax of Anna's that goes on."""
    config = config_of(home)
    files = open_fax_orders(config, KeyRing(config.directory.keys))
    order = FaxOrder(NAMES["{order}"], ANNA, "+49301234567", datetime.now(UTC), Way.PORTAL)
    await files.add(replace(order, pages=3, cause=Cause.BUSY), ())
    files.shut()


async def spoken(home: Path) -> None:
    """A text of Anna's that is to be read to somebody."""
    config, now = config_of(home), datetime.now(UTC)
    files = SpokenOrderFiles(config.spool.directory / FOLDER, KeyRing(config.directory.keys))
    order = SpokenOrder(NAMES["{order}"], ANNA, "+49301234567", now, Way.PORTAL, now, "Hallo", "de")
    await files.add(order)
    files.shut()


def wrong(opened: Window, seen: Seen, look: Look, language: str) -> list[str]:
    """What keeps somebody out; its picture is kept where somebody wants it."""
    opened.page.emulate_media(color_scheme=look.colours)  # type: ignore[arg-type]
    opened.page.set_viewport_size({"width": look.width, "height": 900})
    named = f"{seen.visitor or 'nobody'} {seen.path} {language} {look.colours} {look.width}"
    found = [f"{named}: {one}" for one in opened.violations()]
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    if wide > look.width:
        found.append(f"{named}: {wide} pixels wide")
    if opened.page.get_attribute("html", "lang") != language:
        found.append(f"{named}: in another language")
    if PICTURES:
        name = named.replace("/", "_").replace(" ", "-")
        opened.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
    return found


@pytest.mark.feature("WEB-04")
def test_nothing_keeps_anybody_out_of_any_page(
    portal: Served, browser: Browser, language: str
) -> None:
    """Axe finds nothing, nothing is wider than the window, nothing comes from elsewhere."""
    uid = written_id(portal.do(only_message(portal.house, ANNA)).uid)
    bert = written_id(portal.do(only_message(portal.house, BERT)).uid)
    seen = enumerate(one for one in every_page("UID") if ALL or not one.again)
    turn = LANGUAGES.index(language)
    mine = [(n, one) for n, one in seen if ALL or n % len(LANGUAGES) == turn]
    found: list[str] = []
    options = {"locale": language, "reduced_motion": "reduce"}  # nothing is half way
    for visitor in sorted({one.visitor for _, one in mine}):
        message = bert if visitor == ADAM else uid
        with window(browser, portal.address, **options) as opened:
            if visitor:
                signs_in(opened, visitor)
            for n, one in mine:
                if one.visitor == visitor:
                    opened.goes(one.path.replace("UID", message))
                    for look in LOOKS if ALL else [LOOKS[n // len(LANGUAGES) % len(LOOKS)]]:
                        found += wrong(opened, one, look, language)
            found += opened.complaints
    assert not found, "\n".join(found)
