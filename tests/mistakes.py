"""Mistakes that admins make, and the one line each is answered with: docs/mistakes.md is the list.

A test makes a mistake on a real server, takes the one line that comes of it, and compares that with
the line of the list. ``VM_ARI_MISTAKES=write pytest …`` (without -n) writes the list anew.
"""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from tests.cli.site import CliSite
from vm_ari.cli import main

LIST = Path(__file__).parent.parent / "docs" / "mistakes.md"
HEAD = """\
# Mistakes, and what is said of them

What `vm-ari check` says when something is not as it should be: the cause, and what to do next. Each
line below was said by a test that made this mistake on a real server (`tests/mistakes.py`); names,
ports and paths are those of an example.

`vm-ari check --only PART` looks at one part, `--fix` mends what can be mended safely, `--nagios`
says it all in one line (docs/operations.md).
"""
SECTIONS = (
    "Configuration",
    "Files and disks",
    "Directory",
    "Mail servers",
    "Asterisk",
    "Services",
    "Speech and texts",
    "Portal and databases",
)
_ROW = re.compile(r"\| (?P<title>.+?) \| (?P<what>.+?) \| (?P<todo>.*?) \|")
_USUAL = (
    (r"\b(localhost|127\.0\.0\.1|\[::1\]):\d{2,5}\b", r"\1:PORT"),
    (r"\b20\d\d-\d\d-\d\d\b", "DATE"),
    (r"\b\d+ MB\b", "N MB"),
    (r"/(tmp|var/tmp|root)/[^ ,;:]*pytest[^ ,;:/]*/[^ ,;:/]+/[^ ,;:/]+?0?(?=[/ ,;:.])", "/srv"),
)


@dataclass(frozen=True)
class Line:
    """What was said."""

    what: str
    todo: str


def said(site: CliSite, part: str, *more: str, code: int | None = None) -> Line:
    """The one problem that the check of a part has found."""
    found = problems(site, part, *more, code=code)
    assert len(found) == 1, found
    return found[0]


def problems(site: CliSite, parts: str, *more: str, code: int | None = None) -> list[Line]:
    """What the check of these parts has found to be wrong."""
    words = ["check", "--only", parts, "-o", "json", *more, "-c", str(site.config)]
    result = CliRunner().invoke(main, words)
    assert code in {None, result.exit_code}, result.output
    found = json.loads(result.stdout)
    return [Line(one["what"], one["what to do"]) for one in found if one["result"] == "problem"]


def refused(site: CliSite, *words: str, code: int) -> Line:
    """The one line of a command that could not even begin: what is wrong; what to do."""
    stderr = site.run(*words, code=code).stderr.strip()
    assert len(stderr.splitlines()) == 1, stderr
    cause, _, advice = stderr.partition("; ")
    return Line(cause, advice)


def compare(section: str, title: str, line: Line, **names: object) -> None:
    """With the list, or write it there; *names* are replaced: ``base=path`` becomes ``/base``."""
    assert line.what, title
    assert line.todo, f"{title}: nobody says what to do: {line.what}"
    row = Line(*(_harmless(text, names) for text in (line.what, line.todo)))
    there = rows()
    if os.environ.get("VM_ARI_MISTAKES") == "write":
        there.setdefault(section, {})[title] = row
        _write(there)
        there = rows()
    listed = there.get(section, {}).get(title)
    assert listed == row, f"{title}: said {row}, listed {listed} (VM_ARI_MISTAKES=write lists it)"


def rows() -> dict[str, dict[str, Line]]:
    """The list, by section and title."""
    found: dict[str, dict[str, Line]] = {}
    section = ""
    for text in LIST.read_text(encoding="utf-8").splitlines() if LIST.exists() else ():
        if text.startswith("## "):
            section = text[3:]
        elif (row := _ROW.fullmatch(text)) and section and row["title"] not in ("Mistake", "---"):
            found.setdefault(section, {})[row["title"]] = Line(row["what"], row["todo"])
    return found


def _harmless(text: str, names: dict[str, object]) -> str:
    """Without what differs from run to run, or would end a cell."""
    for name, value in names.items():
        text = text.replace(str(value), f"/{name}" if isinstance(value, Path) else name)
    for pattern, instead in _USUAL:
        text = re.sub(pattern, instead, text)
    return text.replace("|", "/")


def _write(there: dict[str, dict[str, Line]]) -> None:
    text = HEAD
    for section in SECTIONS:
        if section in there:
            text += f"\n## {section}\n\n| Mistake | What is said | What to do |\n|---|---|---|\n"
            lines = sorted(there[section].items())
            text += "".join(f"| {title} | {one.what} | {one.todo} |\n" for title, one in lines)
    LIST.write_text(text, encoding="utf-8")
