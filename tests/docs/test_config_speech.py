"""The page on transcription shows a configuration that can be used, with all that can be set."""

import tomllib
from pathlib import Path

from vm_ari.config.speech import TranscriptionSettings

PAGE = Path(__file__).parents[2] / "docs" / "transcription.md"


def test_the_page_shows_every_setting_but_those_of_other_engines() -> None:
    text = PAGE.read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    table = tomllib.loads(example)["transcription"]
    settings = TranscriptionSettings(**table)
    assert settings.engine == "faster-whisper"
    fields = set(TranscriptionSettings.model_fields)
    assert fields - set(table) == {"program", "command"}
    for name in fields:
        assert name in text
    rules = settings.rules()
    assert (rules.wait_seconds, rules.longest_seconds) == (0.0, 600.0)


def test_defaults_are_the_ones_of_the_page() -> None:
    table = tomllib.loads(PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0])
    shown = TranscriptionSettings(**table["transcription"]).model_dump()
    usual = TranscriptionSettings().model_dump()
    assert {key for key in shown if shown[key] != usual[key]} == {"engine", "model", "languages"}
    assert usual["engine"] == "off"
