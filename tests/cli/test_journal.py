"""``vm-ari journal``: listed, searched, exported, swept."""

import asyncio
import csv
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.adapters.journal_contract import entry
from tests.cli.site import CliSite
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import JournalEntry, Kind, Result

EVIL = '=HYPERLINK("https://evil.example")'


def site_with(base: Path, *entries: JournalEntry, more: str = "") -> CliSite:
    site = CliSite(base)
    site.configure(more)

    async def fill() -> None:
        store = DatabaseJournal(f"sqlite:///{base}/directory.db")
        await store.write(entries)
        await store.close()

    asyncio.run(fill())
    return site


def ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["id"] for row in rows]


def test_entries_are_listed_and_searched(tmp_path: Path) -> None:
    entries = [
        entry(1),
        entry(2, user_id="bert", result=Result.MESSAGE_LEFT, message_id="<2@x>"),
        entry(3, kind=Kind.MISSED_CALL, caller=Caller("+4930555103", "Eva")),
        entry(4, user_id="bert", entrusted=True),
    ]
    site = site_with(tmp_path, *entries)
    for words, numbers in (
        ((), [3, 2, 1]),
        (("--user", "bert"), [2]),
        (("--number", "103"), [3]),
        (("--number", "(089) 123 45 67"), [2, 1]),
        (("--name", "mull jör"), [2, 1]),
        (("--kind", "missed-call"), [3]),
        (("--result", "message-left"), [2]),
        (("--message",), [2]),
        (("--since", "2026-03-04 12:02"), [3, 2]),
        (("--until", "2026-03-04"), []),
        (("--limit", "1"), [3]),
    ):
        assert ids(site.ask("journal", "list", *words)) == [entry(n).id for n in numbers], words
    assert "There are older ones" in site.run("journal", "list", "--limit", "2").output
    shown = site.run("journal", "show", entry(2).id).output
    assert "message-left" in shown
    assert ["mailbox", "101"] in [line.split() for line in shown.splitlines()]
    assert site.run("journal", "show", entry(4).id, code=1).stderr == (
        f"There is no entry {entry(4).id}.\n"
    )


def test_what_cannot_be_looked_for_is_said(tmp_path: Path) -> None:
    site = site_with(tmp_path)
    assert "no telephone number" in site.run("journal", "list", "--number", "x", code=1).stderr
    assert "at least 3 letters" in site.run("journal", "list", "--name", "J", code=1).stderr
    assert "there are unknown" in site.run("journal", "list", "--result", "x", code=2).stderr


@pytest.mark.feature_part("STORE-05", "the journal is exported for spreadsheets and programs")
def test_nothing_in_an_export_is_a_formula(tmp_path: Path) -> None:
    site = site_with(tmp_path, *(entry(n, caller=Caller("+49891", EVIL)) for n in range(700)))
    site.run("journal", "export", tmp_path / "all.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text())))
    assert len(rows) == 700
    assert {(row["caller_number"], row["caller_name"]) for row in rows} == {("'+49891", f"'{EVIL}")}
    lines = site.run("journal", "export", "-o", "json", "--user", "anna").stdout.splitlines()
    assert ids([json.loads(line) for line in lines]) == [entry(n).id for n in reversed(range(700))]
    assert site.run("journal", "list", "-o", "csv", "--limit", "3").stdout.count("'=HYPER") == 3


@pytest.mark.feature_part("STORE-05", "old entries go into the archive, and then away")
def test_a_sweep_forgets_what_is_due(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    entries = [entry(n, started=now - timedelta(days=10 * n)) for n in range(6)]
    more = f"[journal]\ndays = 35\nshorten_numbers_after_days = 15\narchive = '{tmp_path}/old'\n"
    site = site_with(tmp_path, *entries, more=more)
    told = "2 removed, the numbers of 2 shortened\n"
    assert site.run("journal", "sweep").stdout == told
    assert site.run("journal", "sweep").stdout.startswith("0 removed, the numbers of 0")
    [file] = (tmp_path / "old").glob("*.jsonl.gz")
    assert gzip.decompress(file.read_bytes()).count(b"\n") == 2
    numbers = [row["caller_number"] for row in site.ask("journal", "list")]
    assert numbers == ["+49891234567", "+49891234567", "…567", "…567"]


def test_a_journal_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    site = CliSite(tmp_path)
    site.configure("[journal]\nurl = 'postgresql+psycopg://vmari@127.0.0.1:1/x'\n")
    assert "The database of the journal" in site.run("journal", "list", code=4).stderr
    site.configure("[journal]\nurl = 'nonsense'\n")
    assert "journal.url: " in site.run("journal", "list", code=3).stderr
