"""``vm-ari fax``: ordered, listed, shown, cancelled, begun anew."""

import asyncio
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from tests import faxes
from tests.cli.site import CliSite
from vm_ari.adapters.fax_orders import FaxOrderFiles
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import load
from vm_ari.domain.fax_orders import Cause, FaxOrder
from vm_ari.domain.orders import failed
from vm_ari.wiring.faxes import open_fax_orders

SETTINGS = """
[store]
maildir = "{base}/mail"
[spool]
directory = "{base}/vm-ari"
[fax_sending]
enabled = {enabled}
"""
NUMBER = "+4989123456"


@pytest.fixture
def house(people: CliSite) -> CliSite:
    """A site that sends faxes, and a letter."""
    people.configure(SETTINGS.format(base=people.base, enabled="true"))
    letter(people).write_bytes(faxes.pdf([faxes.page(("Dear Jörg,",))]))
    return people


def letter(house: CliSite) -> Path:
    return house.base / "letter.pdf"


def ordered(house: CliSite, *more: str) -> dict[str, Any]:
    done = house.run("fax", "send", "anna", NUMBER, str(letter(house)), *more, "-o", "json")
    [row] = json.loads(done.stdout)
    assert isinstance(row, dict)
    return row


def test_a_fax_is_ordered_listed_shown_and_its_pages_written(house: CliSite) -> None:
    row = ordered(house, "--subject", "Hello", "--occasion", "one")
    assert (row["number"], row["state"], row["pages"]) == (NUMBER, "waiting", "0/2")
    assert ordered(house, "--subject", "Hello", "--occasion", "one")["fax"] == row["fax"]
    listed = json.loads(house.run("fax", "list", "--user", "anna", "-o", "json").stdout)
    assert [one["fax"] for one in listed] == [row["fax"]]
    pages = house.base / "pages.pdf"
    shown = house.run("fax", "show", row["fax"], "--pdf", str(pages))
    assert "subject:     Hello" in shown.stdout
    assert len(pypdfium2.PdfDocument(io.BytesIO(pages.read_bytes()))) == 2


def test_a_fax_is_cancelled_and_begun_anew(house: CliSite) -> None:
    fax = ordered(house)["fax"]
    assert "is not over" in house.run("fax", "retry", fax, code=1).stderr
    house.run("fax", "cancel", fax)
    over(house, fax)
    assert "over already" in house.run("fax", "cancel", fax, code=1).stderr
    assert house.run("fax", "list", "--open", "-o", "json").stdout.strip() == "[]"
    house.run("fax", "retry", fax)
    [row] = json.loads(house.run("fax", "list", "--open", "-o", "json").stdout)
    assert row["state"] == "waiting"


def over(house: CliSite, fax: str) -> None:
    """As the controller does it."""

    async def work() -> None:
        config = load(house.config)
        files: FaxOrderFiles = open_fax_orders(config, KeyRing(config.directory.keys))
        order: FaxOrder | None = await files.find(fax)
        assert order
        await files.close(failed(order, Cause.BUSY, "", datetime.now(UTC)))
        files.shut()

    asyncio.run(work())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("anna", "0900 123456"), "the dialling rules do not allow it"),
        (("anna", NUMBER), "nothing to send"),
        (("nobody", NUMBER), "nobody"),
    ],
)
def test_what_cannot_be_sent_says_why(
    house: CliSite, arguments: tuple[str, ...], said: str
) -> None:
    assert said in house.run("fax", "send", *arguments, code=1).stderr


def test_a_site_without_faxes_says_what_to_write(house: CliSite) -> None:
    house.configure(SETTINGS.format(base=house.base, enabled="false"))
    assert "fax_sending.enabled" in house.run("fax", "list", code=3).stderr
