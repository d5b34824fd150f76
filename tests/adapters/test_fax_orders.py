"""Orders on the disk: nothing is lost or taken twice, and nobody else can read it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from vm_ari.adapters.fax_orders import FaxOrderFiles
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.fax_orders import (
    Cause,
    Cover,
    Ending,
    FaxOrder,
    FaxState,
    after,
    begun,
    once_more,
    rendered,
)
from vm_ari.domain.orders import Way
from vm_ari.domain.retries import Retries
from vm_ari.ports.fax_sending import Paper, Printed
from vm_ari.ports.orders import OrdersUnavailable

T = TypeVar("T")

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
COVER = Cover("Weber", "Offer", "secret words")
ORDER = FaxOrder("a1b2", "anna", "+4930123456", NOON, Way.MAIL, COVER)
PAPERS = (Paper("application/pdf", b"%PDF-secret", "offer.pdf"), Paper("text/plain", b"words"))
RULES = Retries({Cause.BUSY: (timedelta(minutes=2),)})


def run(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(story)


@pytest.fixture
def files(tmp_path: Path) -> FaxOrderFiles:
    return FaxOrderFiles(tmp_path / "spool" / "faxes", KeyRing(tmp_path / "keys"))


def test_an_order_goes_its_way_and_is_remembered(files: FaxOrderFiles) -> None:
    async def story() -> None:
        assert list(await files.going_on()) == []
        assert await files.add(ORDER, PAPERS)
        assert not await files.add(ORDER, ())
        assert list(await files.going_on()) == [ORDER]
        assert list(await files.papers(ORDER.id)) == list(PAPERS)
        assert await files.pages(ORDER.id) is None
        await files.keep_pages(ORDER.id, Printed(b"II*\0", 2))
        assert await files.pages(ORDER.id) == Printed(b"II*\0", 2)
        tried = after(begun(rendered(ORDER, 2)), Ending(Cause.BUSY, 0, 3.5), RULES, NOON)
        await files.save(tried)
        assert await files.find(ORDER.id) == tried
        sent = after(begun(tried), Ending(None, 2), RULES, NOON)
        await files.close(sent)
        assert list(await files.going_on()) == []
        assert list(await files.of_user("anna")) == [sent]
        assert list(await files.of_user("bert")) == []
        assert not await files.add(ORDER, PAPERS)

    run(story())


def test_only_one_of_two_begins_it_anew(files: FaxOrderFiles) -> None:
    async def story() -> None:
        await files.add(ORDER, PAPERS)
        over = replace(ORDER, state=FaxState.FAILED, ended=NOON)
        await files.cancel(ORDER.id)
        await files.close(over)
        anew = once_more(over, NOON)
        assert await files.reopen(anew)
        assert not await files.reopen(anew)
        assert not await files.is_cancelled(ORDER.id)
        assert list(await files.going_on()) == [anew]

    run(story())


def test_what_was_killed_between_the_two_steps_of_closing_is_closed_once_more(
    files: FaxOrderFiles, tmp_path: Path
) -> None:
    async def story() -> None:
        await files.add(ORDER, PAPERS)
        sent = replace(ORDER, state=FaxState.SENT, ended=NOON)
        await files.save(sent)
        before = (tmp_path / "spool/faxes/open/a1b2").read_bytes()
        await files.close(sent)
        (tmp_path / "spool/faxes/open/a1b2").write_bytes(before)
        assert list(await files.going_on()) == [sent]
        assert list(await files.of_user("")) == [sent]
        await files.close(sent)
        assert list(await files.going_on()) == []

    run(story())


def test_nobody_reads_it_and_what_is_copied_or_broken_goes_aside(
    files: FaxOrderFiles, tmp_path: Path
) -> None:
    async def story() -> None:
        root = tmp_path / "spool" / "faxes"
        await files.add(ORDER, PAPERS)
        for path in root.rglob("*"):
            if path.is_file():
                assert b"secret" not in path.read_bytes()
                assert b"anna" not in path.read_bytes()
        (root / "open" / "c3d4").write_bytes((root / "open" / "a1b2").read_bytes())
        (root / "open" / "e5f6").write_bytes(b"\xff nonsense")
        assert [one.id for one in await files.going_on()] == ["a1b2"]
        assert sorted(path.name for path in (root / "corrupt").iterdir()) == ["c3d4", "e5f6"]
        assert await files.find("../open/a1b2") is None

    run(story())


def test_what_is_over_for_long_is_forgotten_with_its_documents(
    files: FaxOrderFiles, tmp_path: Path
) -> None:
    async def story() -> None:
        await files.add(ORDER, PAPERS)
        await files.add(replace(ORDER, id="new1"), PAPERS)
        await files.close(replace(ORDER, state=FaxState.SENT, ended=NOON))
        await files.sweep(NOON)
        assert await files.find("a1b2")
        later = datetime.now(UTC) + timedelta(days=1)
        await files.sweep(later)
        assert await files.find("a1b2") is None
        assert not await files.papers("a1b2")
        assert await files.papers("new1")

    run(story())


def test_a_disk_that_refuses_is_named(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("in the way")
    files = FaxOrderFiles(tmp_path / "spool" / "faxes", KeyRing(tmp_path / "keys"))
    with pytest.raises(OrdersUnavailable, match="spool"):
        run(files.add(ORDER, PAPERS))
