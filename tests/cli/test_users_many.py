"""Changes of many users: defaults distributed, locks taken away, and how the program ends."""

import asyncio
import json
import os
import pty
import subprocess
import sys

import pytest
from sqlalchemy import create_engine, text

from tests.cli.site import ROOT, CliSite
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.pin import PinCheck

DEFAULTS = '[defaults]\nlanguage = "de"\ntakes_messages = false\n'


def own(site: CliSite) -> dict[str, dict[str, str]]:
    """Everybody's own settings."""
    return {user["id"]: user["settings"] for user in site.ask("users", "list")}


def break_settings(site: CliSite, user: str) -> None:
    """Something in the database that no command would have written."""
    engine = create_engine(f"sqlite:///{site.base}/directory.db")
    with engine.begin() as db:
        db.execute(text("UPDATE users SET mail = 'no address' WHERE id = :id"), {"id": user})
    engine.dispose()


def guess(site: CliSite, user: str, pin: str) -> PinCheck:
    """One attempt to log in."""

    async def attempt() -> PinCheck:
        directory = EmbeddedDirectory(
            f"sqlite:///{site.base}/directory.db", KeyRing(site.base / "keys")
        )
        try:
            return await directory.check_pin(user, pin)
        finally:
            await directory.close()

    return asyncio.run(attempt())


@pytest.mark.feature("DIR-07")
def test_defaults_are_distributed(people: CliSite) -> None:
    people.configure(DEFAULTS)
    people.run("users", "set", "anna", "language=de", "takes_messages=yes", "folder=INBOX/A")
    dry = people.run("users", "distribute", "--all", "-k", "language", "-k", "folder", "-n").stdout
    assert dry.splitlines() == [
        "anna: would become: folder INBOX/A → INBOX",
        "bert: would become: language - → de, folder - → INBOX",
        "2 would be changed",
    ]
    assert own(people)["bert"] == {}
    told = people.run("users", "distribute", "--all", "-k", "language").stdout
    assert told == "1 unchanged, 1 changed\n"
    assert own(people) == {
        "anna": {"language": "de", "takes_messages": "yes", "folder": "INBOX/A"},
        "bert": {"language": "de"},
    }
    people.run("users", "distribute", "--all")
    after = own(people)
    assert after["anna"]["takes_messages"] == after["bert"]["takes_messages"] == "no"
    assert after["anna"]["folder"] == "INBOX/A"
    again = people.run("users", "distribute", "--all").stdout
    assert again == "2 unchanged\n"


def test_users_can_follow_the_site_again(people: CliSite) -> None:
    people.run("users", "set", "--all", "language=de", "folder=INBOX/A")
    people.run("users", "distribute", "anna", "--inherit", "-k", "language")
    assert own(people) == {
        "anna": {"folder": "INBOX/A"},
        "bert": {"language": "de", "folder": "INBOX/A"},
    }


def test_what_happened_to_whom_is_told_to_programs(people: CliSite) -> None:
    people.configure(DEFAULTS)
    break_settings(people, "bert")
    result = people.run("users", "distribute", "--all", "-k", "language", "-o", "json", code=5)
    anna, bert = json.loads(result.stdout)
    assert anna == {
        "user": "anna",
        "result": "changed",
        "changes": [{"field": "language", "old": "", "new": "de"}],
        "reason": "",
    }
    assert (bert["result"], bert["reason"]) == ("failed", "“no address” is not a mail address.")
    assert "bert: “no address” is not a mail address.\n1 of 2 users failed." in result.stderr
    tsv = people.run("users", "distribute", "--all", "-k", "folder", "-o", "tsv", code=5).stdout
    assert tsv.splitlines()[1] == "anna\tchanged\tfolder - → INBOX\t"
    told = people.run("users", "distribute", "--all", "-k", "language", code=5)
    assert told.stdout == "1 unchanged, 1 failed\n"
    people.run("users", "distribute", "bert", code=1)
    assert (
        "did you mean" in people.run("users", "distribute", "--all", "-k", "langage", code=1).stderr
    )


