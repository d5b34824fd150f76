"""Settings of speech recognition: voice messages are written down."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from vm_ari.config.directory import Table
from vm_ari.domain.transcripts import TranscriptRules

_LANGUAGE = re.compile(r"[a-z]{2,3}")


class TranscriptionSettings(Table):
    """Voice messages written down by a machine, for those who want it (setting *transcribe*)."""

    engine: Literal["off", "faster-whisper", "whisper.cpp", "command"] = "off"
    """Nothing that is said leaves this machine, unless ``command`` sends it away."""
    model: Path | None = None
    """Of faster-whisper a directory, of whisper.cpp a file; nothing is ever downloaded."""
    program: str = "whisper-cli"
    """Of whisper.cpp."""
    command: str = ""
    """For ``command``, such as ``my-ears --lang {language} {file}``: writes text or JSON."""
    languages: tuple[str, ...] = ()
    """What is spoken here, such as ``["de", "en"]``; one is taken for granted, without any all are
    possible that the model knows."""
    wait_seconds: float = Field(default=0.0, ge=0, le=300)
    """So long a message waits for its transcript; then it leaves, and the transcript follows in a
    mail of its own."""
    longest_seconds: int = Field(default=600, ge=1, le=7200)
    """Longer messages are not written down."""
    at_once: int = Field(default=1, ge=1, le=32)
    """Messages at the same time; others wait."""
    threads: int = Field(default=1, ge=1, le=64)
    """Of one message; calls have precedence whatever this is."""
    patience_seconds: int = Field(default=900, ge=1, le=7200)
    """What takes longer is given up."""
    memory_megabytes: int = Field(default=4096, ge=256)
    """Address space of the engine: a large model needs twice its size and 1,000."""

    @field_validator("languages")
    @classmethod
    def _codes(cls, languages: tuple[str, ...]) -> tuple[str, ...]:
        for code in languages:
            if not _LANGUAGE.fullmatch(code):
                raise ValueError(f"“{code}” is no language; write de, or en")
        return languages

    @model_validator(mode="after")
    def _complete(self) -> Self:
        match self.engine:
            case "faster-whisper" | "whisper.cpp" if self.model is None:
                raise ValueError(f"model: is missing; {self.engine} needs one")
            case "command" if "{file}" not in self.command:
                raise ValueError("command: write a command line with {file}")
        if self.command and self.engine != "command":
            raise ValueError("command: it counts only with engine = “command”; remove one")
        return self

    def rules(self) -> TranscriptRules:
        """Which messages, and how long they wait."""
        return TranscriptRules(self.wait_seconds, self.longest_seconds, self.languages)
