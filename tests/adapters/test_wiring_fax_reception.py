"""Receiving faxes as configured: with or without the text of the pages."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.test_fax_spool import NAME
from tests.faxes import ENGLISH, page, tiff
from tests.patience import AT_MOST
from vm_ari.adapters.spool import FileSpool
from vm_ari.config import Config
from vm_ari.services.journal_writing import NoJournal
from vm_ari.services.message_records import MessageRecords
from vm_ari.wiring.fax_reception import OpenFaxReception, open_fax_reception, received_faxes


class Clock:
    """Any time will do."""

    def now(self) -> datetime:
        return datetime(2026, 3, 4, tzinfo=UTC)


async def nobody_calls(_channel: str) -> bool:
    return False


def opened(home: Path, woken: asyncio.Event, **table: object) -> OpenFaxReception:
    tables: dict[str, Any] = {
        "asterisk": {"password": "x"},
        "spool": {"directory": home},
        "mail": {"sender": "voicemail@example.org"},
        "fax_reception": table,
    }
    records = MessageRecords(NoJournal())
    return open_fax_reception(Config(**tables), Clock(), nobody_calls, woken.set, records)


@pytest.mark.feature_part("UM-04", "the writing on a fax stands in its mail where that is wanted")
@pytest.mark.parametrize(("text", "expected"), [(True, "250 pieces on Thursday"), (False, "")])
def test_what_is_written_on_the_pages_is_read_where_that_is_wanted(
    tmp_path: Path, *, text: bool, expected: str
) -> None:
    async def story() -> None:
        woken, spool = asyncio.Event(), FileSpool(tmp_path, min_free=0)
        await spool.claim()
        faxes = opened(tmp_path, woken, text=text)
        running = asyncio.create_task(faxes.run_alone())
        while not (tmp_path / "fax").is_dir():
            await asyncio.sleep(0.01)
        (tmp_path / "fax" / NAME.replace(".tif", ".txt")).write_text("status=SUCCESS end=1")
        (tmp_path / "fax" / NAME).write_bytes(tiff([page(ENGLISH)]))
        async with asyncio.timeout(AT_MOST):
            await woken.wait()
        [(message, _, _)] = await spool.waiting()
        assert message.facts.fax
        assert expected in message.facts.fax.text
        assert bool(message.facts.fax.text) is text
        assert message.facts.message_id.endswith("@example.org>")
        assert not await received_faxes(tmp_path)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        faxes.close()
        spool.close()

    asyncio.run(story())


def test_a_spool_that_never_had_a_fax_has_none(tmp_path: Path) -> None:
    assert not asyncio.run(received_faxes(tmp_path))
