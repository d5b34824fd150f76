"""Settings of recorded greetings, and of the voice that speaks texts."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from vm_ari.config.directory import Table
from vm_ari.domain.recording import Limits


class GreetingSettings(Table):
    """What users and the site have recorded for callers."""

    store: Literal["files", "database"] = "files"
    """``database`` where several nodes share them."""
    directory: Path = Path("/var/lib/vm-ari/greetings")
    """Asterisk must be able to read what lies below it; with a database: this node's copies."""
    url: str = ""
    """Of the database; empty: the one of the embedded directory."""
    longest_seconds: int = Field(default=120, ge=5, le=600)
    largest_megabytes: int = Field(default=20, ge=1, le=200)
    """Of a file that somebody uploads."""
    end_notice: bool = True
    """Are users told by mail that a greeting or the active profile has ended?"""

    def phone_limits(self) -> Limits:
        """Of a recording by telephone."""
        return Limits(longest=self.longest_seconds, silence=5, shortest=0.5, warning=10)


class SpeechSettings(Table):
    """Texts that are spoken by the machine."""

    engine: Literal["auto", "pico", "espeak", "command"] = "auto"
    """The first of Pico and espeak-ng that is installed, or the one that is named."""
    command: str = ""
    """For ``command``, such as ``my-voice --lang {language} {text_file} {out}``."""
    cache: Path = Path("/var/cache/vm-ari/speech")
    """What was spoken once is not spoken anew; Asterisk must be able to read what lies there."""
    cache_megabytes: int = Field(default=200, ge=1)
    longest_text: int = Field(default=2000, ge=10, le=20_000)
    """Characters."""
