"""``vm-ari users`` on a real database."""

import re
from pathlib import Path

import pytest

from tests.cli.site import CliSite


@pytest.mark.feature("DIR-05", "DIR-07")
def test_a_new_user_has_all_that_was_said(people: CliSite) -> None:
    (anna,) = people.ask("users", "show", "anna")
    assert anna == {
        "id": "anna",
        "name": "Anna Größe",
        "given": "Anna",
        "surname": "Größe",
        "mailbox": "101",
        "numbers": ["+4930555101"],
        "mail": "anna@example.org",
        "organisation": "sales",
        "units": [],
        "pin": False,
        "pin_failures": 0,
        "locked": False,
        "settings": {},
    }


@pytest.mark.parametrize("asked", ["bert", "102", "+49 30 555 102", "(030) 555-102"])
def test_a_user_is_found_by_any_spelling(people: CliSite, asked: str) -> None:
    assert [user["id"] for user in people.ask("users", "show", asked)] == ["bert"]


def test_a_misspelt_user_is_suggested(people: CliSite) -> None:
    assert "did you mean anna?" in people.run("users", "show", "ana", code=1).stderr


@pytest.mark.feature("DIR-07")
def test_lists_and_searches(people: CliSite) -> None:
    def ids(*words: str) -> list[str]:
        return [user["id"] for user in people.ask("users", *words)]

    assert ids("list") == ["anna", "bert"]
    assert ids("list", "-u", "*@EXAMPLE.org") == ["anna"]
    assert ids("list", "-u", "c*") == []
    assert ids("search", "größe", "sales") == ["anna"]
    assert ids("search", "555102") == ["bert"]


def test_tables_are_for_people_and_tsv_for_programs(people: CliSite) -> None:
    table = people.run("users", "list").stdout.splitlines()
    assert table[0].split() == [
        "id", "name", "mailbox", "numbers", "mail", "organisation", "pin"
    ]  # fmt: skip
    assert table[1].index("101") == table[2].index("102")
    tsv = people.run("users", "list", "-o", "tsv").stdout.splitlines()
    assert tsv[1].split("\t") == [
        "anna", "Anna Größe", "101", "+4930555101", "anna@example.org", "sales", "no"
    ]  # fmt: skip


@pytest.mark.feature_part(
    "UM-01", "numbers and addresses are unique, and it is said whose they are"
)
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["anna"], "There is a user anna already"),
        (["carl", "--number", "101"], "101 belongs to user anna"),
        (["carl", "mailbox=102"], "102 belongs to user bert"),
        (["carl", "mail=ANNA@example.org"], "anna@example.org is the address of user anna"),
        (["carl", "mail=carl"], "“carl” is not a mail address"),
        (["carl", "mailbox=1 0"], "must be digits"),
        (["carl", "--number", "hello"], "“hello” is not a telephone number"),
        (["carl", "langage=de"], "did you mean language?"),
        (["carl", "language=german!"], "write a language such as de or en"),
        (["carl", "pin=123456"], "--new-pin"),
        (["carl", *(w for n in range(4) for w in ("--number", f"20{n}"))], "4 numbers; 3 are"),
    ],
)
def test_what_cannot_be_added_is_named(people: CliSite, words: list[str], told: str) -> None:
    for more in ([], ["-n"]):
        error = people.run("users", "add", *words, *more, code=1).stderr
        assert re.search(told, error), error
    assert len(people.ask("users", "list")) == 2


def test_a_dry_run_changes_nothing(people: CliSite) -> None:
    before = people.ask("users", "list")
    assert "would be added" in people.run("users", "add", "carl", "--new-pin", "-n").stdout
    people.run("users", "set", "anna", "language=de", "--new-pin", "-n")
    people.run("users", "assign", "anna", "103", "-n")
    people.run("users", "disable", "--all", "-n")
    people.run("users", "delete", "--all", "-n")
    assert people.ask("users", "list") == before


@pytest.mark.feature("DIR-05", "DIR-07")
def test_settings_are_set_and_taken_away(people: CliSite) -> None:
    told = people.run("users", "set", "anna", "language=DE", "takes_messages=off", "given=Änne")
    assert told.stdout == "anna: language - → de, takes_messages - → no, given Anna → Änne\n"
    people.run("users", "set", "anna", "language=", "mailbox=999")
    (anna,) = people.ask("users", "show", "999")
    assert anna["settings"] == {"takes_messages": "no"}
    assert anna["given"] == "Änne"
    assert people.run("users", "set", "anna", "mailbox=999").stdout == "anna: no change\n"


def test_many_are_changed_at_once_and_failures_are_counted(people: CliSite) -> None:
    people.run("users", "set", "--all", "language=de")
    assert [u["settings"] for u in people.ask("users", "list")] == [{"language": "de"}] * 2
    result = people.run("users", "set", "--all", "mail=same@example.org", code=5)
    assert "anna: mail" in result.stdout
    assert "bert: same@example.org is the address of user anna." in result.stderr
    people.run("users", "set", "-u", "x*", "language=en", code=1)
    people.run("users", "set", "language=en", code=2)
    people.run("users", "set", "anna", code=2)


