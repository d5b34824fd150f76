"""``vm-ari information``: the mail about the functions, and what is read out instead (STORE-03)."""

from pathlib import Path

import pytest

from tests.cli.site import CliSite
from tests.cli.test_welcome import queued

PORTAL = '[web]\nenabled = true\nhosts = ["vm.example.org"]\n'


def configure(site: CliSite, more: str = "") -> None:
    base = site.base
    site.configure(
        f'[spool]\ndirectory = "{base}/spool/vm-ari"\n[store]\nmaildir = "{base}/mail"\n'
        f'{PORTAL}[mail]\nsender = "voicemail@example.org"\n{more}\n'
    )


@pytest.fixture
def ready(people: CliSite) -> CliSite:
    configure(people)
    return people


def test_the_mail_tells_what_the_mailbox_can_do(ready: CliSite, tmp_path: Path) -> None:
    shown = ready.run("information", "preview", "anna", "--lang", "en").stdout
    assert "Subject: What your mailbox can do: +49 30 555101" in shown
    for part in ("Attached: voicemail-en.pdf", "MESSAGES", "https://vm.example.org"):
        assert part in shown
    html = tmp_path / "mail.html"
    ready.run("information", "preview", "bert", "--html", html)
    assert "<li" in html.read_text(encoding="utf-8")
    assert queued(ready) == []


@pytest.mark.feature("STORE-03")
def test_it_goes_to_some_or_all_and_to_nobody_twice(ready: CliSite) -> None:
    ready.run("users", "reset-pin", "anna")
    assert "would get the mail" in ready.run("information", "send", "-n", "anna").stdout
    assert queued(ready) == []
    first = ready.run("information", "send", "anna", "--mailing", "spring").stdout
    assert "1 queued" in first
    count = len(queued(ready))
    assert count == 1
    everybody = ready.run("information", "send", "--all", "--mailing", "spring").stdout
    assert "1 sent before" in everybody
    total = len(queued(ready))
    assert total > 1
    again = ready.run("information", "send", "--all", "--mailing", "spring").stdout
    assert "queued" not in again
    assert len(queued(ready)) == total
    rows = ready.ask("information", "send", "anna", "--mailing", "summer")
    assert [row["result"] for row in rows if isinstance(row, dict)] == ["queued"]
    told = ready.run("information", "send", "-u", "nobody*", code=1).stderr
    assert "Nobody is chosen" in told
    ready.run("information", "send", code=2)


@pytest.mark.feature("STORE-03")
def test_where_no_such_mails_leave_it_is_read_out(people: CliSite) -> None:
    configure(people, "information = false\n[welcome]\nenabled = true")
    assert "switched off" in people.run("information", "send", "--all", code=1).stderr
    assert "switched off" in people.run("welcome", "send", "anna", "--now", code=1).stderr
    people.run("users", "set", "anna", "--new-pin")
    told = people.run("information", "read-out", "anna").stdout
    assert "+49 30 555101" in told
    assert "press * during the greeting" in told
    assert "••••••" in told
    assert "https://vm.example.org" in told
    shown = people.run("information", "read-out", "anna", "--pin").stdout
    [line] = [line for line in shown.splitlines() if line.startswith("PIN:")]
    assert line.split()[1].isdecimal()
    bert = people.run("information", "read-out", "bert", "--pin").stdout
    assert "reset-pin" in bert


@pytest.mark.parametrize(
    ("address", "code", "told"),
    [
        ("anna@example.org", 0, "go to user anna, who alone sees them"),
        ("office@example.org", 1, "which is no user's: nobody can read them"),
    ],
)
def test_the_check_says_who_gets_messages_to_numbers_of_nobody(
    people: CliSite, address: str, code: int, told: str
) -> None:
    configure(people)
    text = people.config.read_text()
    people.config.write_text(text.replace("[site]", f'[site]\ndefault_recipient = "{address}"'))
    assert told in people.run("check", "--only", "directory", code=code).stdout
