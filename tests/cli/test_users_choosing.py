"""Which users a command means, and what is shown of them: on a real database."""

import json

import pytest

from tests.cli.site import CliSite


@pytest.fixture
def crew(people: CliSite) -> CliSite:
    """Anna in sales, Bert nowhere, Carl and Cora in stores; some with own languages."""
    people.configure('[defaults]\nlanguage = "fr"\n')
    people.run("users", "add", "carl", "organisation=stores", "language=de", "name=Carl C")
    people.run("users", "add", "cora", "organisation=Stores", "mail=cora@example.org")
    return people


def ids(site: CliSite, *words: str) -> list[str]:
    return [user["id"] for user in site.ask("users", "list", *words)]


@pytest.mark.feature("DIR-07")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["anna", "bert", "carl", "cora"]),
        (["--all"], ["anna", "bert", "carl", "cora"]),
        (["102", "(030) 555-101", "anna"], ["bert", "anna"]),
        (["-u", "c*"], ["carl", "cora"]),
        (["-u", "*@example.org", "-u", "bert"], ["anna", "bert", "cora"]),
        (["--ou", "STORES"], ["carl", "cora"]),
        (["--ou", "stores", "--ou", "sales"], ["anna", "carl", "cora"]),
        (["--filter", "language=fr"], ["anna", "bert", "cora"]),
        (["--filter", "own.language="], ["anna", "bert", "cora"]),
        (["--filter", "numbers=+4930555*"], ["anna", "bert"]),
        (["--filter", 'name="Carl *" and language!=fr'], ["carl"]),
        (["--filter", "language=fr", "--filter", "mail="], ["bert"]),
        (["--ou", "stores", "-u", "*@*", "--filter", "language=fr"], ["cora"]),
        (["anna", "carl", "--ou", "stores"], ["carl"]),
        (["--all", "-u", "a*"], ["anna"]),
        (["anna", "-u", "b*"], []),
    ],
)
def test_everything_that_is_said_must_hold(
    crew: CliSite, words: list[str], found: list[str]
) -> None:
    assert ids(crew, *words) == found


def test_changes_choose_in_the_same_way(crew: CliSite) -> None:
    crew.run("users", "set", "--ou", "stores", "--filter", "language!=de", "time_zone=Asia/Tokyo")
    crew.run("users", "set", "anna", "carl", "--filter", "language=de", "folder=INBOX/A")
    crew.run("users", "disable", "-u", "*@example.org", "--ou", "stores")
    own = {user["id"]: user["settings"] for user in crew.ask("users", "list")}
    assert own == {
        "anna": {},
        "bert": {},
        "carl": {"language": "de", "folder": "INBOX/A"},
        "cora": {"time_zone": "Asia/Tokyo", "voice_mail_enabled": "no"},
    }
    crew.run("users", "delete", "--filter", "organisation=*", "--ou", "sales", "-y")
    assert ids(crew) == ["bert", "carl", "cora"]
    crew.run("users", "export", "-", "-f", "csv", "--ou", "stores")
    lines = crew.run("users", "export", "-", "carl", "-f", "csv").stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == ["id", "carl"]


@pytest.mark.parametrize("command", ["set", "enable", "disable", "unlock", "distribute", "delete"])
def test_nobody_is_meant_by_saying_nothing(crew: CliSite, command: str) -> None:
    more = ["language=de"] if command == "set" else []
    assert "Say for whom" in crew.run("users", command, *more, code=2).stderr
    told = crew.run("users", command, "-u", "x*", *more, code=1).stderr
    assert "Nobody is chosen" in told
    assert len(ids(crew)) == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--filter", "langage=de"], "did you mean language?"),
        (["--filter", "language"], "cannot be understood at “language”"),
        (["--filter", "id=a or id=b"], "cannot be understood at “or id=b”"),
        (["--columns", "id,nmae"], "did you mean name?"),
    ],
)
def test_what_is_wrong_with_a_wish_is_named(crew: CliSite, words: list[str], told: str) -> None:
    result = crew.run("users", "list", *words, code=2)
    assert told in result.stderr
    assert result.stdout == ""


@pytest.mark.feature("DIR-07")
def test_columns_are_chosen(crew: CliSite) -> None:
    columns = "id, mailbox,language,own.language,locked,takes_messages"
    tsv = crew.run("users", "list", "--columns", columns, "-o", "tsv").stdout.splitlines()
    assert [line.split("\t") for line in tsv][:4] == [
        ["id", "mailbox", "language", "own.language", "locked", "takes_messages"],
        ["anna", "101", "fr", "", "no", "yes"],
        ["bert", "102", "fr", "", "no", "yes"],
        ["carl", "", "de", "de", "no", "yes"],
    ]
    (row,) = crew.ask("users", "search", "größe", "--columns", "numbers,pin")
    assert row == {"numbers": ["+4930555101"], "pin": False}
    assert "pin" in crew.ask("users", "search", "größe")[0]


def test_an_organisations_value_counts_in_filters(crew: CliSite) -> None:
    crew.configure('[organisations.stores.settings]\nlanguage = "es"\n')
    found = json.loads(crew.run("users", "list", "--filter", "language=es", "-o", "json").stdout)
    assert [user["id"] for user in found] == []  # Stores and stores are two
    crew.run("users", "set", "cora", "organisation=stores")
    assert ids(crew, "--filter", "language=es") == ["cora"]
