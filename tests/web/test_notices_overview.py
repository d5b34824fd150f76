"""Overviews of notices and missed calls: what was told, what is in the way, and resets (WEB-02)."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.adapters.journal_contract import entry as journal_entry
from tests.web.portal_house import ADAM, ANNA, BERT, CORA, OLGA, House, in_house
from tests.web.test_users_pages import visitor
from tests.web.test_words import TEXTS
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.adapters.missed_call_log import DatabaseCallLog
from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.callers import Caller
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.entries import Entry
from vm_ari.domain.journal import Kind, Result
from vm_ari.domain.live_calls import Doing
from vm_ari.domain.log_lines import LogKind
from vm_ari.domain.missed_call_records import Case, Fate, key_of
from vm_ari.domain.missed_calls import Outcome
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.notifications import Channel, Tally, Topic
from vm_ari.domain.ringing import Ring, RungCall
from vm_ari.web.overview_parts import OverviewParts
from vm_ari.web.pages.logs import LEVELS

PEOPLE = {ANNA: "Anna Acker", BERT: "Bert Bauer", CORA: "Cora Curie"}


def parts_of(house: House) -> OverviewParts:
    return next(one for one in house.portal.parts.more if isinstance(one, OverviewParts))


async def told(house: House, tmp_path: Path) -> None:
    """Each of them by SMS, and a call to each is being tried in vain."""
    journal = DatabaseJournal(f"sqlite:///{tmp_path}/directory.db")
    facts = {"kind": Kind.NOTIFICATION, "result": Result.QUEUED, "called": "sms"}
    await journal.write(
        [
            journal_entry(number, user_id=user_id, why=f"New: {number}7 voice.", **facts)
            for number, user_id in enumerate(PEOPLE, 1)
        ]
    )
    await journal.close()
    queue = NoticeQueue(tmp_path / "spool" / "vm-ari" / "notices", KeyRing(tmp_path / "keys"))
    for user_id in PEOPLE:
        job = NoticeJob(f"job{user_id}", Channel.CALL, user_id, house.clock.now(), {})
        await queue.add(job)
        await queue.hold(job, Attempts(failed=3, last_error=f"{user_id} is busy"))
    queue.close()


async def counted(house: House, user_id: str) -> None:
    """Three new messages."""
    notices = parts_of(house).notices
    assert notices
    await notices.book.note(user_id, lambda _before: ({Topic.VOICE: Tally(seen=3)}, None))
    await house.directory.change_settings(user_id, {"notify_voice": "lamp, sms"})


async def counter(house: House, user_id: str) -> int:
    notices = parts_of(house).notices
    assert notices
    state = await notices.state(user_id)
    assert state
    return state[Topic.VOICE].counter


def test_of_notices_everybody_sees_those_of_his_users(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await told(house, tmp_path)
        for who, seen in ((OLGA, {ANNA, BERT}), (ADAM, {BERT})):
            page = (await (await visitor(house, who)).sees("/notices")).text
            for number, (user_id, name) in enumerate(PEOPLE.items(), 1):
                there = user_id in seen
                assert (name in page) is there, (who, name)
                assert (f"New: {number}7 voice." in page) is there
                assert (f"{user_id} is busy" in page) is there
        adam = await visitor(house, ADAM)
        assert "/users/bert/notices" in (await adam.sees("/notices?q=bauer")).text
        assert "/users/anna/notices" not in (await adam.sees("/notices?q=acker")).text

    in_house(tmp_path, story)


@pytest.mark.feature_part("NOTIFY-06", "resets of one user, or of all, in the portal")
def test_one_user_is_seen_and_reset(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await told(house, tmp_path)
        await counted(house, BERT)
        adam, path = await visitor(house, ADAM), "/users/bert/notices"
        page = (await adam.sees(path)).text
        for words in ("3 new since the last reset, of 3", "cannot be used:", "bert is busy"):
            assert words in page
        assert "New: 27 voice." in page
        assert "New: 17 voice." not in page
        assert (await adam.sends(path, what="all")).status_code == 422
        await adam.sends(path, what="counters")
        page = (await adam.sees(path)).text
        assert "The counters begin at zero." in page
        assert "0 new since the last reset, of 3" in page
        await adam.sends(path, what="settings")
        assert "SMS" not in (await adam.sees(path)).text.partition("<details>")[0]
        bert = await house.directory.entry_by_id(BERT)
        assert bert
        assert "notify_voice" not in bert.settings
        forbidden = await adam.sees("/users/anna/notices")
        assert forbidden.status_code == HTTPStatus.FORBIDDEN

    in_house(tmp_path, story)


@pytest.mark.feature_part("NOTIFY-06", "resets of one user, or of all, in the portal")
def test_all_are_reset_only_when_their_number_is_typed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for user_id in (ANNA, BERT, CORA):
            await counted(house, user_id)
        adam, asked = await visitor(house, ADAM), {"counters": "yes", "settings": "yes"}
        assert "Say what shall be reset" in (await adam.sends("/notices", do="look")).text
        assert "Type 2 to go on" in (await adam.sends("/notices", do="look", **asked)).text
        await adam.sends("/notices", do="begin", count="5", **asked)
        assert await counter(house, BERT) == 3
        await adam.sends("/notices", do="begin", count="2", **asked)
        while "Ended" not in (await adam.sees("/notices")).text:
            await asyncio.sleep(0)
        assert [await counter(house, one) for one in (ANNA, BERT, CORA)] == [3, 0, 3]
        settings = {one: await house.directory.entry_by_id(one) for one in (ANNA, BERT)}
        assert [bool(one and one.settings) for one in settings.values()] == [True, False]

    in_house(tmp_path, story)


async def rang(house: House, tmp_path: Path, numbers: Iterable[int], *fates: Fate) -> None:
    """A call for each number, so many hours ago."""
    log = DatabaseCallLog(f"sqlite:///{tmp_path}/directory.db")
    for number in numbers:
        began = house.clock.now() - timedelta(hours=number)
        ended = began + timedelta(seconds=12)
        rings = (Ring(f"10{number}", began, ended),)
        eve = Caller(f"+4930{number}", "<i>Eve</i>")
        call = RungCall(f"c.{number}", eve, "100", began, ended, rings)
        await log.remember(call, began)
        if fates:
            await log.finish(Case(key_of(call), call), fates)
    await log.close()


def test_of_missed_calls_everybody_sees_what_concerns_his_users(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        both = (Fate(ANNA, Outcome.TOLD), Fate(BERT, Outcome.SAME_DAY))
        await rang(house, tmp_path, [1], *both)
        await rang(house, tmp_path, [2], Fate(CORA, Outcome.NO_ADDRESS))
        await rang(house, tmp_path, [3])
        olga = (await (await visitor(house, OLGA)).sees("/missed-calls")).text
        assert "Calls are not followed" in olga
        for words in ("Anna Acker", "a mail was written", "on the same day", "+49301", "12 s"):
            assert words in olga
        assert "It is decided in a moment." in olga
        for words in ("Cora", "+49302", "<i>"):
            assert words not in olga
        adam = await visitor(house, ADAM)
        for address in ("/missed-calls", "/missed-calls?user=bert", "/missed-calls?user=anna"):
            page = (await adam.sees(address)).text
            assert "Bert Bauer</a>: no mail: was told of this caller on the same day" in page
            for words in ("Anna", "a mail was written", "+49302", "+49303"):
                assert words not in page, address

    in_house(tmp_path, story)


def test_missed_calls_are_paged_and_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await rang(house, tmp_path, range(1, 33), Fate(ANNA, Outcome.TOLD))
        olga = await visitor(house, OLGA)
        page = (await olga.sees("/missed-calls?user=anna&before=nonsense")).text
        assert page.count("a mail was written") == 30
        older = page[page.index("/missed-calls?user=anna&amp;before=") :].split('"')[0]
        page = (await olga.sees(older.replace("&amp;", "&"))).text
        assert page.count("a mail was written") == 2

    in_house(tmp_path, story)

    async def away(house: House) -> None:
        answer = await (await visitor(house, OLGA)).sees("/missed-calls")
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
        assert "does not answer just now" in answer.text

    in_house(tmp_path / "away", away, missed_calls={"url": f"sqlite:///{tmp_path}"})


def test_an_administrator_of_many_users_chooses_one_first(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        many = [Entry(f"north{n:03}", f"Nora {n}", organisation="north") for n in range(200)]
        await house.directory.add_entries(many)
        await rang(house, tmp_path, [1], Fate(BERT, Outcome.TOLD))
        adam = await visitor(house, ADAM)
        for path in ("/notices", "/missed-calls"):
            assert "too many users to show them all" in (await adam.sees(path)).text
        assert "/missed-calls?user=bert" in (await adam.sees("/missed-calls?q=bert")).text
        assert "a mail was written" in (await adam.sees("/missed-calls?user=bert")).text

    in_house(tmp_path, story)


def test_the_words_that_these_pages_put_together_are_there() -> None:
    there = set(TEXTS.by_language["en"])
    put_together = {
        *(f"live-calls.doing.{one.value}" for one in Doing),
        *(f"logs.kind.{one.value}" for one in LogKind),
        *(f"logs.level.{one}" for one in LEVELS),
        *(f"missed-calls.outcome.{one.value}" for one in Outcome),
        *(f"notices.topic.{one.value}" for one in Topic),
        *(f"notices.channel.{one.value}" for one in Channel),
        *(f"notices.done-{one}" for one in ("counters", "settings")),
        *(f"system.kept.{one}" for one in ("spool", "greetings", "store", "logs", "directory")),
        *(f"system.kept.{one}" for one in ("journal", "notices", "missed-calls", "portal")),
        *(f"system.clock-{one}" for one in ("kept", "free", "unknown")),
    }
    assert put_together <= there, put_together - there
