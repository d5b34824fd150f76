"""Received faxes on the disk: looked at, made a message once, or set aside (UM-04)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faxes import (
    A4,
    LETTER,
    blank_pages,
    endless_tiff,
    giant_tiff,
    page,
    pdf,
    tiff,
    without_data,
)
from tests.system.fax_machine import pages_in_pdf, same_dots
from vm_ari.adapters.fax_attachment import pages_of
from vm_ari.adapters.fax_spool import FileFaxSpool
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.callers import Caller
from vm_ari.domain.faxes import Fax, FaxPages, FaxQuality
from vm_ari.domain.messages import CallFacts
from vm_ari.ports import FaxUnreadable, SpoolFull
from vm_ari.ports.fax import PreparedFax

NAME = "1795363467_vmari.11_+49305550334_+4989123456__.tif"
NOTE = "status=SUCCESS pages=1 end=1"


class Spools:
    """The outbox's spool, and the faxes beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.messages = FileSpool(root, min_free=0)
        self.faxes = FileFaxSpool(root)

    async def claim(self) -> None:
        await self.messages.claim()
        await self.faxes.claim()

    def receive(self, content: bytes, note: str = NOTE, name: str = NAME) -> Path:
        path = self.root / "fax" / name
        path.write_bytes(content)
        if note:
            path.with_suffix(".txt").write_text(note)
        return path

    def facts(self, name: str = NAME, **fax: object) -> CallFacts:
        facts_id = self.faxes.id_of(name)
        return CallFacts(
            facts_id,
            f"<{facts_id}@pbx.example>",
            "vmari.11",
            "+49305550334",
            None,
            Caller("+4989123456"),
            datetime(2026, 3, 4, tzinfo=UTC),
            fax=replace(Fax(1, "Kennung", FaxQuality.FINE, 14400, t38=True), **fax),  # type: ignore[arg-type]
        )


@pytest.fixture
def spools(tmp_path: Path) -> Spools:
    made = Spools(tmp_path / "vm-ari")
    asyncio.run(made.claim())
    return made


def run(work: Callable[[], Awaitable[object]]) -> None:
    async def whole() -> None:
        await work()

    asyncio.run(whole())


def looked_at(spools: Spools, content: bytes) -> PreparedFax:
    spools.receive(content)
    return asyncio.run(spools.faxes.prepare(NAME))


# --- looking


def test_pages_become_a_pdf_dot_by_dot(spools: Spools) -> None:
    sent = [page(LETTER), page(LETTER[3:])]
    made = looked_at(spools, tiff(sent))
    assert made.pages == FaxPages(2, 196.0)
    assert same_dots(sent, pages_in_pdf(made.pdf))
    assert pages_of("application/pdf", made.pdf) == 2  # as the telephone reads it


def test_coarse_pages_keep_their_shape(spools: Spools) -> None:
    made = looked_at(spools, tiff([page(LETTER)], lines_per_inch=98))
    assert made.pages == FaxPages(1, 98.0)
    [picture] = pages_in_pdf(made.pdf)
    assert picture.size == (A4[0], A4[1] // 2)


@pytest.mark.parametrize(
    ("content", "pages"),
    [
        (b"", 0),
        (b"II*\0\0\0\0\0", 0),  # what is there before the first page
        (b"hello, I am no fax at all", 0),
        (pdf([page(LETTER)]), 0),
        (giant_tiff(60_000, 60_000), 0),
        (without_data(tiff([page(LETTER)] * 3), page=2), 1),
        (tiff([page(LETTER)] * 2)[:-2000], 1),
    ],
)
def test_only_whole_pages_count(spools: Spools, content: bytes, pages: int) -> None:
    made = looked_at(spools, content)
    assert made.pages.count == pages
    assert bool(made.pdf) == bool(made.pages.count)


@pytest.mark.parametrize("content", [endless_tiff(), blank_pages(30)])
def test_strange_pages_end(spools: Spools, content: bytes) -> None:
    assert looked_at(spools, content).pages.count <= 1000


def test_what_is_no_file_is_refused(spools: Spools) -> None:
    path = spools.receive(b"")
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises((FaxUnreadable, SpoolFull)):
        asyncio.run(spools.faxes.prepare(NAME))
    path.unlink()
    path.mkdir()
    with pytest.raises(FaxUnreadable):
        asyncio.run(spools.faxes.prepare(NAME))
    with pytest.raises(ValueError, match="not the name"):
        spools.faxes.path("../../etc/passwd")


# --- keeping


def test_a_kept_fax_waits_in_the_outbox_once(spools: Spools) -> None:
    async def story() -> None:
        content = tiff([page(LETTER)])
        spools.receive(content)
        made = await spools.faxes.prepare(NAME)
        facts = spools.facts(text="Sehr geehrte", seconds=23.5, error="cut")
        await spools.faxes.keep(NAME, facts, partial=True, made=made)
        [(message, _, begun)] = await spools.messages.waiting()
        assert message.facts == facts
        assert (message.partial, message.is_voice, begun) == (True, False, False)
        assert Path(message.audio).read_bytes() == content
        assert Path(message.audio).with_suffix(".pdf").read_bytes() == made.pdf
        assert not list((spools.root / "fax").iterdir())
        assert not list((spools.root / "tmp").iterdir())

    run(story)


def test_a_crash_before_the_file_is_erased_makes_no_second_one(spools: Spools) -> None:
    async def story() -> None:
        content = tiff([page(LETTER)])
        spools.receive(content)
        made = await spools.faxes.prepare(NAME)
        assert not await spools.faxes.is_kept(NAME)
        await spools.faxes.keep(NAME, spools.facts(), partial=False, made=made)
        spools.receive(content)  # as if the process had died before it went
        assert len(await spools.faxes.arrived()) == 1
        assert await spools.faxes.is_kept(NAME)
        await spools.faxes.forget(NAME)
        assert not await spools.faxes.arrived()
        assert len(await spools.messages.waiting()) == 1

    run(story)


def test_a_disk_that_refuses_leaves_it_to_be_made_again(spools: Spools) -> None:
    async def story() -> None:
        spools.receive(tiff([page(LETTER)]))
        made = await spools.faxes.prepare(NAME)
        (spools.root / "new").rmdir()
        with pytest.raises(SpoolFull, match="No such file"):
            await spools.faxes.keep(NAME, spools.facts(), partial=False, made=made)
        (spools.root / "new").mkdir()
        assert not await spools.messages.waiting()
        assert len(await spools.faxes.arrived()) == 1
        await spools.faxes.keep(NAME, spools.facts(), partial=False, made=made)
        assert len(await spools.messages.waiting()) == 1

    run(story)


def test_what_tells_nothing_is_set_aside_and_never_erased(spools: Spools) -> None:
    async def story() -> None:
        spools.receive(b"nonsense", "no note")
        await spools.faxes.set_aside(NAME, "it is no fax")
        [grave] = (spools.root / "corrupt").iterdir()
        assert {path.name for path in grave.iterdir()} == {
            NAME,
            NAME.replace(".tif", ".txt"),
            "reason.txt",
        }
        assert not await spools.faxes.arrived()

    run(story)


def test_what_has_arrived_is_listed_with_its_note(spools: Spools) -> None:
    spools.receive(b"12345678", "x" * 10_000)
    (spools.root / "fax" / ".hidden.tif").touch()
    (spools.root / "fax" / "other.pdf").touch()
    (spools.root / "fax" / "link.tif").symlink_to("/etc/passwd")
    [fax] = asyncio.run(spools.faxes.arrived())
    assert (fax.name, fax.size, len(fax.note)) == (NAME, 8, 4000)
