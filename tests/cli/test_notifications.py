"""Notices at the command line: what counts and why, resets, a trial (NOTIFY-04, NOTIFY-06)."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.site import CliSite
from vm_ari.adapters.notification_state import DatabaseNoticeBook
from vm_ari.domain.messages import Counts
from vm_ari.domain.notifications import Announcement, Channel, State, Tally, Topic

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> CliSite:
    site = CliSite(tmp_path)
    site.configure(
        f'[spool]\ndirectory = "{tmp_path}/vm-ari"\n[store]\nmaildir = "{tmp_path}/mail"\n'
        '[mail]\nsender = "voicemail@example.org"\n[mail.smtp]\nhost = "127.0.0.1"\nport = 9\n'
        'security = "none"\n[defaults]\nnotify_fax = "mail"\n'
    )
    for name, number in (("anna", "101"), ("bert", "102")):
        site.run("users", "add", name, "--number", f"+4930555{number}", f"name={name.title()}")
    return site


def shown(site: CliSite, user: str) -> dict[tuple[str, str], dict[str, Any]]:
    rows = site.ask("notifications", "show", user)
    return {(row["topic"], row["channel"]): row for row in rows}


def remember(site: CliSite, user: str, state: State) -> None:
    async def run() -> None:
        book = DatabaseNoticeBook(f"sqlite:///{site.base}/directory.db")
        await book.note(user, lambda _: (state, None))
        await book.close()

    asyncio.run(run())


def remembered(site: CliSite, user: str) -> State:
    found: list[State] = []

    async def run() -> None:
        book = DatabaseNoticeBook(f"sqlite:///{site.base}/directory.db")

        def look(before: State | None) -> tuple[State, None]:
            found.append(before or {})
            return before or {}, None

        await book.note(user, look)
        await book.close()

    asyncio.run(run())
    return found[0]


@pytest.mark.feature("NOTIFY-04")
def test_show_tells_whose_value_it_is_and_what_is_in_the_way(site: CliSite) -> None:
    site.run("users", "set", "anna", "notify_voice=lamp,sms", "notify_voice_from=3")
    rows = shown(site, "anna")
    lamp = rows["voice", "lamp"]
    assert (lamp["chosen"], lamp["origin"], lamp["obstacle"]) == (True, "user", "")
    assert (lamp["from"], lamp["from_origin"]) == (3, "user")
    assert "gateway" in rows["voice", "sms"]["obstacle"]
    fax = rows["fax", "mail"]
    assert (fax["chosen"], fax["origin"], fax["obstacle"]) == (True, "site", "no mail address")
    assert (fax["from"], fax["from_origin"]) == (1, "default")
    assert not rows["text", "mail"]["chosen"]
    site.run("users", "set", "anna", "mail=anna@example.org", "notify_voice=")
    assert shown(site, "anna")["fax", "mail"]["obstacle"] == ""
    assert shown(site, "anna")["voice", "lamp"]["origin"] == "default"
    site.configure(
        f'[spool]\ndirectory = "{site.base}/vm-ari"\n[mail.smtp]\nhost = "127.0.0.1"\n'
        '[sms]\nway = "mail"\nmail_address = "$(phonenumber)@sms.example.org"\n'
    )
    assert "mobile" in shown(site, "anna")["voice", "sms"]["obstacle"]
    site.run("users", "set", "anna", "mobile=+4915112345678")
    assert shown(site, "anna")["voice", "sms"]["obstacle"] == ""
    site.run("users", "set", "anna", "notifications=no")
    assert "switched off" in shown(site, "anna")["voice", "lamp"]["obstacle"]


@pytest.mark.feature("NOTIFY-06")
def test_a_reset_of_settings_gives_the_defaults_back(site: CliSite) -> None:
    site.run(
        "users", "set", "anna", "notify_voice=none", "sms_number=+4915112345678", "language=de"
    )
    site.run("users", "set", "bert", "notify_voice=mail")
    dry = site.ask("notifications", "reset", "--settings", "--all", "--dry-run")
    assert [row["settings"] for row in dry] == [["notify_voice", "sms_number"], ["notify_voice"]]
    site.run("notifications", "reset", "--settings", "anna", typed="2\n", code=1)
    assert not shown(site, "anna")["voice", "lamp"]["chosen"]
    said = site.run("notifications", "reset", "--settings", "anna", typed="1\n").output
    assert "1 settings removed" in said
    assert shown(site, "anna")["voice", "lamp"]["origin"] == "default"
    assert shown(site, "bert")["voice", "mail"]["origin"] == "user"
    [row] = site.ask("users", "show", "anna")
    assert row["settings"] == {"language": "de"}
    site.run("users", "set", "anna", "notify_fax=lamp")
    site.run("notifications", "reset", "--settings", "--all", "--yes-i-mean", "2")
    rows = [row for user in ("anna", "bert") for row in site.ask("users", "show", user)]
    assert [row["settings"] for row in rows] == [{"language": "de"}, {}]


@pytest.mark.feature("NOTIFY-06")
def test_a_reset_of_counters_is_for_everybody_who_is_chosen(site: CliSite) -> None:
    state = {Topic.VOICE: Tally(seen=4), Topic.FAX: Tally(seen=1)}
    for user in ("anna", "bert"):
        remember(site, user, state)
    site.run("notifications", "reset", "--counters", "-u", "an*", "--yes-i-mean", "1")
    assert {t: one.counter for t, one in remembered(site, "anna").items()} == {
        Topic.VOICE: 0,
        Topic.FAX: 0,
    }
    assert remembered(site, "bert") == state
    [first, second] = site.ask("notifications", "reset", "--counters", "--all", "--yes-i-mean", "2")
    assert (first["counters"], second["counters"]) == (True, True)
    assert remembered(site, "bert")[Topic.VOICE].counter == 0


@pytest.mark.parametrize("words", [["--all"], ["--counters"], ["--counters", "-u", "x*"]])
def test_a_reset_must_say_what_and_for_whom(site: CliSite, words: list[str]) -> None:
    result = site.run("notifications", "reset", *words, code=1 if "-u" in words else 2)
    assert (
        "--all" in result.output or "--counters" in result.output or "users list" in result.output
    )


def test_a_trial_is_queued_and_what_cannot_work_is_named(site: CliSite) -> None:
    site.run("notifications", "test", "anna", code=1)
    site.run("users", "set", "anna", "mail=anna@example.org", "notify_voice=lamp,mail,sms")
    result = site.run("notifications", "test", "anna", "-o", "json", code=5)
    assert '"kept"' in result.output
    assert "gateway" in result.output
    waiting = [p for p in (site.base / "vm-ari" / "system-mails").rglob("*") if p.is_file()]
    assert waiting
    assert site.ask("notifications", "test", "anna", "--channel", "mail")[0]["result"] == "kept"


def test_check_says_whom_nothing_reaches_and_what_is_late(site: CliSite) -> None:
    site.run("users", "set", "anna", "notify_voice=lamp,mail,sms")
    first = site.run("check", "--only", "notices").output
    assert "2 users are not told by mail as chosen: no mail address" in first
    assert "1 user is not told by sms as chosen" in first
    assert "no notice is late" in first
    counts = Counts(new_voice=1)
    late = Announcement("0" * 24, "anna", "gone", LONG_AGO, counts, {Channel.MAIL: {}})

    async def run() -> None:
        book = DatabaseNoticeBook(f"sqlite:///{site.base}/directory.db")
        await book.note("anna", lambda _: ({}, late))
        await book.close()

    asyncio.run(run())
    assert "1 notices wait" in site.run("check", "--only", "notices", code=1).output
