"""A sender is said by name where that person has recorded one."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.clock import run_virtually
from tests.fakes import FakeDirectory, FakeGreetings
from vm_ari.domain.callers import Caller
from vm_ari.domain.greetings import GreetingKey, Slot, Source
from vm_ari.domain.users import User
from vm_ari.services.sender_names import SenderNames

NOW = datetime(2026, 3, 4, 13, 35, tzinfo=UTC)
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@site.example", language="fr")
BERT = User("bert", "Bert", "102", ("+4930555102",), "bert@site.example", language="de")


@dataclass
class Wall:
    def now(self) -> datetime:
        return NOW


class Site:
    """Two users, and what they have recorded."""

    def __init__(self) -> None:
        self.directory = FakeDirectory(ANNA, BERT)
        self.greetings = FakeGreetings(Wall())

    def says(self, number: str, *recorded: tuple[Slot, str, timedelta | None]) -> Path | None:
        """Which file Anna hears for a message from that number."""

        async def story() -> Path | None:
            for slot, code, age in recorded:
                key = GreetingKey(BERT.id, slot, code)
                expires = NOW + age if age is not None else None
                await self.greetings.keep(key, Path("/a.wav"), Source.PHONE, expires=expires)
            names = SenderNames(self.directory, self.greetings, Wall())
            return await names.of(ANNA, Caller(number, "Somebody"))

        return run_virtually(story())


@pytest.mark.feature_part("INBOX-03", "the sender's recorded name, by directory")
@pytest.mark.parametrize("number", ["102", "+4930555102"])
def test_a_colleague_is_said_by_name(number: str) -> None:
    path = Site().says(number, (Slot.WORK, "de", None), (Slot.NAME, "de", None))
    assert path is not None
    assert path.name.startswith("name-de")
    assert not path.suffix


def test_the_listeners_language_comes_first() -> None:
    spoken = [(Slot.NAME, code, None) for code in ("de", "fr", "en")]
    path = Site().says("102", *spoken)
    assert path is not None
    assert path.name.startswith("name-fr")


@pytest.mark.parametrize("number", ["", "+4989123", "199"])
def test_who_is_unknown_has_no_name(number: str) -> None:
    assert Site().says(number, (Slot.NAME, "de", None)) is None


def test_who_has_recorded_no_name_or_an_old_one_is_said_by_number() -> None:
    assert Site().says("102") is None
    assert Site().says("102", (Slot.WORK, "fr", None)) is None
    assert Site().says("102", (Slot.NAME, "de", -timedelta(days=1))) is None


@pytest.mark.parametrize("part", ["directory", "greetings"])
def test_what_is_down_costs_the_name_not_the_message(part: str) -> None:
    site = Site()
    site.says("102", (Slot.NAME, "de", None))
    getattr(site, part).unavailable = True
    with capture_logs() as logs:
        assert site.says("102") is None
    assert [entry["event"] for entry in logs] == ["sender's name not found"]
