"""Everybody is asked for now and then, so that an outage finds all of them remembered."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.adapters.directory_contract import ANNA, BERT, PIN
from tests.adapters.test_directory_cache import SetClock
from tests.fakes import FakeDirectory
from tests.patience import AT_MOST
from vm_ari.adapters.directory_cache import CachedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.users import User

OFTEN = timedelta(seconds=0.5)
"""A tenth of it is the time between two refreshments; the clock stands, so nothing grows old."""


class BrokenDirectory(FakeDirectory):
    """Fails in a way that nobody has thought of, until it is mended."""

    broken = True

    async def all_users(self) -> Sequence[User]:
        """See `Directory`."""
        if self.broken:
            raise ZeroDivisionError
        return await super().all_users()


def kept_fresh(
    base: Path, directory: FakeDirectory, story: Callable[[CachedDirectory], Awaitable[None]]
) -> None:
    """Run a story beside the refreshing."""

    async def run() -> None:
        keys = KeyRing(base / "keys")
        cache = CachedDirectory(directory, base / "users.db", keys, SetClock(), max_age=OFTEN)
        fresh = asyncio.create_task(cache.keep_fresh())
        try:
            async with asyncio.timeout(AT_MOST):
                await story(cache)
            assert not fresh.done()
        finally:
            fresh.cancel()
            with suppress(asyncio.CancelledError):
                await fresh
            await cache.close()

    asyncio.run(run())


async def until_logged(lines: Sequence[object], text: str) -> None:
    while text not in str(lines):
        await asyncio.sleep(0.01)


@pytest.mark.feature_part("DIR-08", "who was never called is remembered, too")
def test_who_was_never_called_is_known_in_an_outage(tmp_path: Path) -> None:
    directory = FakeDirectory(ANNA, BERT, pin=PIN)
    directory.unavailable = True

    async def story(cache: CachedDirectory) -> None:
        await until_logged(lines, "not everybody is remembered")
        directory.unavailable = False
        await until_logged(lines, "'everybody is remembered")
        await cache.settle()
        directory.unavailable = True
        assert await cache.user_by_number(BERT.mailbox) == BERT
        assert await cache.all_users() == [ANNA, BERT]

    with capture_logs() as lines:
        kept_fresh(tmp_path, directory, story)


def test_an_error_of_another_kind_ends_neither_calls_nor_refreshing(tmp_path: Path) -> None:
    directory = BrokenDirectory(ANNA, pin=PIN)

    async def story(cache: CachedDirectory) -> None:
        await until_logged(lines, "not everybody is remembered")
        assert await cache.user_by_id("anna") == ANNA
        directory.broken = False
        await until_logged(lines, "'everybody is remembered")

    with capture_logs() as lines:
        kept_fresh(tmp_path, directory, story)
