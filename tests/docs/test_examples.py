"""Every ``toml`` block of the documentation can be used: no unknown key, no bad value."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from vm_ari.config import BadConfig, load
from vm_ari.telephony.menu import load_key_map

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^( *)```toml\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
READ = re.compile(r"_file$|^(certificate|key)$")
"""Keys that name a file which is read along with the configuration."""

Table = dict[str, Any]
MAIL: Table = {"server": "imaps://mail.example.org"}
DIRECTORY: Table = {"servers": ["ldaps://dc.example.org"], "bases": ["dc=example,dc=org"]}


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """Each with the line it stands at."""
    for found in BLOCK.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found[2].replace("\n" + found[1], "\n")


EXAMPLES = [
    pytest.param(text, id=f"{page.relative_to(ROOT)}:{line}")
    for page in PAGES
    for line, text in blocks(page.read_text(encoding="utf-8"))
]


def completed(table: Table, base: Path) -> Table:
    """An example shows a part: what has to stand beside it, and the files that it names."""
    beside: Table = {"asterisk": {"password": "x"}}
    store = table.get("store", {})
    if "imap" in table or store.get("kind") == "imap":
        beside["store"] = {} if store.get("moving") else {"kind": "imap"}
        beside["imap"] = _rest_of_imap(table.get("imap", {}))
    if "ldap" in table.get("directory", {}):
        beside["directory"] = {"kind": "ldap", "ldap": DIRECTORY}
    return _with_files(_joined(beside, table), base)


def _rest_of_imap(shown: Table) -> Table:
    if shown.get("access") == "individual":
        return MAIL
    secret = {} if "password_file" in shown else {"password": "x"}
    return {**MAIL, **secret, "account": "vm-ari"}


def _joined(beside: Table, shown: Table) -> Table:
    """What is shown wins."""
    both = {
        key: _joined(beside[key], shown[key]) for key in beside if _is_table(key, beside, shown)
    }
    return {**beside, **shown, **both}


def _is_table(key: str, *tables: Table) -> bool:
    return all(isinstance(table.get(key), dict) for table in tables)


def _with_files(table: Table, base: Path) -> Table:
    for key, value in table.items():
        if isinstance(value, dict):
            _with_files(value, base)
        elif READ.search(key) and isinstance(value, str):
            file = base / Path(value).name
            file.write_text("Secret0123456789Secret\n")
            file.chmod(0o600)
            table[key] = str(file)
    return table


def use(text: str, base: Path) -> None:
    """As the program would. Raises what it raises."""
    file = base / "example.toml"
    file.write_text(text)
    match text.partition("\n")[0]:
        case "# /etc/vm-ari/keys.toml":
            load_key_map(str(file))
        case "[site]" if "[trial]" in text:
            assert _unasked(tomllib.loads(text)) == []
        case _:
            file.write_text(tomlkit.dumps(completed(tomllib.loads(text), base)))
            load(file)


def _unasked(answers: Table) -> list[str]:
    """Of a file of answers for ``vm-ari init``: those that no question is about."""
    wizard = "".join(file.read_text() for file in (ROOT / "vm_ari/setup_wizard").glob("*.py"))
    keys = [f"{table}.{key}" for table, values in answers.items() for key in values]
    return [key for key in keys if f'"{key}"' not in wizard]


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_of_the_documentation_can_be_used(text: str, tmp_path: Path) -> None:
    use(text, tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[calls]\nlongest_second = 60\n",
        '[imap]\nserver = "mail.example.org"\n',
        '[watching]\npush_token_files = "/etc/vm-ari/push-token"\n',
        'server_hosts = ["*.example.org"]\n',
    ],
)
def test_a_wrong_example_would_be_found(text: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig):
        use(text, tmp_path)


def test_examples_are_found_in_lists_too() -> None:
    page = "1. So:\n\n   ```toml\n   [web]\n   enabled = true\n   ```\n"
    [(line, text)] = blocks(page)
    assert line == 3
    assert tomllib.loads(text) == {"web": {"enabled": True}}
    assert len(EXAMPLES) > 40
