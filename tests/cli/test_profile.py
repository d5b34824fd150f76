"""Profiles and transfers from the command line."""

import pytest

from tests.cli.site import BASE, CliSite
from vm_ari.domain.profiles import CHOOSABLE, ProfileName


def profile_of(site: CliSite, user: str = "anna") -> dict[str, object]:
    found: list[dict[str, object]] = site.ask("profile", "show", user)
    assert len(found) == 1
    return found[0]


def transfers_of(site: CliSite, user: str = "anna") -> dict[str, str]:
    return {
        row["profile"]: row["destination"]
        for row in site.ask("transfer", "show", user)
        if row["destination"]
    }


@pytest.mark.feature_part("GREET-01", "an admin activates a profile")
@pytest.mark.parametrize("name", CHOOSABLE)
def test_a_profile_is_activated_and_shown_with_its_reason(
    people: CliSite, name: ProfileName
) -> None:
    assert profile_of(people)["profile"] == "work"
    people.run("profile", "activate", "anna", name.value)
    shown = profile_of(people, "030/555101")
    assert (shown["profile"], shown["chosen"], shown["until"]) == (name.value, name.value, None)
    assert "the user's setting" in str(shown["reason"])
    assert profile_of(people, "bert")["profile"] == "work"


@pytest.mark.feature_part("GREET-10", "Vacation gets its end date from an admin")
def test_a_profile_with_a_last_day_is_over_after_it(people: CliSite) -> None:
    people.run("profile", "activate", "anna", "home")
    row = people.ask("profile", "activate", "anna", "vacation", "--until", "2099-12-24")[0]
    assert (row["profile"], row["until"], row["after"]) == ("vacation", "2099-12-25 00:00", "home")
    people.run("profile", "activate", "anna", "mobile")
    assert profile_of(people)["until"] is None


def test_what_is_wrong_is_named(people: CliSite) -> None:
    wrong = {"x": "no day", "2020-12-24": "over", "2026-02-30": "no day", "9999-12-31": "far away"}
    for day, why in wrong.items():
        words = ("profile", "activate", "anna", "vacation", "--until", day)
        assert why in people.run(*words, code=2).stderr
    assert profile_of(people)["profile"] == "work"
    assert "internal" in people.run("profile", "activate", "anna", "internal", code=2).stderr
    assert "no user" in people.run("profile", "show", "otto", code=1).stderr
    assert "no user" in people.run("transfer", "set", "otto", "work", "102", code=1).stderr


@pytest.mark.feature_part("GREET-01", "the site chooses which are offered")
def test_a_profile_that_is_not_offered_is_refused(
    people: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VM_ARI__SITE__PROFILES", '["work", "home"]')
    refused = people.run("profile", "activate", "anna", "mobile", code=1)
    assert "not offered; there are work, home" in refused.stderr
    assert profile_of(people)["profile"] == "work"


@pytest.mark.feature_part("XFER-01", "an admin sets a destination for each profile")
@pytest.mark.parametrize("name", ProfileName)
def test_a_destination_is_set_shown_and_removed(people: CliSite, name: ProfileName) -> None:
    people.run("transfer", "set", "anna", name.value, "030 / 555-102")
    assert transfers_of(people) == {name.value: f"{BASE}102"}
    people.run("transfer", "set", "anna", name.value, "+49 89 12345")
    assert transfers_of(people) == {name.value: "+498912345"}
    people.run("transfer", "remove", "anna", name.value)
    assert transfers_of(people) == {}
    assert transfers_of(people, "bert") == {}


@pytest.mark.feature_part("SITE-03", "a forbidden destination is refused when it is stored")
@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("0900 123456", "do not allow it"),
        ("+44 20 7946 0018", "number abroad"),
        ("101", "this mailbox itself"),
        ("hello", "not a telephone number"),
    ],
)
def test_a_refused_destination_is_named_and_nothing_changes(
    people: CliSite, number: str, why: str
) -> None:
    people.run("transfer", "set", "anna", "work", "102")
    assert why in people.run("transfer", "set", "anna", "work", number, code=1).stderr
    assert transfers_of(people) == {"work": f"{BASE}102"}


def test_a_destination_that_new_rules_forbid_is_shown_as_such(people: CliSite) -> None:
    people.run("transfer", "set", "anna", "work", "+49 89 12345")
    people.configure('[dialling]\nrules = ["deny +4989"]\n')
    row = people.ask("transfer", "show", "anna")[0]
    assert (row["profile"], row["allowed"]) == ("work", False)
    assert "deny +4989" in row["reason"]


def test_the_users_default_can_be_taken_away(people: CliSite) -> None:
    people.configure(f'[defaults]\ntransfer_work = "{BASE}102"\n')
    assert transfers_of(people) == {"work": f"{BASE}102"}
    people.run("transfer", "remove", "anna", "work")
    assert transfers_of(people) == {}


def test_a_directory_that_is_away_is_told(people: CliSite) -> None:
    people.configure()
    (people.base / "directory.db").unlink()
    (people.base / "directory.db").mkdir()
    for words in (("profile", "activate", "anna", "home"), ("transfer", "remove", "anna", "work")):
        assert "cannot be used" in people.run(*words, code=4).stderr
