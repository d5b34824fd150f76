"""The journal of a mass reset knows after any crash who is done."""

import asyncio
import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vm_ari.adapters import work_journal
from vm_ari.adapters.reset_journal import ResetJournal
from vm_ari.domain.mass_reset import JournalInUse, JournalUnusable, Order, Outcome, sums_of

HERE = "ldaps://ldap.example.org ou=people,dc=example,dc=org"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
USERS = ("anna", "bert", "zoë", 'a "quoted" one', "u\u2028line")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journals" / "one.jsonl"


def begin(path: Path, users: tuple[str, ...] = USERS) -> ResetJournal:
    """A new journal."""
    return ResetJournal.create(path, HERE, Order(new_pin=True), users)


def outcomes(journal: ResetJournal) -> dict[str, Outcome]:
    """What it knows."""
    return {item.user: item.outcome for item in journal.items}


async def some_work(journal: ResetJournal) -> None:
    """Three have ended, one has begun."""
    for user, outcome in zip(USERS, (Outcome.DONE, Outcome.UNCHANGED), strict=False):
        await journal.begin(user, NOON)
        await journal.end(user, outcome)
    await journal.begin(USERS[2], NOON)
    await journal.end(USERS[2], Outcome.FAILED, "away\x1b[2J\nnow", unsure=True)
    await journal.begin(USERS[3], NOON)


def test_who_is_done_is_known_after_a_crash(path: Path) -> None:
    journal = begin(path)
    asyncio.run(some_work(journal))
    journal.close()
    again = ResetJournal.open(path, HERE)
    assert again.items == journal.items
    assert again.head == journal.head
    assert again.head.order == Order(new_pin=True)
    assert [item.begun for item in again.items] == [None, None, NOON, NOON, None]
    assert sums_of(again.items).open == 2
    assert again.items[2].reason == "away [2J now"
    again.close()


def test_it_holds_ids_and_results_and_is_for_us_alone(path: Path) -> None:
    journal = begin(path)
    asyncio.run(some_work(journal))
    journal.close()
    keys = {key for line in path.read_text().split("\n")[:-1] for key in json.loads(line)}
    assert keys == {
        *("journal", "version", "directory", "order", "users", "written", "user", "complete"),
        *("try", "what", "at", "end", "result", "reason", "unsure"),
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_after_a_crash_at_any_byte_nothing_that_was_noted_is_forgotten(path: Path) -> None:
    journal = begin(path)
    beginning = path.stat().st_size
    asyncio.run(some_work(journal))
    journal.close()
    whole = path.read_bytes()
    for length in range(len(whole) + 1):
        path.write_bytes(whole[:length])
        if length < beginning:
            with pytest.raises(JournalUnusable, match="had not begun"):
                ResetJournal.open(path, HERE)
            continue
        torn = ResetJournal.open(path, HERE)
        ended = whole[:length].count(b'"unsure": true}\n') + whole[:length].count(
            b'"result": "done"}\n'
        )
        assert ended == sum(o in {Outcome.DONE, Outcome.FAILED} for o in outcomes(torn).values())
        asyncio.run(torn.begin("anna", NOON))
        torn.close()
        ResetJournal.open(path, HERE).close()


def test_two_cannot_work_on_it(path: Path) -> None:
    journal = begin(path)
    with pytest.raises(JournalInUse, match="another reset works on it"):
        ResetJournal.open(path, HERE)
    journal.close()
    ResetJournal.open(path, HERE).close()


def test_a_second_one_never_overwrites_the_first(path: Path) -> None:
    begin(path).close()
    before = path.read_bytes()
    with pytest.raises(JournalUnusable, match="exists"):
        begin(path)
    assert path.read_bytes() == before


def test_the_journal_of_another_directory_is_refused(path: Path) -> None:
    begin(path).close()
    with pytest.raises(JournalUnusable, match="belongs to another directory"):
        ResetJournal.open(path, "sqlite:////var/lib/vm-ari/directory.db")
    ResetJournal.open(path, HERE).close()  # and nobody holds its lock


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("vm-ari welcome reset", "vm-ari users import"),
            "it was written by “vm-ari users import”",
        ),
        (('"version": 1', '"version": 2'), "version 2"),
        (("welcome new-pin", "welcome rm"), "no order"),
        (('{"user": "bert"}', '{"user": "anna"}'), "line 3"),
        (('{"user": "bert"}', '{"user": 7}'), "line 3"),
        (('{"user": "bert"}', "{"), "line 3"),
        (('{"complete": 5}', '{"complete": 4}'), "line 7"),
        (('"users": 5', '"users": 4'), "line 7"),
        (('{"end": "anna"', '{"end": "anni"'), "line 9"),
        (('"result": "done"', '"result": "dome"'), "line 9"),
        (('{"try": "anna"', '{"user": "anna"'), "line 8"),
        (("T12:00:00+00:00", "T12:00:00"), "a time without a zone"),
    ],
)
def test_what_is_no_journal_of_ours_is_refused(
    path: Path, change: tuple[str, str], told: str
) -> None:
    journal = begin(path)
    asyncio.run(some_work(journal))
    journal.close()
    text = path.read_text(encoding="utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(JournalUnusable, match=told):
        ResetJournal.open(path, HERE)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\n", b"[]\n", b"{}\n", b"no journal\n"])
def test_any_other_file_is_refused_and_stays_as_it_is(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(JournalUnusable):
        ResetJournal.open(path, HERE)
    assert path.read_bytes() == content
    with pytest.raises(JournalUnusable, match="No such file"):
        ResetJournal.open(path.with_name("none"), HERE)
    path.with_name("link").symlink_to(path)
    with pytest.raises(JournalUnusable, match="cannot be used"):
        ResetJournal.open(path.with_name("link"), HERE)


def test_lines_that_come_together_are_all_on_the_disk(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tuple(f"u{number}" for number in range(200))
    journal = begin(path, users)
    syncs: list[int] = []

    def counting(descriptor: int) -> None:
        syncs.append(descriptor)
        os.fsync(descriptor)

    class Os:
        """The module, with an fsync that is counted."""

        fsync = staticmethod(counting)
        write = staticmethod(os.write)

    async def one(user: str) -> None:
        await journal.begin(user, NOON)
        assert f'{{"try": "{user}"'.encode() in path.read_bytes()
        await journal.end(user, Outcome.DONE)
        assert f'{{"end": "{user}"'.encode() in path.read_bytes()

    async def all_at_once() -> None:
        await asyncio.gather(*(one(user) for user in users))

    monkeypatch.setattr(work_journal, "os", Os)
    asyncio.run(all_at_once())
    monkeypatch.undo()
    assert 0 < len(syncs) < len(users)
    journal.close()
    again = ResetJournal.open(path, HERE)
    assert set(outcomes(again).values()) == {Outcome.DONE}
    again.close()


def test_nothing_is_begun_when_the_disk_is_full(path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("NOT TESTED: there is no /dev/full")
    journal = begin(path)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._lines._file)
    os.close(full)

    async def work() -> None:
        for _ in range(2):
            with pytest.raises(JournalUnusable, match="No space left"):
                await journal.begin("anna", NOON)

    asyncio.run(work())
    assert set(outcomes(journal).values()) == {Outcome.OPEN}
    assert journal.items[0].begun is None
    journal.close()
