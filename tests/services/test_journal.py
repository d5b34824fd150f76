"""The journal beside the calls: written in the background, read with rights, swept in time."""

import asyncio
import gzip
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.adapters.journal_contract import ANNA, BERT, NOON, OPERATOR, SITE, entry
from tests.clock import run_virtually
from tests.dialogues.exchange import ANNA as USER_ANNA
from tests.dialogues.exchange import message
from tests.fake_journal import FakeJournalStore
from tests.fakes import FakeDirectory, FakeMailboxes
from vm_ari.adapters.journal_archive import JournalArchive
from vm_ari.domain.journal import BadSearch, JournalEntry, Kind, Result, Search, Viewer, shortened
from vm_ari.ports import JournalUnavailable, MessageGone
from vm_ari.services.journal import Journals
from vm_ari.services.journal_keeping import AT_ONCE, JournalKeeping, Retention, Swept
from vm_ari.services.journal_writing import JournalWriter


class _Noon:
    def now(self) -> datetime:
        return NOON


# --- writing


def test_nobody_waits_while_the_database_is_away_and_nothing_is_lost() -> None:
    store = FakeJournalStore(unavailable=True)
    writer = JournalWriter(store)

    async def story() -> None:
        running = asyncio.create_task(writer.run())
        for number in range(1200):
            await writer.note(entry(number))
        assert asyncio.get_running_loop().time() == 0
        await asyncio.sleep(100)
        assert store.entries == {}
        store.unavailable = False
        await asyncio.sleep(60)
        running.cancel()

    with capture_logs() as logs:
        run_virtually(story())
    assert len(store.entries) == 1200
    assert {line["event"] for line in logs} == {"journal not written"}


def test_more_than_fits_is_lost_and_counted() -> None:
    store = FakeJournalStore(unavailable=True)
    writer = JournalWriter(store, most_waiting=10)

    async def story() -> None:
        running = asyncio.create_task(writer.run())
        for number in range(25):
            await writer.note(entry(number))
        await writer.note(entry(3, called="changed"))  # of one that waits: not one more
        await asyncio.sleep(10)
        store.unavailable = False
        await asyncio.sleep(60)
        running.cancel()

    with capture_logs() as logs:
        run_virtually(story())
    assert sorted(store.entries) == [entry(n).id for n in range(10)]
    assert store.entries[entry(3).id].called == "changed"
    assert [line["entries"] for line in logs if line["event"].endswith("lost")] == [15]


def test_a_stop_writes_what_waits_and_says_what_is_lost() -> None:
    async def story(store: FakeJournalStore, *, away: bool) -> None:
        writer = JournalWriter(store)
        running = asyncio.create_task(writer.run())
        await asyncio.sleep(0)
        for number in range(700):
            await writer.note(entry(number))
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        store.unavailable = away
        await writer.close()

    for away in (False, True):
        store = FakeJournalStore()
        with capture_logs() as logs:
            run_virtually(story(store, away=away))
        assert len(store.entries) == (0 if away else 700)
        assert [line["entries"] for line in logs if "lost" in line["event"]] == [700] * away


def test_one_entry_that_no_database_takes_does_not_stop_the_others() -> None:
    class Picky(FakeJournalStore):
        async def write(self, entries: object) -> None:
            assert isinstance(entries, list)
            if any(one.called == "poison" for one in entries):
                raise ValueError("no")
            await super().write(entries)

    store = Picky()
    writer = JournalWriter(store)

    async def story() -> None:
        for number in range(5):
            await writer.note(entry(number, called="poison" if number == 2 else "101"))
        await writer.close()

    run_virtually(story())
    assert sorted(store.entries) == [entry(n).id for n in (0, 1, 3, 4)]


# --- reading


def journals(*entries: JournalEntry, mailboxes: FakeMailboxes | None = None) -> Journals:
    store = FakeJournalStore(entries={one.id: one for one in entries})
    directory = FakeDirectory(USER_ANNA)
    return Journals(store, (SITE,), directory=directory, mailboxes=mailboxes or FakeMailboxes())


def test_pages_follow_each_other() -> None:
    reading = journals(*(entry(n) for n in range(12)))

    async def story() -> list[str]:
        seen, after, pages = [], "", 0
        while True:
            page = await reading.entries_for(ANNA, after=after, limit=5)
            seen += [one.id for one in page.entries]
            pages += 1
            if not (after := page.older):
                assert pages == 3
                return seen

    assert run_virtually(story()) == [entry(n).id for n in reversed(range(12))]


@pytest.mark.parametrize("token", ["x", "ÿ", "AAAA", "bm93IG5v", "=" * 5000])
def test_no_token_of_somebody_else_does_any_harm(token: str) -> None:
    with pytest.raises(BadSearch):
        run_virtually(journals(entry()).entries_for(ANNA, after=token))


def test_what_cannot_be_looked_for_is_said() -> None:
    reading = journals(entry())
    for search in (Search(number="abc"), Search(name="Jo Müller"), Search(name="--")):
        with pytest.raises(BadSearch):
            run_virtually(reading.entries_for(ANNA, search))


