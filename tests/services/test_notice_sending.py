"""Notices are sent until they are there: once, in order, not for ever, and not all at once."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.clock import run_virtually
from tests.dialogues.exchange import START
from tests.services.notice_house import House, Outside
from vm_ari.domain.notice_jobs import Fate, Lane, Later, NoticeJob, Over, Pace, Refused
from vm_ari.ports import DeliveryPostponed, NoticeNotKept

DOWN = Later("503 down")
MINUTES = timedelta(minutes=1)
EACH, LATEST = Pace(Lane.EACH), Pace(Lane.LATEST)
CALLS = Pace(
    Lane.FIRST,
    first=10 * MINUTES,
    longest=10 * MINUTES,
    give_up=timedelta(days=7),
    most_tries=3,
    counted_first=True,
    kept_in_vain=False,
)


def run(
    place: Path, story: Callable[[House], Coroutine[Any, Any, None]], outside: Outside
) -> Outside:
    """On a virtual clock."""

    async def whole() -> None:
        await story(House(place, outside))

    run_virtually(whole())
    return outside


def after(times: int, fate: Fate = DOWN) -> Callable[[NoticeJob], Fate]:
    """The first tries fail so."""
    left = [times]

    def answer(_job: NoticeJob) -> Fate:
        left[0] -= 1
        return fate if left[0] >= 0 else Over()

    return answer


def test_an_occasion_is_told_once_however_often_it_is_kept(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.tell("one", occasion="x")
        await house.tell("one again", occasion="x")
        await house.goes_on_for(1)
        await house.tell("one again", occasion="x")
        house.start_anew()
        await house.tell("one again", occasion="x")
        await house.goes_on_for(1)
        assert await house.waiting() == []

    assert run(tmp_path, story, Outside()).texts == ["one"]


def test_what_waits_goes_out_after_the_process_has_died(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for text in ("one", "two", "three"):
            await house.tell(text)
        house.start_anew()
        await house.goes_on_for(1)
        assert await house.waiting() == []

    assert run(tmp_path, story, Outside()).texts == ["one", "two", "three"]


@pytest.mark.parametrize(("pace", "texts"), [(EACH, "1 1 1 2 3"), (LATEST, "1 3")])
def test_a_user_is_told_in_order(tmp_path: Path, pace: Pace, texts: str) -> None:
    """Each thing, where order matters; only the newest, where that tells everything."""

    async def story(house: House) -> None:
        await house.tell("1")
        await house.goes_on_for(0.2)
        await house.tell("2")
        await house.tell("3")
        await house.goes_on_for(10)
        assert await house.waiting() == []

    outside = Outside(pace, answer=after(2 if pace is EACH else 1))
    assert " ".join(run(tmp_path, story, outside).texts) == texts


def test_what_fails_while_something_newer_has_come_is_not_sent_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.tell("1")
        running = asyncio.create_task(house.goes_on_for(2))
        await asyncio.sleep(5)
        await house.tell("2")
        await running
        assert await house.waiting() == []

    assert run(tmp_path, story, Outside(LATEST, lasts=10, answer=after(1))).texts == ["1", "2"]


def test_one_user_does_not_wait_for_another(tmp_path: Path) -> None:
    def answer(job: NoticeJob) -> Fate:
        return Later("busy", START + timedelta(hours=2)) if job.user_id == "bert" else Over()

    async def story(house: House) -> None:
        await house.tell("b", "bert")
        await house.tell("a", "anna")
        await house.goes_on_for(1)
        assert await house.waiting() == ["b"]

    assert run(tmp_path, story, Outside(answer=answer)).texts == ["b", "a"]


def test_pauses_grow_and_it_is_given_up_at_last(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.tell("one")
        await house.goes_on_for(5 * 60)
        assert await house.held() == [("one", "503 down")]
        [(job, _)] = await house.queue.held()
        await house.queue.retry(job.id, START + timedelta(hours=5))
        await house.goes_on_for(0.2)
        assert await house.waiting() == ["one"], "an admin has let it go again"

    pace = Pace(Lane.EACH, give_up=timedelta(hours=4))
    times = run(tmp_path, story, Outside(pace, answer=after(99))).times
    pauses = [b - a for a, b in pairwise(times[:-1])]
    assert pauses == pytest.approx([1, 2, 4, 8, 16, 32, 60, 60], abs=0.2)


@pytest.mark.parametrize("luck", [0.0, 1.0])
def test_not_all_come_again_at_the_same_time(tmp_path: Path, luck: float) -> None:
    async def story(house: House) -> None:
        house.sending._luck = lambda: luck
        await house.tell("one")
        await house.goes_on_for(2)

    _, second = run(tmp_path, story, Outside(answer=after(1))).times
    assert second == pytest.approx(0.75 if luck == 0 else 1.25, abs=0.1)


def test_what_is_refused_is_held_with_the_reason_and_not_tried_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.tell("one")
        await house.goes_on_for(120)
        await house.tell("one")
        await house.goes_on_for(120)
        assert await house.held() == [("one", "no such number")]

    assert run(tmp_path, story, Outside(answer=lambda _: Refused("no such number"))).texts == [
        "one"
    ]


def test_a_side_that_is_down_is_left_alone_and_costs_nothing(tmp_path: Path) -> None:
    def answer(_job: NoticeJob) -> Fate:
        raise DeliveryPostponed("no answer in time")

    async def story(house: House) -> None:
        for number in range(40):
            await house.tell(f"{number}", f"user{number}")
        await house.goes_on_for(0.9)
        assert len(house.outside.tried) < 10
        house.outside.answer = lambda _job: Over()
        await house.goes_on_for(10)
        assert await house.waiting() == []

    assert len(run(tmp_path, story, Outside(answer=answer)).tried) < 50


def test_a_slow_side_gets_few_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for number in range(12):
            await house.tell(f"{number}", f"user{number}")
        await house.goes_on_for(5)

    times = run(tmp_path, story, Outside(replace(EACH, at_once=3), lasts=60)).times
    assert times == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


def test_what_breaks_on_one_job_does_not_stop_the_others(tmp_path: Path) -> None:
    def answer(job: NoticeJob) -> Fate:
        if job.user_id == "bert":
            raise KeyError("a fault of ours")
        return Over()

    async def story(house: House) -> None:
        await house.tell("b", "bert")
        await house.tell("a", "anna")
        await house.goes_on_for(0.5)
        [(job, history)] = await house.queue.all_waiting()
        assert job.user_id == "bert"
        assert history.last_error.startswith("KeyError at test_notice_sending.py:")

    run(tmp_path, story, Outside(answer=answer))


def test_a_disk_that_fails_neither_stops_the_loop_nor_sends_twice(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.tell("one")
        over = tmp_path / "notices" / "over"
        over.rmdir()
        over.write_text("in the way")
        await house.goes_on_for(3)
        assert await house.waiting() == ["one"]
        with pytest.raises(NoticeNotKept):
            await house.sending.jobs.over("abc")
        over.unlink()
        over.mkdir()
        await house.goes_on_for(3)
        assert await house.waiting() == []

    assert run(tmp_path, story, Outside()).texts == ["one"]


# --- the pace of calls


def test_what_is_hindered_is_not_counted_as_a_try(tmp_path: Path) -> None:
    """Not at night; in the morning all tries are left."""
    morning = START + timedelta(hours=12)

    def hindrance(_job: NoticeJob) -> Fate | None:
        house_time = START + timedelta(minutes=outside.minutes)
        return Later("at night", morning) if house_time < morning else None

    async def story(house: House) -> None:
        await house.tell("one")
        await house.goes_on_for(14 * 60)
        assert await house.waiting() == []
        assert await house.held() == []

    outside = Outside(CALLS, in_the_way=hindrance, answer=after(99))
    times = run(tmp_path, story, outside).times
    assert times == pytest.approx([720, 730, 740], abs=0.2)


def test_one_that_waits_stands_for_those_that_come(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.tell("1")
        await house.tell("2")
        await house.goes_on_for(15)
        await house.tell("3")
        await house.goes_on_for(1)
        await house.tell("2")
        await house.goes_on_for(30)

    assert run(tmp_path, story, Outside(CALLS, answer=after(1))).texts == ["1", "1", "3"]


def test_who_dies_in_a_call_does_not_call_again_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.tell("1")
        await house.goes_on_for(0.5)  # the controller dies while it rings
        house.start_anew()
        house.outside.lasts = 0
        await house.goes_on_for(60)

    times = run(tmp_path, story, Outside(CALLS, lasts=3600, answer=after(99))).times
    assert times == pytest.approx([0, 10, 20], abs=0.2)


def test_a_job_that_ends_while_it_is_hindered_is_over(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.tell("1")
        await house.goes_on_for(1)
        assert await house.waiting() == []

    outside = Outside(CALLS, in_the_way=lambda _job: Over("heard meanwhile"))
    assert run(tmp_path, story, outside).tried == []
