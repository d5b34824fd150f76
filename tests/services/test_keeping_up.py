"""A fault beside the calls is logged, and that part begins again."""

import asyncio

import pytest
from structlog.testing import capture_logs

from tests.clock import run_virtually
from vm_ari.services.keeping_up import PAUSE, kept_up


def test_what_breaks_begins_again_and_what_ends_has_ended() -> None:
    begun: list[float] = []

    async def part() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) < 3:
            raise OSError("no such device")

    with capture_logs() as logs:
        run_virtually(kept_up("portal", part))
    assert [later - begun[0] for later in begun] == [0, PAUSE, 2 * PAUSE]
    assert [(entry["part"], entry["log_level"]) for entry in logs] == [("portal", "error")] * 2


def test_who_is_told_to_stop_does_not_begin_again() -> None:
    begun: list[None] = []

    async def part() -> None:
        begun.append(None)
        await asyncio.sleep(1000)

    async def story() -> None:
        task = asyncio.create_task(kept_up("portal", part))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtually(story())
    assert len(begun) == 1
