"""``vm-ari rights``, and the settings that give them (UM-05)."""

import asyncio
import csv
import io
from pathlib import Path

import pytest

from tests.adapters.journal_contract import entry
from tests.cli.site import CliSite
from tests.cli.test_fax import NUMBER, SETTINGS, letter, ordered
from tests.faxes import page, pdf
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import load
from vm_ari.wiring.directories import open_directories
from vm_ari.wiring.journal import open_journal

RIGHTS = """
[defaults]
fax_per_day = "9"
cost_centre = "House"
[organisations.sales]
name = "Sales"
[organisations.sales.settings]
fax_per_day = "2"
[rights]
fax_pages_per_day = 3
"""


@pytest.fixture
def house(people: CliSite) -> CliSite:
    """A site that sends faxes, a letter of one page, and limits."""
    people.configure(SETTINGS.format(base=people.base, enabled="true") + RIGHTS)
    letter(people).write_bytes(pdf([page(("Dear Jörg,",))]))
    return people


@pytest.mark.feature("UM-05")
def test_what_is_used_and_left_is_shown_and_kept_to(house: CliSite) -> None:
    ordered(house)
    fax, sms, voice = house.ask("rights", "show", "anna")
    assert (fax["what"], fax["used"], fax["limit"], fax["left"]) == ("fax", 1, 2, 1)
    assert (fax["pages"], fax["page_limit"], fax["pages_left"]) == (1, 3, 2)
    assert (sms["what"], sms["used"], sms["limit"]) == ("sms", 0, "")
    assert (voice["what"], voice["scope"]) == ("voice", "international")
    ordered(house)
    refused = house.run("fax", "send", "anna", NUMBER, str(letter(house)), code=1)
    assert "enough faxes today: 2 are allowed" in refused.stderr
    [bert, *_] = house.ask("rights", "show", "bert")
    assert (bert["limit"], bert["used"]) == (9, 0)


def test_rights_are_settings_like_all_others(house: CliSite, tmp_path: Path) -> None:
    house.run("users", "set", "anna", "fax_scope=national", "cost_centre=4711-B", "sms_per_day=5")
    told = {one["setting"]: one for one in house.ask("users", "effective", "anna")}
    assert (told["fax_scope"]["value"], told["fax_scope"]["origin"]) == ("national", "user")
    assert (told["fax_per_day"]["value"], told["fax_per_day"]["origin"]) == ("2", "organisation")
    assert told["cost_centre"]["value"] == "4711-B"
    bert = {one["setting"]: one for one in house.ask("users", "effective", "bert")}
    assert (bert["cost_centre"]["value"], bert["cost_centre"]["origin"]) == ("House", "site")
    assert (
        "nobody or internal" in house.run("users", "set", "anna", "fax_scope=moon", code=1).stderr
    )
    exported = tmp_path / "users.csv"
    house.run("users", "export", str(exported))
    assert "4711-B" in exported.read_text()
    assert "left" in house.run("rights", "show", "anna").stdout
    assert "nobody" in house.run("rights", "show", "nobody", code=1).stderr


@pytest.mark.feature_part("UM-05", "the cost centre is in the exported journal")
def test_the_export_of_the_journal_names_who_pays(house: CliSite) -> None:
    house.run("users", "set", "anna", "cost_centre=4711-B")
    config = load(house.config)

    async def calls() -> None:
        directories = open_directories(config, KeyRing(config.directory.keys), SystemClock())
        journal = open_journal(config, SystemClock(), directories.for_calls)
        await journal.notes.note(entry(1))
        await journal.notes.note(entry(2, user_id="bert"))
        await journal.notes.note(entry(3, user_id=""))
        await journal.close()
        await directories.close()

    asyncio.run(calls())
    rows = csv.DictReader(io.StringIO(house.run("journal", "export").stdout))
    assert [(one["user"], one["cost_centre"]) for one in rows] == [
        ("", ""),
        ("bert", "House"),
        ("anna", "4711-B"),
    ]
