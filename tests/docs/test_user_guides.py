"""The guides for users hold the key card as the program prints it.

``python -m tests.docs.test_user_guides`` writes it into them.
"""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner

from vm_ari.cli.keymap import keymap
from vm_ari.telephony.menu import load_key_map

ROOT = Path(__file__).parents[2]
CODES = ("de", "en")
BEGIN, END = "<!-- card -->\n", "<!-- end -->\n"
LINE = re.compile(r"  (\S)  (.+)")
each_guide = pytest.mark.parametrize("code", CODES)


def guide(code: str) -> Path:
    return ROOT / "docs" / f"user-guide.{code}.md"


def printed_card(code: str) -> str:
    """What an administrator gets for an installation without changes."""
    with TemporaryDirectory() as folder:
        config = Path(folder) / "vm-ari.toml"
        config.write_text('[asterisk]\npassword = "x"\n')
        done = CliRunner().invoke(keymap, ["card", "-c", str(config), "--lang", code])
    assert done.exit_code == 0, done.output
    return done.output


def card(code: str) -> str:
    """The same as Markdown; its title stands above it already."""
    _title, *chapters = printed_card(code).rstrip("\n").split("\n\n")
    return "".join(f"\n{_chapter(one)}" for one in chapters) + "\n"


def _chapter(text: str) -> str:
    title, *lines = text.splitlines()
    rows = (LINE.fullmatch(line) for line in lines)
    table = "".join(f"| `{row[1]}` | {row[2]} |\n" for row in rows if row)
    return f"### {title}\n\n| | |\n| --- | --- |\n{table}"


def with_card(text: str, code: str) -> str:
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + card(code) + END + rest.partition(END)[2]


@each_guide
def test_the_guide_has_the_card(code: str) -> None:
    text = guide(code).read_text(encoding="utf-8")
    assert text == with_card(text, code), __doc__
    assert len(LINE.findall(printed_card(code))) == text.partition(BEGIN)[2].count("| `")


def test_the_keys_that_words_name_are_those_of_the_menus() -> None:
    """Who gives an action another key, looks through the words of both guides."""
    told = {
        "main": {"new_voice": "1", "new_mail": "3", "greetings": "5", "profile": "6"}
        | {"transfer": "7", "personal": "8", "send_message": "9"},
        "playing": {"pause": "0", "rewind": "3", "forward": "9", "slower": "8", "faster": "5"},
        "message": {"delete": "7", "keep_new": "2", "reply": "3", "forward": "8", "call_back": "5"},
        "recipients": {"number": "1", "name": "2", "done": "#"},
        "greetings": {"profile": "1", "name": "2"},
        "recording": {"record": "2"},
        "greeting_review": {"keep": "1"},
        "review": {"send": "1", "hear": "2", "redo": "3", "urgent": "4"},
        "sending": {"dispatch": "1"},
        "personal": {"pin": "3"},
        "conference": {"mute": "1", "participants": "2", "lock": "4", "mute_all": "5"}
        | {"record": "6", "end": "9", "back": "*"},
        "greeting": {"log_in": "*", "quick_message": "0", "leave_message": "1", "connect": "2"},
    }
    named = {f"{menu}.{action}": key for menu, rows in told.items() for action, key in rows.items()}
    keys = load_key_map("default").keys
    assert {action: keys[action] for action in named} == named


@each_guide
def test_the_pages_that_it_names_are_in_the_portal(code: str) -> None:
    folder = ROOT / "templates" / "web" / "texts" / code
    texts = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.toml"))
    menus = re.findall(r'^menu = "(.+)"$', texts, re.M)
    table = re.findall(r"^\| (\*\*.*?) \|", guide(code).read_text(encoding="utf-8"), re.M)
    named = re.findall(r"\*\*(.+?)\*\*", "\n".join(table))
    assert len(named) > 12
    assert [name for name in named if name not in menus] == []


def main() -> None:
    """Write the cards."""
    for code in CODES:
        guide(code).write_text(with_card(guide(code).read_text("utf-8"), code), encoding="utf-8")


if __name__ == "__main__":
    main()
