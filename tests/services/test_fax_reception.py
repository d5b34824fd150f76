"""When a received fax is adopted, and what becomes of one of which nothing came (UM-04)."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faxes import LETTER, page, tiff
from vm_ari.adapters.fax_spool import FileFaxSpool
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.faxes import FaxQuality
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.numbers import Site
from vm_ari.services.fax_reception import BREATHE, LOOK_EVERY, QUIET, FaxReception

NAME = "1795363467_vmari.11_+49305550334_+4989123456__QW5uYQ.tif"
BEGAN = datetime.fromtimestamp(1795363467, UTC)
WRITTEN = BEGAN + timedelta(seconds=40)
WHOLE = "status=SUCCESS pages=1 rate=9600 mode=T38 station=WA== end=1"
CUT = "status=FAILED pages=1 mode=audio error=Y3V0 end=1"
NOTHING = "status=FAILED pages=0 mode=audio error=bm9ib2R5 end=1"


class AsteriskAway(Exception):
    """Nobody can tell which channels there are."""


@dataclass
class House:
    """A spool on the disk, and everything around the reception of faxes."""

    root: Path
    time: datetime = WRITTEN
    channels: set[str] | None = field(default_factory=set)
    """None: Asterisk is away."""
    failed: list[CallFacts] = field(default_factory=list)
    woken: int = 0
    read: str = ""

    def __post_init__(self) -> None:
        self.spool = FileSpool(self.root, min_free=0)
        self.faxes = FileFaxSpool(self.root)
        self.reception = FaxReception(
            self.faxes,
            self,
            self.alive,
            Site(base_number="+4930555"),
            "pbx.example",
            self.wake,
            self.fails,
            self.recognise,
        )

    def now(self) -> datetime:
        """The house is its own clock."""
        return self.time

    async def alive(self, channel: str) -> bool:
        if self.channels is None:
            raise AsteriskAway
        return channel in self.channels

    def wake(self) -> None:
        self.woken += 1

    async def fails(self, facts: CallFacts) -> None:
        self.failed.append(facts)

    async def recognise(self, _document: Path) -> str:
        return self.read

    def receive(self, content: bytes, note: str = "", name: str = NAME) -> None:
        path = self.root / "fax" / name
        path.write_bytes(content)
        os.utime(path, (WRITTEN.timestamp(),) * 2)
        if note:
            path.with_suffix(".txt").write_text(note)

    async def look(self) -> float:
        pause = await self.reception.look()
        await self.reception.settled()
        return pause

    async def kept(self) -> list[VoiceMessage]:
        return [message for message, _, _ in await self.spool.waiting()]

    def lies_there(self) -> bool:
        return any((self.root / "fax").glob("*.tif"))


Story = Callable[[House], Awaitable[None]]
ONE_PAGE = tiff([page(LETTER)])


def on(root: Path, story: Story) -> None:
    async def whole() -> None:
        house = House(root / "vm-ari")
        await house.spool.claim()
        await house.faxes.claim()
        await story(house)

    asyncio.run(whole())


def test_a_fax_with_its_note_is_adopted_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.channels = None  # nobody need be asked
        house.read = "Sehr geehrte Damen"
        house.receive(ONE_PAGE, WHOLE)
        assert await house.look() == LOOK_EVERY
        [message] = await house.kept()
        facts, fax = message.facts, message.facts.fax
        assert fax
        assert (facts.called, facts.caller.number) == ("+49305550334", "+4989123456")
        assert (facts.caller.name, facts.started) == ("Anna", BEGAN)
        assert (facts.channel_id, facts.user_id) == ("vmari.11", None)
        assert facts.message_id == f"<{facts.id}@pbx.example>"
        assert (fax.pages, fax.rate, fax.t38, fax.station) == (1, 9600, True, "X")
        assert (fax.quality, fax.seconds) == (FaxQuality.FINE, 40.0)
        assert fax.text == house.read
        assert (message.partial, house.woken, house.lies_there()) == (False, 1, False)

    on(tmp_path, story)


def test_a_fax_that_was_cut_is_partial(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(ONE_PAGE, CUT)
        await house.look()
        [message] = await house.kept()
        assert message.partial
        assert message.facts.fax
        assert message.facts.fax.error == "cut"

    on(tmp_path, story)


def test_without_a_note_the_end_of_the_call_is_waited_for(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.channels = {"vmari.11"}
        house.receive(ONE_PAGE)
        await house.look()
        assert house.lies_there()
        house.time += QUIET + timedelta(seconds=1)
        await house.look()
        assert house.lies_there()  # a page may take a while
        house.channels = None
        await house.look()
        assert house.lies_there()  # Asterisk is away: perhaps the call goes on
        house.channels = set()
        await house.look()
        [message] = await house.kept()
        assert message.partial
        assert not house.failed

    on(tmp_path, story)


def test_of_a_fax_without_a_page_the_journal_hears(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(b"II*\0\0\0\0\0", NOTHING)
        await house.look()
        assert (await house.kept(), house.lies_there(), house.woken) == ([], False, 0)
        [facts] = house.failed
        assert facts.fax
        assert (facts.fax.pages, facts.fax.error) == (0, "nobody")

    on(tmp_path, story)


@pytest.mark.parametrize("name", ["fax.tif", NAME.replace("+49305550334", "")])
def test_a_strange_file_is_set_aside(tmp_path: Path, name: str) -> None:
    async def story(house: House) -> None:
        house.receive(ONE_PAGE, WHOLE, name)
        await house.look()
        assert not house.lies_there()
        assert await house.kept() == []
        assert len(list((house.root / "corrupt").iterdir())) == 1

    on(tmp_path, story)


def test_what_is_kept_already_is_only_erased(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(ONE_PAGE, WHOLE)
        await house.look()
        house.receive(ONE_PAGE, WHOLE)  # as if we had died before it went
        await house.look()
        assert len(await house.kept()) == 1
        assert (house.woken, house.lies_there()) == (1, False)

    on(tmp_path, story)


def test_a_disk_that_cannot_be_read_is_asked_again_later(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        (house.root / "fax").rmdir()
        assert await house.look() == BREATHE
        await house.faxes.claim()
        house.receive(ONE_PAGE, WHOLE)
        assert await house.look() == LOOK_EVERY
        assert len(await house.kept()) == 1

    on(tmp_path, story)


def test_pages_that_came_but_that_we_cannot_read_are_delivered_as_they_are(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        too_large = house.root / "fax" / NAME
        house.receive(ONE_PAGE, WHOLE)
        os.truncate(too_large, 200_000_000)  # more than we look at, and no more on the disk
        await house.look()
        [message] = await house.kept()
        assert message.facts.fax
        assert (message.facts.fax.pages, message.partial) == (1, False)
        assert not Path(message.audio).with_suffix(".pdf").exists()

    on(tmp_path, story)


def test_pages_that_nobody_vouches_for_are_set_aside(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(ONE_PAGE, NOTHING)
        os.truncate(house.root / "fax" / NAME, 200_000_000)
        await house.look()
        assert await house.kept() == []
        assert len(house.failed) == 1
        assert len(list((house.root / "corrupt").iterdir())) == 1

    on(tmp_path, story)


def test_a_fax_that_cannot_be_kept_does_not_hold_up_others(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        house.receive(ONE_PAGE, WHOLE)
        (house.root / "new").rmdir()
        await house.look()
        assert house.lies_there()
        (house.root / "new").mkdir()
        other = NAME.replace("vmari.11", "vmari.12")
        house.receive(ONE_PAGE, WHOLE, other)
        await house.look()  # the first one has its pause
        [message] = await house.kept()
        assert message.facts.channel_id == "vmari.12"
        assert house.lies_there()

    on(tmp_path, story)