def test_enable_and_disable(people: CliSite) -> None:
    def enabled() -> dict[str, tuple[str, str]]:
        rows = people.ask("users", "effective", "anna")
        return {row["setting"]: (row["value"], row["origin"]) for row in rows}

    people.run("users", "disable", "anna", "bert")
    assert enabled()["voice_mail_enabled"] == ("no", "user")
    people.run("users", "enable", "-u", "a*")
    assert enabled()["voice_mail_enabled"] == ("yes", "user")


def test_effective_tells_the_origin(people: CliSite) -> None:
    people.configure('[defaults]\nlanguage = "de"\ntakes_messages = false\n')
    people.run("users", "set", "anna", "takes_messages=yes")
    rows = {row["setting"]: row for row in people.ask("users", "effective", "anna")}
    assert (rows["language"]["value"], rows["language"]["origin"]) == ("de", "site")
    assert (rows["takes_messages"]["value"], rows["takes_messages"]["origin"]) == ("yes", "user")
    assert rows["folder"]["origin"] == "default"


@pytest.mark.feature("DIR-07")
@pytest.mark.feature_part("UM-01", "a number is one user's, and three are possible")
def test_numbers_are_assigned_and_taken(people: CliSite) -> None:
    assert "belongs to user anna" in people.run("users", "assign", "102", "101", code=1).stderr
    people.run("users", "assign", "bert", "(030) 555 - 103", "0151 12345678")
    (bert,) = people.ask("users", "show", "103")
    assert bert["numbers"] == ["+4930555102", "+4930555103", "+4915112345678"]
    assert "4 numbers" in people.run("users", "assign", "bert", "104", code=1).stderr
    people.run("users", "unassign", "bert", "102")
    (bert,) = people.ask("users", "show", "bert")
    assert (bert["mailbox"], bert["numbers"]) == ("103", ["+4930555103", "+4915112345678"])
    assert "is not among" in people.run("users", "unassign", "bert", "102", code=1).stderr


@pytest.mark.feature("DIR-05", "DIR-07")
def test_delete_asks_first(people: CliSite) -> None:
    people.run("users", "delete", "anna", typed="n\n", code=1)
    assert len(people.ask("users", "list")) == 2
    people.run("users", "delete", "anna", typed="y\n")
    people.run("users", "delete", "--all", "-y")
    assert people.ask("users", "list") == []


def test_a_pin_is_shown_once_and_works(people: CliSite) -> None:
    told = people.run("users", "add", "carl", "--number", "103", "--new-pin").stdout
    pin = told.split("the PIN is ")[1].strip()
    assert re.fullmatch("[0-9]{6}", pin)
    everything = "".join(
        people.run("users", *words).output
        for words in (["list"], ["show", "carl", "-o", "json"], ["effective", "carl"])
    )
    assert pin not in everything
    assert "v1." not in everything
    again = people.run("users", "set", "carl", "--new-pin").stdout
    assert pin not in again


def test_a_mailbox_without_numbers_is_reached_by_its_own(people: CliSite) -> None:
    people.run("users", "add", "carl", "mailbox=103")
    assert people.ask("users", "show", "carl")[0]["numbers"] == ["+4930555103"]


@pytest.mark.feature("DIR-07")
@pytest.mark.feature_part("UM-01", "new users get an address that nobody has")
def test_templates_name_new_users(site: CliSite) -> None:
    site.configure(
        '[users]\ndisplay_name = "${surname}, ${given}"\n'
        'mail_address = "${given|first}.${surname}@example.com"\n'
    )
    for user in ("a1", "a2"):
        site.run("users", "add", user, "given=Anna", "surname=Größe")
    found = [(user["name"], user["mail"]) for user in site.ask("users", "list")]
    assert found == [
        ("Größe, Anna", "a.groesse@example.com"),
        ("Größe, Anna", "a.groesse2@example.com"),
    ]


def test_what_is_wrong_with_the_configuration_is_named(site: CliSite) -> None:
    site.configure('[defaults]\nlangage = "de"\n')
    error = site.run("users", "list", code=3).stderr
    assert "vm-ari.toml:8: defaults: There is no setting “langage”; did you mean" in error
    site.configure('[dialling]\nrules = ["allow AT", "permit DE"]\n')
    error = site.run("users", "list", code=3).stderr
    assert "dialling.rules, rule 2: “permit DE” must begin with" in error
    site.configure('[users]\ndisplay_name = "${nick}"\n')
    assert "users.display_name: “${nick}” is unknown" in site.run("users", "list", code=3).stderr
    site.config.unlink()
    assert "no such configuration file" in site.run("users", "list", code=3).stderr


def test_an_unreachable_directory_has_its_own_code(people: CliSite, tmp_path: Path) -> None:
    (tmp_path / "directory.db").write_bytes(b"this is no database" * 100)
    assert "directory cannot be used" in people.run("users", "list", code=4).stderr
    (tmp_path / "keys" / "0001.key").chmod(0o644)
    assert "chmod 600" in people.run("users", "list", code=4).stderr


def test_names_cannot_steer_the_terminal(people: CliSite) -> None:
    people.run("users", "add", "carl", "name=\x1b[2Jx", code=1)
    people.run("users", "set", "anna", "surname=a\tb", code=1)


def test_as_a_program(people: CliSite) -> None:
    done = people.start("users", "list", "-o", "tsv")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["id", "anna", "bert"]
    assert people.start("users", "show", "nobody").returncode == 1
    assert people.start("users", "nonsense").returncode == 2
