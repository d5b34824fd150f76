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
    "ports_attempts": {"domain"},
    "ports_conference": {"domain", "ports"},
    "ports_fax": {"domain"},
    "ports_fax_sending": {"domain", "ports_orders"},
    "ports_orders": {"domain"},
    "ports_rights": {"domain"},
    "ports_spoken": {"domain", "ports_orders"},
    "services": {
        "services",
        "domain",
        "ports",
        "ports_conference",
        "ports_fax",
        "ports_fax_sending",
        "ports_orders",
        "ports_rights",
        "ports_spoken",
        "ports_attempts",
        "measures",
    },
    "dialogues": {
        "dialogues",
        "telephony",
        "speech",
        "services",
        "domain",
        "ports",
        "ports_conference",
        "ports_orders",
        "ports_spoken",
    },
    "adapters": {
        "adapters",
        "ports",
        "ports_attempts",
        "ports_conference",
        "ports_fax",
        "ports_fax_sending",
        "ports_orders",
        "ports_rights",
        "ports_spoken",
        "domain",
        "telephony.channel",
        "speech",
        "measures",
    },
    "web": {
        "web",
        "services",
        "domain",
        "ports",
        "ports_conference",
        "ports_fax_sending",
        "ports_orders",
        "config",
        "config_web",
    },
    "config": {
        "config_asterisk",
        "config_call_back",
        "config_calls",
        "config_channels",
        "config_directory",
        "config_fax_reception",
        "config_fax_sending",
        "config_inbox",
        "config_journal",
        "config_notifications",
        "config_orders",
        "config_organisations",
        "config_problems",
        "config_rights",
        "config_sending",
        "config_site",
        "config_site_mails",
        "config_sources",
        "config_speech",
        "config_spoken",
        "config_greetings",
        "config_logins",
        "config_logs",
        "config_mail",
        "config_manager",
        "config_metrics",
        "config_missed_calls",
        "config_store",
        "config_watching",
        "config_web",
        "domain",
    },
    "config_asterisk": {"config_directory"},
    "config_call_back": {"config_directory", "domain"},
    "config_calls": {"config_directory", "domain"},
    "config_channels": {"config_directory", "config_orders", "domain"},
    "config_directory": set[str](),
    "config_fax_reception": {"config_directory"},
    "config_fax_sending": {"config_directory", "config_orders", "domain"},
    "config_journal": {"config_directory"},
    "config_orders": {"domain"},
    "config_spoken": {"config_directory", "config_orders", "domain"},
    "config_document": {"config_keys", "config_sources"},
    "config_keys": set[str](),
    "config_listing": {"config_keys", "config_problems", "config_sources"},
    "config_lines": set[str](),
    "config_problems": {"config_keys", "config_sources", "domain"},
    "config_sources": {"config_directory", "config_keys", "config_lines"},
    "config_inbox": {"config_directory", "domain"},
    "config_notifications": {"config_directory"},
    "config_organisations": {"config_directory", "domain"},
    "config_rights": {"config_directory", "domain"},
    "config_sending": {"config_directory", "config_orders", "domain"},
    "config_site": {"config_directory", "domain"},
    "config_site_mails": {"config_directory", "config_orders"},
    "config_speech": {"config_directory", "domain"},
    "config_greetings": {"config_directory", "domain"},
    "config_logins": {"config_directory", "domain"},
    "config_logs": {"config_directory"},
    "config_mail": {"config_directory", "domain"},
    "config_manager": {"config_directory", "domain"},
    "config_metrics": {"config_directory"},
    "config_missed_calls": {"config_directory", "domain"},
    "config_store": {"config_directory", "domain"},
    "config_watching": {"config_directory"},
    "config_web": {"config_directory", "domain"},
    "logs": {"measures"},
    "measures": set[str](),
}
TOP = {"app", "demo", "setup_wizard", "cli", "__main__", "__init__"} | {
    file.stem for file in PACKAGE.glob("wiring*.py")
}
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
