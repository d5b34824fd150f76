"""``vm-ari api-token``: made, listed, revoked; and ended with their users."""

from pathlib import Path

import pytest

from tests.cli.site import CliSite
from vm_ari.services.api_tokens import FORM


@pytest.fixture
def site(tmp_path: Path) -> CliSite:
    there = CliSite(tmp_path)
    there.configure('[organisations.north]\nname = "North"\n')
    there.run("users", "add", "anna", "--number", "+493055510")
    there.run("users", "add", "bert", "--number", "+493055511")
    return there


def test_a_token_is_printed_once_and_listed_without_its_secret(site: CliSite) -> None:
    made = site.run("api-token", "create", "anna", "--name", "backup  script", "--read-only")
    text = FORM.fullmatch(made.stdout.strip())
    assert text
    site.run(
        "api-token", "create", "bert", "--name", "x", "--scope", "admin", "--organisation", "north"
    )
    anna, bert = site.ask("api-token", "list")
    assert (anna["id"], anna["name"], anna["scope"]) == (text[1], "backup script", "me read")
    assert (bert["user"], bert["scope"], bert["used"]) == ("bert", "admin:north", "never")
    assert text[0] not in site.run("api-token", "list", "anna").output


@pytest.mark.parametrize(
    "words",
    [
        ("--days", "0"),
        ("--days", "5000"),
        ("--scope", "admin"),
        ("--organisation", "north"),
        ("--scope", "admin", "--organisation", "nowhere"),
    ],
)
def test_a_token_that_cannot_be_is_refused(site: CliSite, words: tuple[str, ...]) -> None:
    site.run("api-token", "create", "anna", "--name", "x", *words, code=1)
    site.run("api-token", "create", "anna", "--name", " ", code=1)
    site.run("api-token", "create", "nobody", "--name", "x", code=1)
    assert site.ask("api-token", "list") == []


def test_revoked_tokens_and_those_of_removed_users_are_gone(site: CliSite) -> None:
    for user_id in ("anna", "anna", "bert"):
        site.run("api-token", "create", user_id, "--name", "x")
    first, second, berts = (one["id"] for one in site.ask("api-token", "list"))
    assert site.run("api-token", "revoke", first).output == f"{first}: revoked\n"
    assert "no token" in site.run("api-token", "revoke", first, second, code=1).stderr
    assert [one["id"] for one in site.ask("api-token", "list")] == [berts]
    site.run("users", "delete", "bert", "-y")
    assert site.ask("api-token", "list") == []
    site.run("api-token", "revoke", code=1)
