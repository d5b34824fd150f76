"""What an owner's greetings are, as one JSON file says it."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vm_ari.domain.greetings import GlobalMode, Greeting, GreetingKey, Slot, Source

_GENERATION = re.compile(r"[a-z0-9]+(-[A-Za-z0-9_]+)+")


class BadIndex(ValueError):
    """An index cannot be understood; the text says which, and what to do."""


@dataclass(frozen=True)
class Record:
    """One greeting, and the name of its files."""

    slot: Slot
    language: str
    generation: str
    seconds: float
    recorded: datetime
    source: Source
    expires: datetime | None

    def key(self, owner: str) -> GreetingKey:
        """The name of the greeting."""
        return GreetingKey(owner, self.slot, self.language)

    def greeting(self, owner: str, folder: Path) -> Greeting:
        """The same for those who only play it; *folder* holds its files."""
        return Greeting(
            self.key(owner),
            folder / self.generation,
            self.seconds,
            self.recorded,
            self.source,
            self.expires,
        )


@dataclass(frozen=True)
class Index:
    """All greetings of an owner; *mode* means something for the site only."""

    owner: str
    records: tuple[Record, ...] = ()
    mode: GlobalMode = GlobalMode.OFF

    @property
    def generations(self) -> frozenset[str]:
        """The names of all files that are in use."""
        return frozenset(record.generation for record in self.records)

    def find(self, key: GreetingKey) -> Record | None:
        """The greeting of that name."""
        return next((one for one in self.records if one.key(self.owner) == key), None)


def to_json(index: Index) -> bytes:
    """One object, easy to read for a person."""
    content = {
        "owner": index.owner,
        "mode": index.mode.value,
        "greetings": [_fields(record) for record in index.records],
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def _fields(record: Record) -> dict[str, object]:
    return {
        "slot": record.slot.value,
        "language": record.language,
        "generation": record.generation,
        "seconds": record.seconds,
        "recorded": time_text(record.recorded),
        "source": record.source.value,
        "expires": record.expires and time_text(record.expires),
    }


def from_json(path: Path, content: bytes) -> Index:
    """What *path* contains. Raises `BadIndex`."""
    try:
        fields = json.loads(content)
        records = tuple(record_of(one) for one in fields["greetings"])
        return Index(str(fields["owner"]), records, GlobalMode(fields["mode"]))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadIndex(
            f"{path} is damaged ({error!r}): restore it from a backup, or remove it"
        ) from None


def record_of(fields: Mapping[str, Any]) -> Record:
    """From texts by name, as in a file or a table. Raises ValueError, KeyError, TypeError."""
    if not _GENERATION.fullmatch(fields["generation"]):
        raise ValueError("generation")
    return Record(
        slot=Slot(fields["slot"]),
        language=str(fields["language"]),
        generation=fields["generation"],
        seconds=float(fields["seconds"]),
        recorded=_time(fields["recorded"]),
        source=Source(fields["source"]),
        expires=_time(fields["expires"]) if fields["expires"] else None,
    )


def time_text(moment: datetime) -> str:
    """A time with its zone, in UTC. Raises ValueError for one without."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC).isoformat()


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment.astimezone(UTC)
