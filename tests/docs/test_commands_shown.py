"""Every ``vm-ari`` command that the documentation shows can be typed: names and options exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vm_ari.cli import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHOWN = re.compile(r"(?:`|^ *(?:[$#>] |sudo |[a-z]+\$ )*)vm-ari ((?:[^`\n\\]|\\\n)+)", re.MULTILINE)
WORD = re.compile(r"[a-z][a-z-]*$")
OPTION = re.compile(r"--[a-z][a-z-]+$")


def shown(page: Path) -> Iterator[str]:
    """What stands behind ``vm-ari``, up to a comment or a pipe."""
    for found in SHOWN.finditer(page.read_text(encoding="utf-8")):
        yield re.split(r"  +|[|#…;,()]| > | &&", found[1].strip())[0]


def complaint(text: str) -> str:
    """What is wrong with it; empty for nothing."""
    words = [word.strip("[]:.“”’'\"") for word in text.split()]
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words and WORD.match(words[0]):
        below = command.get_command(context, words[0])
        if below is None:
            return f"there is no “{words[0]}”"
        command, words = below, words[1:]
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    for option in (word.partition("=")[0] for word in words):
        if OPTION.match(option) and option not in {*known, "--help", "--version"}:
            return f"“{command.name}” has no {option}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_exist(page: Path) -> None:
    found = {text: complaint(text) for text in shown(page)}
    assert {text: wrong for text, wrong in found.items() if wrong} == {}


def test_they_are_found() -> None:
    assert sum(len(list(shown(page))) for page in PAGES) > 300


@pytest.mark.parametrize(
    "text", ["tset imap anna", "users sett anna", "check --onyl imap", "test imap anna --all"]
)
def test_a_command_that_does_not_exist_would_be_found(text: str) -> None:
    assert complaint(text)
