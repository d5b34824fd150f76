"""The program answers at once: nothing heavy is imported before a command needs it."""

import json
import subprocess
import sys

import pytest

from tests.cli.site import ROOT

HEAVY = {
    "aiohttp", "asyncio", "sqlalchemy", "pydantic", "phonenumbers", "cryptography", "numpy",
    "rich", "structlog", "ldap3",
}  # fmt: skip
IMPORTED = """
import json, sys
before = set(sys.modules)
from vm_ari.cli import main
main(sys.argv[1:], standalone_mode=False)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.mark.parametrize(
    "words",
    [["--help"], ["users", "--help"], ["users", "set", "--help"], ["keys", "--help"],
     ["test", "--help"], ["explain", "--help"], ["check", "--help"], ["schema", "test", "--help"],
     ["store", "migrate", "--help"], ["demo", "--help"]],
)  # fmt: skip
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    command = [sys.executable, "-c", IMPORTED, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = json.loads(done.stdout.splitlines()[-1])
    assert not HEAVY & {name.partition(".")[0] for name in names}
    assert len(names) < 250, "the start becomes slow"


def test_every_command_has_the_summary_of_its_own_help() -> None:
    from vm_ari.cli import COMMANDS, SUMMARIES, main

    assert COMMANDS.keys() == SUMMARIES.keys()
    context = main.make_context("vm-ari", ["users"], resilient_parsing=True)
    for name in COMMANDS:
        assert main.get_command(context, name) is not None
