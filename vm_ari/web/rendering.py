"""Pages from Jinja2 templates; dates and times as a language writes them."""

from collections.abc import Mapping
from datetime import date, datetime, time
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time, get_day_names
from jinja2 import Environment, FileSystemLoader, StrictUndefined

STATIC = "/static"


class Rendering:
    """Renders ``<root>/pages/<name>``; everything that is put in is escaped."""

    def __init__(self, root: Path) -> None:
        self.static = root / "static"
        self._versions: dict[str, str] = {}
        self._jinja = Environment(
            loader=FileSystemLoader(root / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._jinja.globals["static"] = self.static_address
        self._jinja.filters.update(moment=moment, day=day, clock=clock)

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """The page. Raises `jinja2.TemplateError`."""
        return self._jinja.get_template(name).render(values)

    def static_address(self, name: str) -> str:
        """Of a file, with its version: it can be kept for ever, and is never out of date."""
        if name not in self._versions:
            content = (self.static / name).read_bytes()
            self._versions[name] = sha256(content).hexdigest()[:12]
        return f"{STATIC}/{name}?v={self._versions[name]}"


def moment(at: datetime, language: str, zone: str) -> str:
    """A time as people write it: ``3. November 2026, 14:05``."""
    there = at.astimezone(ZoneInfo(zone)) if at.tzinfo else at
    written = locale(language)
    return f"{format_date(there, 'long', locale=written)}, {clock(there.time(), language)}"


def day(on: date, language: str) -> str:
    """A date with its weekday."""
    return format_date(on, "full", locale=locale(language))


def clock(at: datetime | time, language: str) -> str:
    """Hours and minutes."""
    return format_time(at, "short", locale=locale(language))


def weekdays(language: str) -> list[str]:
    """Monday first."""
    names = get_day_names("wide", "stand-alone", locale(language))
    return [names[number] for number in range(7)]


def locale(language: str) -> Locale:
    """Babel's; English for what it does not know."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")