@pytest.mark.feature_part("STORE-02", "only the default recipient sees such messages")
def test_what_was_left_for_nobody_only_the_default_recipient_sees() -> None:
    got = entry(1, user_id="bert", entrusted=True, message_id="<1@pbx>")
    waits = entry(2, user_id="", entrusted=True, message_id="<2@pbx>")
    reading = journals(got, waits)
    admin = Viewer("olga", people=frozenset({"bert"}), everybody=True)

    async def story() -> None:
        for viewer in (OPERATOR, ANNA, admin, Viewer("")):
            assert (await reading.entries_for(viewer)).entries == ()
            assert await reading.entry_for(viewer, got.id) is None
            with pytest.raises(MessageGone):
                async with reading.open_message(viewer, got.id):
                    pass
            assert [one async for one in reading.export(viewer)] == []
        assert (await reading.entries_for(BERT)).entries == (got,)
        assert await reading.entry_for(BERT, got.id) == got

    run_virtually(story())


def test_the_message_of_an_entry_can_be_handled() -> None:
    mailboxes, left = FakeMailboxes(), entry(1, message_id="<uid1@pbx>")
    mailboxes.put(USER_ANNA, message("uid1"), "/audio.wav")
    reading = journals(left, mailboxes=mailboxes)

    async def story() -> None:
        assert await reading.message_of(left) == "uid1"
        async with reading.open_message(ANNA, left.id) as found:
            await found.mailbox.mark(found.uid, new=False)
            await found.mailbox.delete(found.uid)
        assert await reading.message_of(left) is None
        assert await reading.message_of(replace(left, message_id="")) is None
        for viewer in (ANNA, BERT, OPERATOR):  # gone; of somebody else; seen, but not heard
            with pytest.raises(MessageGone):
                async with reading.open_message(viewer, left.id):
                    pass

    run_virtually(story())


def test_an_administrator_hears_messages_only_where_he_acts_for_the_user() -> None:
    mailboxes, left = FakeMailboxes(), entry(1, message_id="<uid1@pbx>")
    mailboxes.put(USER_ANNA, message("uid1"), "/audio.wav")
    reading = journals(left, mailboxes=mailboxes)

    async def story() -> None:
        async with reading.open_message(Viewer("a", people=frozenset({"anna"})), left.id) as found:
            assert found.uid == "uid1"
        with pytest.raises(MessageGone):
            async with reading.open_message(OPERATOR, left.id):
                pass

    run_virtually(story())


# --- forgetting


def test_a_sweep_archives_removes_and_shortens(tmp_path: Path) -> None:
    days = [entry(n, started=NOON - timedelta(days=n // 10)) for n in range(1000)]
    store = FakeJournalStore(entries={one.id: one for one in days})
    archive = JournalArchive(tmp_path / "archive")
    retention = Retention(days=30, days_of_numbers=7)
    keeping = JournalKeeping(store, _Noon(), retention, archive.keep)
    swept = run_virtually(keeping.sweep())
    old = [one for one in days if one.started < datetime(2026, 2, 2, tzinfo=UTC)]
    assert swept == Swept(removed=len(old), shortened=1000 - len(old) - 80)
    assert run_virtually(keeping.sweep()) == Swept()
    assert len(old) > AT_ONCE
    [file] = (tmp_path / "archive").iterdir()
    lines = [json.loads(line) for line in gzip.decompress(file.read_bytes()).splitlines()]
    assert [line["id"] for line in lines] == [
        one.id for one in sorted(old, key=lambda e: (e.started, e.id))
    ]
    assert lines[0]["caller_number"] == "+49891234567"
    assert (tmp_path / "archive").stat().st_mode & 0o777 == 0o700


def test_what_cannot_be_archived_stays(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = FakeJournalStore(entries={"x": entry(1, id="x", started=NOON - timedelta(days=99))})
    archive = JournalArchive(tmp_path / "file")
    with pytest.raises(JournalUnavailable, match=r"The archive: .*file"):
        run_virtually(JournalKeeping(store, _Noon(), Retention(days=1), archive.keep).sweep())
    assert list(store.entries) == ["x"]


def test_nothing_is_forgotten_where_the_site_wants_to_keep_it() -> None:
    store = FakeJournalStore(entries={"x": entry(1, id="x", started=NOON - timedelta(days=9999))})
    assert run_virtually(JournalKeeping(store, _Noon(), Retention()).sweep()) == Swept()
    assert list(store.entries) == ["x"]


def test_numbers_of_what_was_sent_are_shortened_too() -> None:
    sent = entry(kind=Kind.MESSAGE_SENT, called="+49301234567", result=Result.SENT)
    assert shortened(sent).called == "…567"
    assert shortened(replace(sent, called="a@b.example, c@d.example")).called == "…"
    assert shortened(shortened(sent)) == shortened(sent)
