"""docs/reliability.md names tests that exist: a promise without a test is none."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
NAMED = re.compile(r"(tests/[\w/]+\.py)::(test_\w+)")


def _tests_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE.read_text())
    assert len(named) > 20
    missing = [f"{file}::{test}" for file, test in named if test not in _tests_in(ROOT / file)]
    assert missing == []


def test_every_line_names_one() -> None:
    table = PAGE.read_text().partition("## When a part fails")[2].partition("## Times")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert [line for line in lines if not NAMED.search(line) and "the same test" not in line] == []
