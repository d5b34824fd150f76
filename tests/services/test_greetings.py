"""What phone, portal and command line do with greetings."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.fake_greeting_takes import FakeGreetingTakes
from tests.fakes import FakeGreetings
from vm_ari.domain.greetings import SITE, GlobalMode, GreetingKey, Slot, Source
from vm_ari.domain.recording import Ending, Take
from vm_ari.ports import GreetingsUnavailable, Unspeakable
from vm_ari.services.greetings import GreetingBook, GreetingStudio, NoGreeting

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = datetime(2026, 4, 1, tzinfo=UTC)
WORK = GreetingKey("anna", Slot.WORK, "de")
FILE = Path("/upload.mp3")


class FixedClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class PaperVoice:
    """Writes down what it shall say."""

    said: list[tuple[str, str]] = field(default_factory=list)

    async def spoken(self, text: str, language: str) -> Path:
        if not text:
            raise Unspeakable("nothing to say")
        self.said.append((text, language))
        return Path(f"/spoken/{len(self.said)}.wav")


@dataclass
class Desk:
    store: FakeGreetings = field(default_factory=lambda: FakeGreetings(FixedClock()))
    voice: PaperVoice = field(default_factory=PaperVoice)
    takes: FakeGreetingTakes = field(default_factory=lambda: FakeGreetingTakes({}))

    @property
    def book(self) -> GreetingBook:
        return GreetingBook(self.store, self.voice)

    @property
    def studio(self) -> GreetingStudio:
        return GreetingStudio(self.store, self.takes)


Story = Callable[[Desk], Awaitable[None]]


def tell(story: Story) -> None:
    async def run() -> None:
        await story(Desk())

    asyncio.run(run())


def test_a_list_is_in_the_order_of_profiles_and_then_languages() -> None:
    keys = [
        GreetingKey("anna", slot, language)
        for slot in (Slot.WORK, Slot.VACATION, Slot.CUSTOM_1, Slot.INTERNAL, Slot.NAME)
        for language in ("de", "en")
    ]

    async def story(desk: Desk) -> None:
        for key in reversed(keys):
            await desk.book.keep_file(key, FILE)
        assert [one.key for one in await desk.book.listed("anna")] == keys
        assert await desk.book.listed("bert") == []

    tell(story)


def test_a_file_and_a_text_become_greetings() -> None:
    async def story(desk: Desk) -> None:
        file = await desk.book.keep_file(WORK, FILE, expires=LATER)
        assert (file.source, file.expires) == (Source.UPLOAD, LATER)
        text = await desk.book.keep_text(WORK, "Guten Tag", expires=None)
        assert (text.source, text.expires) == (Source.SPEECH, None)
        assert desk.voice.said == [("Guten Tag", "de")]
        assert await desk.book.find(WORK) == text

    tell(story)


def test_what_cannot_be_said_changes_nothing() -> None:
    async def story(desk: Desk) -> None:
        before = await desk.book.keep_file(WORK, FILE)
        with pytest.raises(Unspeakable):
            await desk.book.keep_text(WORK, "")
        assert await desk.book.find(WORK) == before

    tell(story)


@pytest.mark.parametrize(
    "key",
    [
        GreetingKey(SITE, Slot.WORK, "de"),
        GreetingKey(SITE, Slot.NAME, "de"),
        GreetingKey("anna", Slot.GLOBAL, "de"),
    ],
)
def test_the_site_has_the_global_greeting_and_nobody_else(key: GreetingKey) -> None:
    async def story(desk: Desk) -> None:
        take = desk.studio.new_take()
        attempts = (
            desk.book.keep_file(key, FILE),
            desk.book.keep_text(key, "x"),
            desk.studio.keep(key, take),
        )
        for attempt in attempts:
            with pytest.raises(ValueError, match="is no greeting of"):
                await attempt
        assert desk.store.owners == {}

    tell(story)


def test_what_is_not_there_is_named() -> None:
    async def story(desk: Desk) -> None:
        for deed in (desk.book.find, desk.book.delete):
            with pytest.raises(NoGreeting, match="“work” in language de of anna"):
                await deed(WORK)
        with pytest.raises(NoGreeting, match="of anna"):
            await desk.book.set_expiry(WORK, LATER)
        with pytest.raises(NoGreeting, match="of the site"):
            await desk.book.find(GreetingKey(SITE, Slot.GLOBAL, "de"))

    tell(story)


def test_expiry_deletion_and_the_mode_of_the_site() -> None:
    async def story(desk: Desk) -> None:
        await desk.book.keep_file(WORK, FILE)
        assert (await desk.book.set_expiry(WORK, LATER)).expires == LATER
        await desk.book.delete(WORK)
        assert await desk.book.listed("anna") == []
        await desk.book.keep_file(WORK, FILE)
        assert await desk.book.delete_all("anna") == 1
        await desk.book.set_global_mode(GlobalMode.ALWAYS)
        assert await desk.book.global_mode() is GlobalMode.ALWAYS

    tell(story)


@pytest.mark.parametrize(
    ("take", "ending", "usable"),
    [
        (Take(5.0, 3.0), Ending.KEY, True),
        (Take(0.8, 0.5), Ending.SILENCE, True),
        (Take(0.4, 0.4), Ending.KEY, False),
        (Take(5.0, 0.0), Ending.KEY, False),
        (None, Ending.KEY, False),
    ],
)
def test_a_take_is_judged(take: Take | None, ending: Ending, usable: bool) -> None:
    async def story(desk: Desk) -> None:
        place = desk.studio.new_take()
        if take:
            desk.takes.recorded[place.name] = take
        assert await desk.studio.is_usable(place, ending) is usable

    tell(story)


def test_what_a_fault_has_cut_is_no_greeting() -> None:
    async def story(desk: Desk) -> None:
        place = desk.studio.new_take()
        desk.takes.recorded[place.name] = Take(5.0, 3.0)
        with pytest.raises(GreetingsUnavailable):
            await desk.studio.is_usable(place, Ending.FAULT)

    tell(story)
