"""A controller says what is missing, also while a part of it hangs."""

import asyncio

from tests.clock import run_virtually
from vm_ari.services.health import FRESH, PATIENCE, Ask, Health, Part


def said(text: str) -> Ask:
    async def ask() -> str:
        return text

    return ask


async def breaks() -> str:
    raise OSError("no such\ndirectory")


async def hangs() -> str:
    await asyncio.sleep(10_000)
    return ""


def test_it_is_ready_while_nothing_is_missing_that_calls_need() -> None:
    async def story() -> None:
        parts = (Part("asterisk", said("")), Part("store", said("is slow"), needed=False))
        report = await Health(parts).report()
        assert report.ready
        assert [str(one) for one in report.states] == ["ok      asterisk", "warning store: is slow"]

    run_virtually(story())


def test_each_fault_is_one_line_and_a_part_that_hangs_holds_up_no_other() -> None:
    async def story() -> None:
        began = asyncio.get_running_loop().time()
        report = await Health((Part("a", hangs), Part("b", breaks), Part("c", hangs))).report()
        assert not report.ready
        assert [str(one) for one in report.states] == [
            "MISSING a: no answer within 3 s",
            "MISSING b: no such directory",
            "MISSING c: no answer within 3 s",
        ]
        assert asyncio.get_running_loop().time() - began == PATIENCE

    run_virtually(story())


def test_many_who_ask_are_one_question() -> None:
    asked: list[float] = []

    async def ask() -> str:
        asked.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.1)
        return ""

    async def story() -> None:
        health = Health((Part("directory", ask),))
        await asyncio.gather(*(health.report() for _ in range(50)))
        assert len(asked) == 1
        await asyncio.sleep(FRESH + 0.1)
        await health.report()
        assert len(asked) == 2

    run_virtually(story())