def test_the_progress_is_shown_on_a_terminal_only(people: CliSite) -> None:
    people.configure(DEFAULTS)
    command = [sys.executable, "-m", "vm_ari", "users", "distribute", "--all"]
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*command, "-c", str(people.config)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=theirs, check=True,
    )  # fmt: skip
    os.close(theirs)
    assert b"Changing" in os.read(ours, 10_000)
    os.close(ours)
    assert done.stdout == b"2 changed\n"
    assert people.start("users", "distribute", "--all").stderr == ""


def test_a_lock_is_taken_away(people: CliSite) -> None:
    people.configure("[logins]\nfailures_before_lock = 3\n")
    pin = people.run("users", "set", "anna", "--new-pin").stdout.split("PIN is ")[1].strip()
    people.run("users", "set", "bert", "--new-pin")
    for _ in range(3):
        guess(people, "anna", "0")
    guess(people, "bert", "0")
    assert people.ask("users", "list", "--filter", "locked=yes")[0]["id"] == "anna"
    assert (
        people.run("users", "unlock", "anna", "-n").stdout
        == "anna: would become: pin_failures 3 → 0\n"
    )
    assert people.ask("users", "show", "anna")[0]["locked"] is True
    told = people.run("users", "unlock", "--filter", "locked=yes").stdout
    assert told == "anna: pin_failures 3 → 0\n"
    assert people.ask("users", "show", "bert")[0]["pin_failures"] == 1
    assert people.run("users", "unlock", "anna").stdout == "anna: no change\n"
    assert guess(people, "anna", pin) is PinCheck.RIGHT


def test_programs_get_the_results_of_every_change(people: CliSite) -> None:
    def results(*words: str) -> list[tuple[str, str]]:
        return [(row["user"], row["result"]) for row in people.ask("users", *words)]

    assert results("disable", "anna", "-n") == [("anna", "would be changed")]
    assert results("disable", "anna") == [("anna", "changed")]
    assert results("disable", "--all") == [("anna", "unchanged"), ("bert", "changed")]
    assert results("assign", "anna", "104", "-n") == [("anna", "would be changed")]
    (row,) = people.ask("users", "assign", "anna", "104")
    assert row["changes"][0]["new"] == "+4930555101 +4930555104"
    (row,) = people.ask("users", "add", "carl", "--number", "103", "--new-pin")
    assert (row["result"], guess(people, "carl", row["pin"])) == ("added", PinCheck.RIGHT)
    people.run("users", "delete", "carl", "-y")
    (row,) = people.ask("users", "set", "anna", "--new-pin")
    assert guess(people, "anna", row["pin"]) is PinCheck.RIGHT
    assert results("delete", "--all", "-y") == [("anna", "deleted"), ("bert", "deleted")]


def test_the_exit_codes_are_those_of_the_documents(people: CliSite) -> None:
    people.run("users", "set", "anna", "language=de", code=0)
    people.run("users", "set", "anna", "language=german!", code=1)
    people.run("users", "set", "nobody", "language=de", code=1)
    people.run("users", "set", "anna", code=2)
    people.run("users", "set", "anna", "--langage", code=2)
    people.run("users", "set", "--all", "mail=one@example.org", code=5)
    good = people.config.read_text()
    people.config.write_text(good + "[defaults]\nlangage = 1\n")
    people.run("users", "set", "anna", "language=de", code=3)
    people.config.write_text(good.replace("directory.db", "none/such/directory.db"))
    (people.base / "none").write_text("no directory")
    people.run("users", "set", "anna", "language=de", code=4)
    page = (ROOT / "docs" / "users.md").read_text(encoding="utf-8")
    for code in range(6):
        assert f"\n| {code} | " in page
