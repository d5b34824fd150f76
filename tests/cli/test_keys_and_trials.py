"""``vm-ari keys``, ``vm-ari test`` and ``vm-ari explain`` on a real database."""

import json

import pytest
from sqlalchemy import create_engine, text

from tests.cli.site import CliSite
from tests.cli.test_transfer import pin_is


def test_a_rotation_seals_everything_anew(people: CliSite) -> None:
    told = people.run("users", "set", "anna", "--new-pin").stdout
    pin = told.split("PIN is ")[1].strip()
    assert "1 secrets of 2 users would be" in people.run("keys", "rotate", "-n").stdout
    assert len(list((people.base / "keys").iterdir())) == 1
    assert "1 secrets sealed anew, 0 had" in people.run("keys", "rotate").stdout
    (people.base / "keys" / "0001.key").unlink()
    assert pin_is(people, "anna", pin)


def test_a_secret_that_cannot_be_opened_is_named(people: CliSite) -> None:
    people.run("users", "set", "--all", "--new-pin")
    engine = create_engine(f"sqlite:///{people.base}/directory.db")
    with engine.begin() as db:
        db.execute(text("UPDATE users SET pin = 'v1.0.AAAA' WHERE id = 'bert'"))
    engine.dispose()
    result = people.run("keys", "rotate", code=1)
    assert "1 secrets sealed anew" in result.stdout
    assert "bert: a secret cannot be opened" in result.stderr


def test_a_number_is_explained(people: CliSite) -> None:
    people.configure('[dialling]\nrules = ["deny +49151", "allow AT"]\n')
    (own,) = people.ask("test", "number", "(030) 555-101")
    assert own == {
        "stored as": "+4930555101",
        "written": "+49 30 555101",
        "extension": "101",
        "site": "",
        "internal": True,
        "kind": "internal",
        "may be dialled": True,
        "by dialling": "101",
        "user": "anna",
    }
    (mobile,) = people.ask("test", "number", "0151 12345678")
    assert mobile["because"].endswith("the rule “deny +49151” forbids it.")
    assert people.ask("test", "number", "+43 1 5134567")[0]["may be dialled"]
    assert not people.ask("test", "number", "0900 1234567")[0]["may be dialled"]
    assert "is not a telephone number" in people.run("test", "number", "*)(uid=*", code=1).stderr
    assert "by dialling" in people.run("test", "number", "101").stdout


@pytest.mark.feature_part("SITE-01", "several sites in the configuration")
def test_numbers_of_every_site_are_internal(people: CliSite) -> None:
    people.configure('[[sites]]\nname = "Wien"\nregion = "AT"\nbase_number = "+431555"\n')
    (far,) = people.ask("test", "number", "+43 1 555 22")
    assert (far["extension"], far["site"], far["kind"]) == ("22", "Wien", "internal")
    assert far["internal"]
    (told,) = people.ask("explain", "101", "--from", "+43155522")
    assert {fact["fact"]: fact["value"] for fact in told["facts"]}["caller"] == "22"


@pytest.mark.feature("DIR-07")
def test_a_template_is_shown_by_example(people: CliSite) -> None:
    made = people.run("test", "template", "${given|first}.${surname}@example.com").stdout
    assert made == "Anna Größe-Weber: a.groesse-weber@example.com\n"
    assert "is unknown" in people.run("test", "template", "${nick}", code=1).stderr
    people.configure(
        '[users]\ndisplay_name = "${surname} (${mailbox})"\nmail_address = "${id}@x.org"'
    )
    assert people.run("test", "template").stdout == (
        "Anna Größe-Weber: Größe-Weber (101)\nAnna Größe-Weber: agroesse@x.org\n"
    )
    own = people.run("test", "template", "--user", "101", "${surname|upper}").stdout
    assert own == "Anna Größe: GRÖSSE\n"
    told = people.run("test", "template", "--user", "bert", "${surname}@x.org", code=1).stderr
    assert "bert has none of the names" in told


def test_rules_that_do_nothing_are_named(people: CliSite) -> None:
    people.configure('[dialling]\nrules = ["deny all", "allow AT"]\n')
    result = people.run("test", "number", "101", "-o", "json")
    assert "“allow AT” is never reached" in result.stderr
    assert json.loads(result.stdout)[0]["may be dialled"] is False
    found = people.run("check", "--only", "dialling", "-o", "json", code=1)
    (problem,) = [one for one in json.loads(found.stdout) if one["result"] == "problem"]
    assert "“allow AT” is never reached" in problem["what"]
    people.configure('[dialling]\nrules = ["allow AT", "deny all"]\n')
    assert people.run("test", "number", "101").stderr == ""
    people.run("check", "--only", "dialling")


def test_a_greeting_is_explained(people: CliSite) -> None:
    people.run("users", "set", "anna", "language=de", "time_zone=Asia/Tokyo")
    (plain,) = people.ask("explain", "101", "--from", "102", "--at", "2026-12-24T18:00")
    assert plain["greeting"] == "default greeting"
    facts = {fact["fact"]: fact["value"] for fact in plain["facts"]}
    assert facts["language"] == "de"
    assert facts["local time"] == "2026-12-24 18:00"
    assert facts["caller"] == "102"
    (told,) = people.ask("explain", "101", "--at", "2026-12-24T18:00+00:00")
    assert {"fact", "value", "reason"} == told["facts"][0].keys()
    assert "2026-12-25 03:00" in {fact["value"] for fact in told["facts"]}
    people.run("users", "disable", "anna")
    assert people.ask("explain", "101")[0]["greeting"] == "notice that the mailbox is disabled"
    assert people.ask("explain", "199")[0]["greeting"].endswith("no such mailbox")
    shown = people.run("explain", "101").stdout
    assert "Voice mail is switched off (the user's setting)." in shown
    people.run("explain", "101", "--at", "tomorrow", code=2)
    assert "not a telephone number" in people.run("explain", "hello", code=1).stderr
