"""``vm-ari speak``: ordered once, listed, cancelled; what is wrong is said."""

import json
from typing import Any

import pytest

from tests.cli.site import CliSite

SETTINGS = """
[store]
maildir = "{base}/mail"
[spool]
directory = "{base}/vm-ari"
[spoken_messages]
enabled = {enabled}
"""
NUMBER, TEXT = "+4989123456", "Please call us back."


@pytest.fixture
def house(people: CliSite) -> CliSite:
    """A site that speaks messages."""
    people.configure(SETTINGS.format(base=people.base, enabled="true"))
    return people


def rows(house: CliSite, *words: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(house.run("speak", *words, "-o", "json").stdout)
    return found


def test_a_text_is_ordered_once_listed_and_cancelled(house: CliSite) -> None:
    file = house.base / "text.txt"
    file.write_text(TEXT)
    order = (NUMBER, "-f", str(file), "--as", "anna", "--occasion", "one", "--confirm")
    [row] = rows(house, *order)
    assert (row["number"], row["state"]) == (NUMBER, "waiting")
    assert rows(house, *order) == [row]
    assert rows(house, "--list", "--as", "anna") == [row]
    assert "the running controller" in house.run("speak", "--cancel", row["message"]).stderr
    assert "no message" in house.run("speak", "--cancel", "nothing", code=1).stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((NUMBER, TEXT), 2, "--as USER"),
        (("0900 123456", TEXT, "--as", "anna"), 1, "do not allow it"),
        ((NUMBER, "", "--as", "anna"), 1, "nothing in the text"),
        ((NUMBER, TEXT, "--as", "nobody"), 1, "nobody"),
        ((NUMBER, TEXT, "--as", "anna", "--at", "2099-01-01 10:00"), 1, "too far ahead"),
    ],
)
def test_what_cannot_be_spoken_says_why(
    house: CliSite, words: tuple[str, ...], code: int, said: str
) -> None:
    assert said in house.run("speak", *words, code=code).stderr


def test_a_site_without_them_says_what_to_write(house: CliSite) -> None:
    house.configure(SETTINGS.format(base=house.base, enabled="false"))
    assert "spoken_messages.enabled" in house.run("speak", "--list", code=3).stderr
