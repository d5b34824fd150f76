"""The words of the portal: TOML files per language, ``texts/<language>/<page>.toml`` (WEB-04)."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

log = structlog.get_logger("vm_ari.portal")

FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True)
class Words:
    """All words of one language; called with a key, it gives the text."""

    language: str
    texts: Mapping[str, str]
    fallback: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The text, with ``{names}`` filled; of a missing key, the English one, or the key."""
        text = self.texts.get(key) or self.fallback.get(key)
        if text is None:
            log.error("the portal has no such text", key=key, language=self.language)
            return key
        return text.format(**values) if values else text

    def has(self, key: str) -> bool:
        """Is there such a text?"""
        return key in self.texts or key in self.fallback


class Texts:
    """The languages of the portal. Raises `tomllib.TOMLDecodeError`, OSError."""

    def __init__(self, root: Path) -> None:
        folders = sorted(folder for folder in root.iterdir() if folder.is_dir())
        self.by_language = {folder.name: dict(_read(folder)) for folder in folders}

    @property
    def languages(self) -> tuple[str, ...]:
        """All of them, by code."""
        return tuple(self.by_language)

    def words(self, wished: Iterable[str]) -> Words:
        """The first of the wished languages that there is; ``de-AT`` gets ``de``."""
        for tag in wished:
            for candidate in (tag.lower(), tag.lower().partition("-")[0]):
                if candidate in self.by_language:
                    return self._words(candidate)
        return self._words(FALLBACK_LANGUAGE)

    def _words(self, language: str) -> Words:
        return Words(language, self.by_language[language], self.by_language[FALLBACK_LANGUAGE])


def wished_by(header: str) -> list[str]:
    """The languages of an Accept-Language header, the best first (RFC 9110, 12.5.4)."""
    found: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if tag and tag != "*" and weight > 0:
            found.append((-weight, tag))
    return [tag for _, tag in sorted(found, key=lambda pair: pair[0])]


def _read(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.glob("*.toml")):
        yield from _flat(file.stem, tomllib.loads(file.read_text(encoding="utf-8")))


def _flat(prefix: str, table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{key}", value)
        else:
            yield f"{prefix}.{key}", str(value)
