"""TAB answers at once: what it offers, and that nothing heavy is imported for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.site import ROOT, CliSite

HEAVY = {
    "aiohttp", "asyncio", "sqlalchemy", "pydantic", "phonenumbers", "cryptography", "numpy",
    "rich", "structlog", "ldap3", "babel", "jinja2",
}  # fmt: skip
PROGRAM = """
import json, sys
from vm_ari.cli import main
try:
    main(prog_name="vm-ari")
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def complete(site: CliSite, typed: str, **more: str) -> list[str]:
    """What TAB offers after that line; asserts what was imported for it."""
    words = typed.split(" ")
    environment = {
        **{key: text for key, text in os.environ.items() if not key.startswith("VM_ARI")},
        "VM_ARI_CONFIG": str(site.config),
        "_VM_ARI_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
        **more,
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = json.loads(done.stderr.splitlines()[-1])
    assert not HEAVY & {name.partition(".")[0] for name in names}
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_commands_and_options_are_offered(site: CliSite) -> None:
    assert complete(site, "vm-ari us") == ["users"]
    assert complete(site, "vm-ari users unl") == ["unlock"]
    assert "--filter" in complete(site, "vm-ari users list --")
    assert complete(site, "vm-ari users list -o j") == ["json"]


def test_ids_are_offered(people: CliSite) -> None:
    assert complete(people, "vm-ari users show ") == ["anna", "bert"]
    assert complete(people, "vm-ari users unlock anna b") == ["bert"]
    assert complete(people, "vm-ari users show c") == []
    other = people.base / "other.toml"
    other.write_text(people.config.read_text())
    people.config.unlink()
    assert complete(people, "vm-ari users show a") == []
    assert complete(people, f"vm-ari users show -c {other} a") == ["anna"]


@pytest.mark.parametrize(
    "directory",
    [
        'url = "postgresql+psycopg://nobody@127.0.0.1:1/x"',
        'url = "sqlite:////none/such/directory.db"',
        'kind = "ldap"\n[directory.ldap]\nservers = ["ldaps://localhost:1"]',
        "url = 7",
        "url =",
    ],
)
def test_what_cannot_be_asked_at_once_is_not_asked(site: CliSite, directory: str) -> None:
    site.config.write_text(f'[asterisk]\npassword = "x"\n[directory]\n{directory}\n')
    assert complete(site, "vm-ari users show a") == []
    assert not Path("/none").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_name_the_program(site: CliSite, shell: str) -> None:
    script = site.run("completion", shell).stdout
    assert f"_VM_ARI_COMPLETE={shell}_complete" in script
    site.run("completion", "tcsh", code=2)


def test_bash_completes_with_the_script(people: CliSite) -> None:
    """A real shell loads it, and asks the real program."""
    script = people.base / "completion.bash"
    script.write_text(people.run("completion", "bash").stdout)
    ask = (
        f'PATH="{Path(sys.executable).parent}:$PATH"; source {script}; '
        "COMP_WORDS=(vm-ari users show a); COMP_CWORD=3; _vm_ari_completion vm-ari; "
        'echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "VM_ARI_CONFIG": str(people.config)}
    command = ["bash", "--norc", "-c", ask]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "anna\n", done.stderr
