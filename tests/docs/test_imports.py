"""Imports run one way (design: layout)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "vm_ari"
ALLOWED = {
    "domain": {"domain"},
    "speech": {"speech", "domain"},
    "ports": {"ports", "domain"},
    "telephony": {"telephony", "speech", "domain"},
    "services": {"services", "domain", "ports", "measures"},
    "dialogues": {"dialogues", "telephony", "speech", "services", "domain", "ports"},
    "adapters": {"adapters", "ports", "domain", "telephony.channel", "speech", "measures"},
    "web": {"web", "services", "domain", "ports", "config"},
    "config": {"config", "domain"},
    "logs": {"measures"},
    "measures": set[str](),
}
TOP = {"app", "wiring", "demo", "setup_wizard", "cli", "__main__", "__init__"}
"""Composition roots may import everything; only they may be imported by the command line."""


def imports(file: Path) -> Iterator[str]:
    """The vm_ari modules that a file imports, without the package's name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("vm_ari."):
                yield module.removeprefix("vm_ari.")
            case ast.ImportFrom(module="vm_ari"):
                yield from (alias.name for alias in node.names)
            case ast.Import():
                for alias in node.names:
                    if alias.name.startswith("vm_ari."):
                        yield alias.name.removeprefix("vm_ari.")


def part_of(file: Path) -> str:
    """The first level below the package."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = [file for file in sorted(PACKAGE.rglob("*.py")) if part_of(file) not in TOP]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_imports_run_one_way(file: Path) -> None:
    allowed = ALLOWED[part_of(file)]
    for module in imports(file):
        ok = any(module == name or module.startswith(f"{name}.") for name in allowed)
        assert ok, f"{file.relative_to(PACKAGE)} must not import vm_ari.{module}"


def test_pure_parts_do_no_input_or_output() -> None:
    forbidden = {"asyncio", "os", "socket", "subprocess", "time", "sqlalchemy", "aiohttp"}
    for file in (PACKAGE / "domain").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not forbidden & {name.split(".")[0] for name in names}, file
