"""Somebody adds the language of docs/languages.md, and the telephone speaks it.

Its module and its folder of sounds lie outside the program here, and nothing of it is changed or
told about them.
"""

import csv
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from click.testing import CliRunner, Result

from tests.dialogues.exchange import ANNA, Exchange, logged_in, message
from tests.phone import Phone
from vm_ari import speech
from vm_ari.adapters.prompt_texts import COLUMNS, FILE
from vm_ari.adapters.templates import MailTemplates
from vm_ari.cli.keymap import keymap
from vm_ari.cli.prompts import prompts
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language, languages
from vm_ari.speech.parts import Digits
from vm_ari.web.texts import Texts

ROOT = Path(__file__).parents[2]
RECORDED = ("--engine", "recordings", "--from", str(ROOT / "sounds" / "de"))
"""The speaker of the new language happens to sound like the German voice."""

GUIDE = (ROOT / "docs" / "languages.md").read_text(encoding="utf-8")
[MODULE] = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module lies in a folder that Python takes for a part of the package."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "esperanto.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.setattr(speech, "__path__", [*speech.__path__, str(folder)])


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A folder with the words of that language, and no sound yet."""
    folder = tmp_path / "sounds" / "eo"
    folder.mkdir(parents=True)
    return folder.parent


def translate(sounds: Path) -> None:
    """Write down a word for everything that the language has to say."""
    names = sorted(name for name in language("eo").vocabulary() if name.startswith("eo/"))
    rows = [[name.removeprefix("eo/"), f"Vorto {n}", ""] for n, name in enumerate(names)]
    with (sounds / "eo" / FILE).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def command(sounds: Path, name: str, *options: str) -> Result:
    return CliRunner().invoke(prompts, [name, "--sounds", str(sounds), "--lang", "eo", *options])


async def two_messages_are_heard(phone: Phone) -> None:
    """The owner's call, as in any language."""
    await phone.hears(P.YOU_HAVE)
    await phone.hears(P.FOR_NEW_VOICE_MESSAGES, P.PRESS, Digits("1"))
    phone.presses("1")
    await phone.hears(P.MESSAGE_NUMBER, Digits("1"))
    phone.hangs_up()


@pytest.mark.usefixtures("module")
@pytest.mark.feature_part("LANG-03", "a language from outside is rendered, complete, and spoken")
def test_a_call_speaks_a_language_that_was_added(sounds: Path) -> None:
    assert "eo" in languages()
    translate(sounds)
    made = command(sounds, "render", *RECORDED)
    assert made.exit_code == 0, made.output
    complete = command(sounds, "missing")
    assert (complete.exit_code, complete.output) == (0, "Nothing is missing.\n")

    site = Exchange(users=(replace(ANNA, language="eo"),))
    site.put(*(message(str(n), minutes_ago=n + 1) for n in range(12)))
    told = logged_in(site, two_messages_are_heard, code="eo")
    heard = [name for name in told.phone.heard_names() if not name.startswith("/")]
    assert "eo/digits/10 eo/digits/2 eo/new-voice-message/many" in " ".join(heard)
    assert {name for name in heard if not name.startswith("eo/")} <= {"tones/beep"}
    assert all(soundfile.info(sounds / f"{name}.wav").duration > 0.1 for name in heard)


@pytest.mark.usefixtures("module")
def test_what_is_still_to_do_is_listed(sounds: Path) -> None:
    translate(sounds)
    one = command(sounds, "render", *RECORDED, "--only", "press")
    assert one.exit_code == 0, one.output
    todo = command(sounds, "missing")
    assert todo.exit_code == 1
    assert "eo/goodbye: not rendered" in todo.output.splitlines()
    assert "eo/press" not in todo.output


@pytest.mark.feature_part("LANG-03", "mails, key card and portal are in a language that was added")
def test_what_is_translated_is_read(tmp_path: Path) -> None:
    """Folders are copied and translated, as the guide says; nothing else names them."""
    templates = tmp_path / "templates"
    shutil.copytree(ROOT / "templates", templates)
    for english in [*templates.glob("*/en"), templates / "web" / "texts" / "en"]:
        shutil.copytree(english, english.parent / "eo")
    for file, words, translated in (
        ("guide/eo/guide.toml", "Quick guide", "Rapida gvidilo"),
        ("voice-message/eo/subject.txt", "oice message from", "oĉmesaĝo de"),
        ("web/texts/eo/greetings.toml", 'menu = "Greetings"', 'menu = "Salutoj"'),
    ):
        text = (templates / file).read_text(encoding="utf-8")
        assert words in text
        (templates / file).write_text(text.replace(words, translated), encoding="utf-8")
    config = tmp_path / "vm-ari.toml"
    config.write_text(f'templates = "{templates}"\n[asterisk]\npassword = "x"\n')
    card = CliRunner().invoke(keymap, ["card", "-c", str(config), "--lang", "eo"])
    assert "Rapida gvidilo" in card.output
    mails = MailTemplates(templates)
    facts = {"urgent": False, "name": "Ben", "number": "", "clock": "0:12"}
    subject = mails.render(
        "voice-message", mails.language("voice-message", "eo"), "subject.txt", facts
    )
    assert "oĉmesaĝo de Ben" in subject
    assert Texts(templates / "web" / "texts").words(["eo"])("greetings.menu") == "Salutoj"
