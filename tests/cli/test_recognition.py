"""``vm-ari test transcription`` and ``vm-ari test fax`` tell what this machine recognises."""

import shlex
import sys
from pathlib import Path

import pytest

from tests import faxes
from tests.adapters.transcriber_contract import SPEECH, ears
from tests.cli.site import CliSite


def with_ears(people: CliSite, how: str = "") -> CliSite:
    words = (sys.executable, str(ears(people.base)), "{file}", "{language}", how)
    line = shlex.join(words).replace('"', '\\"')
    people.configure(f'[transcription]\nengine = "command"\ncommand = "{line}"\n')
    return people


def test_a_file_is_written_down(people: CliSite) -> None:
    (told,) = with_ears(people).ask("test", "transcription", SPEECH)
    assert told["text"] == "Please leave a message after the tone."
    assert told["uncertain"] == []
    assert (
        "Voice messages are written down by command."
        in people.run("check", "--only", "recognition").stdout
    )


def test_what_is_wrong_with_the_engine_is_said(people: CliSite) -> None:
    wrong = with_ears(people, "sys.exit(3)").run("test", "transcription", SPEECH, code=1)
    assert "the engine failed with code 3" in wrong.stderr
    people.configure()
    off = people.run("test", "transcription", SPEECH, code=1)
    assert "it is off" in off.stderr
    people.configure('[transcription]\nengine = "command"\ncommand = "nosuchthing {file}"\n')
    missing = people.run("test", "transcription", SPEECH, code=1)
    assert "there is no program nosuchthing" in missing.stderr
    assert (
        "there is no program nosuchthing"
        in people.run("check", "--only", "recognition", code=1).stdout
    )


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('engine = "whisper.cpp"', "transcription: model: is missing; whisper.cpp needs one"),
        ('engine = "command"', "command: write a command line with {file}"),
        ('command = "cat {file}"', "it counts only with engine = “command”"),
        ('languages = ["German"]', "“German” is no language; write de, or en"),
        ("at_once = 0", "transcription.at_once"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(people: CliSite, table: str, told: str) -> None:
    people.configure(f"[transcription]\n{table}\n")
    assert told in people.run("test", "transcription", SPEECH, code=3).stderr


def test_a_fax_is_read_page_by_page(people: CliSite) -> None:
    file = people.base / "fax.tif"
    file.write_bytes(faxes.tiff([faxes.page(faxes.ENGLISH), faxes.page([])]))
    read = people.run("test", "fax", "--lang", "en", file).stdout
    assert "--- page 1\nDear Sir or Madam," in read
    assert read.endswith("--- page 2\n\n")
    Path(file).write_bytes(b"nothing")
    assert "This is no fax" in people.run("test", "fax", file, code=1).stderr
    assert "tesseract-ocr-xyz" in people.run("test", "fax", "--lang", "xyz", file, code=1).stderr
