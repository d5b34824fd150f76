"""``vm-ari keymap``: the cards of all key maps (MENU-02)."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.cli.site import CliSite
from vm_ari.telephony.menu import shipped_key_maps


@pytest.fixture
def site(tmp_path: Path) -> CliSite:
    made = CliSite(tmp_path)
    made.configure('[calls]\nkey_map = "unity"\n')
    return made


def test_the_list_tells_whose_keys_they_are_and_which_are_used(site: CliSite) -> None:
    rows = json.loads(site.run("keymap", "list", "-o", "json").stdout)
    assert [row["name"] for row in rows] == shipped_key_maps()
    assert [row["name"] for row in rows if row["used"]] == ["unity"]
    assert "Asterisk" in next(row["keys_of"] for row in rows if row["name"] == "comedian")


@pytest.mark.feature_part("MENU-02", "the matching card")
def test_the_card_is_that_of_the_keys_in_use_or_of_any_other(site: CliSite) -> None:
    unity = site.run("keymap", "card", "--lang", "en").stdout
    assert "\n  3  delete" in unity
    comedian = site.run("keymap", "card", "comedian", "--lang", "en").stdout
    assert "\n  7  delete" in comedian
    assert "löschen" in site.run("keymap", "card", "--lang", "de").stdout
    short = site.run("keymap", "card", "--lang", "en", "--settings-only").stdout
    assert "delete, or" not in short


@pytest.mark.feature("MENU-02")
@pytest.mark.parametrize("name", shipped_key_maps())
def test_the_printed_card_says_the_same(site: CliSite, tmp_path: Path, name: str) -> None:
    card = tmp_path / "card.pdf"
    site.run("keymap", "card", name, "--lang", "en", "--pdf", card)
    pages = PdfReader(BytesIO(card.read_bytes())).pages
    printed = " ".join("".join(page.extract_text() for page in pages).split())
    for line in site.run("keymap", "card", name, "--lang", "en").stdout.splitlines()[3:]:
        assert line[5:].split("  ")[0][:30] in printed


def test_what_the_site_hides_is_on_no_card(site: CliSite) -> None:
    site.configure('[menus]\nhidden = ["send"]\n')
    with_all = site.run("keymap", "card", "--lang", "en", code=3)
    assert "menus.hidden" in with_all.stderr
    site.configure('[calls]\nkey_map = "ova"\n')
    everything = site.run("keymap", "card", "--lang", "en").stdout
    site.configure('[calls]\nkey_map = "ova"\n[menus]\nhidden = ["transfer"]\n')
    assert len(site.run("keymap", "card", "--lang", "en").stdout) < len(everything)


def test_an_own_file_is_used_by_its_path_and_a_mistake_in_it_named(site: CliSite) -> None:
    file = site.base / "keys.toml"
    file.write_text('name = "ours"\nlike = "default"\n[main]\nend = "*"\n')
    site.configure(f'[calls]\nkey_map = "{file}"\n')
    assert "\n  *  end" in site.run("keymap", "card", "--lang", "en").stdout
    assert str(file) in site.run("keymap", "list").stdout
    file.write_text('name = "ours"\nlike = "default"\n[main]\nend = "1"\n')
    said = site.run("keymap", "card", code=3).stderr
    assert "calls.key_map" in said
    assert "new_voice and end both use 1" in said
    assert "no key map called 'cisco'" in site.run("keymap", "card", "cisco", code=1).stderr
