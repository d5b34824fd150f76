"""``vm-ari mwi`` without a controller: what is counted, and what is said of the rest."""

from pathlib import Path

import pytest

from tests.cli.site import CliSite


def test_what_the_store_counts_is_shown_and_nothing_is_made(
    messages: CliSite, tmp_path: Path
) -> None:
    [anna] = messages.ask("mwi", "show", "030/555-101")
    assert (anna["new"], anna["heard"], anna["other"], anna["lamp"]) == (2, 0, 1, "")
    everybody = messages.ask("mwi", "show", "--all")
    assert {row["user"]: row["new"] for row in everybody}["bert"] == 0
    assert not (tmp_path / "mail" / "102").exists()
    assert messages.run("mwi", "show", "anna", "-o", "tsv").stdout.startswith("user\tmailbox\tnew")


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("show",), 2, "Name a mailbox"),
        (("show", "anna", "--all"), 2, "Name a mailbox"),
        (("show", "otto"), 1, "no user"),
        (("sync",), 2, "Name a mailbox"),
        (("sync", "anna"), 1, "Asterisk cannot be used"),
        (("probe",), 4, "Asterisk cannot be used"),
    ],
)
def test_what_is_wrong_is_named(
    messages: CliSite, words: tuple[str, ...], code: int, why: str
) -> None:
    text = messages.config.read_text()
    messages.config.write_text(text.replace("[asterisk]", '[asterisk]\nurl = "http://127.0.0.1:1"'))
    assert why in messages.run("mwi", *words, code=code).output


def test_a_mailbox_that_cannot_be_counted_is_not_zero(messages: CliSite, tmp_path: Path) -> None:
    (tmp_path / "mail" / "101" / "new").rename(tmp_path / "elsewhere")
    found = messages.run("mwi", "show", "anna", "-o", "tsv", code=4).stdout.splitlines()
    assert found[1].split("\t")[:5] == ["anna", "101", "", "", ""]
    assert "No such file" in found[1]
