"""``vm-ari organisations`` on a real database (UM-01, UM-02)."""

import pytest

from tests.cli.site import CliSite

LIMITS = (
    '[users]\npackages = 4\n[organisations.north]\nname = "North"\npackages = 1\n'
    '[web]\noperators = ["olga"]\n'
)


@pytest.fixture
def site(people: CliSite) -> CliSite:
    people.configure(LIMITS)
    return people


@pytest.mark.feature_part("UM-01", "used and total packages by the command line, and the limits")
def test_packages_are_listed_and_refused_when_none_is_left(site: CliSite) -> None:
    site.run("users", "add", "nora", "given=Nora", "organisation=north")
    refused = site.run("users", "add", "olaf", "given=Olaf", "organisation=north", code=1)
    assert "All 1 packages of organisation north are used (1)" in refused.stderr
    refused = site.run("users", "set", "anna", "organisation=north", code=1)
    assert "All 1 packages of organisation north" in refused.output
    rows = {row["id"]: row for row in site.ask("organisations", "list")}
    assert {key: (row["used"], row["total"]) for key, row in rows.items()} == {
        "north": (1, 1),
        "sales": (1, "no limit"),
        "(without)": (1, "no limit"),
        "(installation)": (3, 4),
    }
    site.run("organisations", "set", "north", "packages=2")
    site.run("users", "set", "anna", "organisation=north")
    site.run("users", "add", "olaf", "given=Olaf")
    file = site.base / "more.csv"
    file.write_text("id,name\nx,X\n")
    refused = site.run("users", "import", str(file), code=1)
    assert "All 4 packages of this installation are used (4)" in refused.stderr
    assert site.run("users", "show", "x", code=1)


@pytest.mark.feature_part("UM-02", "organisations are kept by the command line, too")
def test_an_organisation_is_added_and_changed(site: CliSite) -> None:
    site.run("organisations", "add", "south", "name=South Ltd", "language=de", "packages=5")
    assert "already" in site.run("organisations", "add", "south", code=1).stderr
    site.run("organisations", "set", "south", "agreement=2026-01-15")
    site.run("users", "add", "susi", "given=Susi", "organisation=south")
    told = site.run("organisations", "administrators", "south", "--add", "susi")
    assert told.stdout == "south: susi\n"
    [kept] = site.ask("organisations", "show", "south")
    assert kept["administrators"] == ["susi"]
    assert kept["agreement"] == "2026-01-15"
    assert kept["recorded_by"].endswith("(command line)")
    assert kept["settings"] == ["language=de"]
    effective = site.ask("users", "list", "--filter", "id=susi")
    assert [row["id"] for row in site.ask("users", "list", "--filter", "language=de")] == ["susi"]
    assert len(effective) == 1
    site.run("organisations", "administrators", "south", "--remove", "susi")
    site.run("organisations", "set", "south", "agreement=", "language=")
    [kept] = site.ask("organisations", "show", "south")
    assert (kept["agreement"], kept["administrators"], kept["settings"]) == ("", [], [])
    [north] = site.ask("organisations", "show", "north")
    assert north["name"] == "North"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["set", "nowhere", "name=X"], "There is no organisation nowhere"),
        (["set", "north", "packages=-1"], "packages are a number"),
        (["set", "north", "packages=1e9"], "packages are a number"),
        (["set", "north", "agreement=soon"], "“soon” is not a day"),
        (["set", "north", "agreement=2999-01-01"], "still to come"),
        (["set", "north", "langage=de"], "did you mean language?"),
        (["add", " "], "needs an id"),
        (["add", "a\tb"], "needs an id"),
        (["administrators", "north", "--add", "anna"], "anna is no user of organisation north"),
        (["administrators", "north", "--add", "nobody"], "nobody is no user"),
        (["administrators", "north", "--remove", "anna"], "anna is no administrator"),
    ],
)
def test_what_cannot_be_kept_is_said(site: CliSite, words: list[str], told: str) -> None:
    assert told in site.run("organisations", *words, code=1).stderr


def test_an_operator_does_not_appoint_himself_where_no_agreement_is(site: CliSite) -> None:
    site.run("users", "add", "olga", "given=Olga", "organisation=north")
    words = ("organisations", "administrators", "north", "--add", "olga")
    assert "record the agreement first" in site.run(*words, code=1).stderr
    site.run("organisations", "set", "north", "agreement=2026-01-15")
    site.run(*words)
