"""Record a first installation, from ``pipx install`` to the message that was heard.

usage, from the source tree: ``python -m scripts.record_first_installation``

A wheel is built from the tree and installed in an empty home; Asterisk is the fetched one, laid out
as Debian's packages leave it, and knows nothing of us. What a person would type is typed into a
shell of its own. Written are ``docs/first-installation.cast`` (asciicast 2, for asciinema) and the
text in ``docs/first-installation.md``.
"""

import asyncio
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pexpect

from tests.system.asterisk_houses import PLAIN, House
from vm_ari.adapters.asterisk.install import find_or_fetch

ROOT = Path(__file__).parents[1]
BASE = Path("/tmp/first-installation")  # noqa: S108  # must be new; a short, harmless name
PAGE = ROOT / "docs" / "first-installation.md"
CAST = ROOT / "docs" / "first-installation.cast"
BEGIN, END = "<!-- recorded -->\n", "<!-- end -->\n"
COLUMNS, LINES = 110, 40
LEFT_OUT = (".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", "*.whl")
PATIENCE = 300
PROMPT = "admin$ "

INSTALL: Sequence[tuple[str, str]] = (("admin[$] $", "pipx install -q ./vm_ari-*.whl"),)
WIZARD: Sequence[tuple[str, str]] = (
    ("admin[$] $", "vm-ari init"),
    ("dialplan of ours.*: $", ""),
    ("keep its data.*: $", ""),
    ("before the extension: $", "+49 30 5550"),
    ("by default.*: $", "en"),
    ("How shall it be.*: $", ""),
    ("first user: $", "Anna Berg"),
    ("that mailbox: $", "101"),
    ("Mail address.*: $", "anna.berg@example.com"),
    ("Write .*: $", ""),
    ("Leave a message.*: $", ""),
    ("admin[$] $", "vm-ari message list 101"),
    ("admin[$] $", "exit"),
)


class Recording:
    """What the terminal showed, and when."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.events: list[tuple[float, str]] = []

    def write(self, text: str) -> None:
        """As pexpect hands it over."""
        self.events.append((round(time.monotonic() - self._began, 3), text))

    def flush(self) -> None:
        """Nothing waits."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.events[-1][0]

    def text(self) -> str:
        """Without colours and cursor movements."""
        whole = "".join(text for _, text in self.events).replace("\r\n", "\n")
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", whole)
        return "\n".join(line.rpartition("\r")[2].rstrip() for line in plain.splitlines())

    def cast(self) -> str:
        """As asciinema plays it."""
        head = {"version": 2, "width": COLUMNS, "height": LINES, "title": "vm-ari init"}
        lines = [json.dumps(head), *(json.dumps([at, "o", text]) for at, text in self.events)]
        return "\n".join([*lines, ""])


def build() -> None:
    """The wheel, and pipx; not recorded."""
    source = BASE / "source"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*LEFT_OUT))
    run(sys.executable, "-m", "venv", BASE / "tools")
    pip = (BASE / "tools/bin/pip", "-q", "--disable-pip-version-check")
    run(*pip, "install", "pipx")
    run(*pip, "wheel", "--no-deps", "-w", BASE / "home", source)


def run(*command: str | Path) -> None:
    """Stop at the first thing that fails."""
    subprocess.run([str(word) for word in command], check=True)


def type_all(house: House) -> Recording:
    """Type everything; the shell has an empty home."""
    home = BASE / "home"
    programs = home / ".local" / "bin"
    programs.mkdir(parents=True)
    (programs / "asterisk").write_text(f'#!/bin/sh\nexec {house.console} "$@"\n')
    (programs / "asterisk").chmod(0o755)
    passed = {key: value for key, value in os.environ.items() if "INDEX" in key or "CERT" in key}
    child = pexpect.spawn(
        "/bin/sh",
        cwd=str(home),
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(LINES, COLUMNS),
        env={
            **passed,
            "HOME": str(home),
            "PATH": f"{programs}:{BASE}/tools/bin:/usr/bin:/bin",
            "PIPX_DEFAULT_PYTHON": str(Path(sys.executable).resolve()),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "PS1": PROMPT,
            "ENV": "",
            "VM_ARI_CONFIG": str(home / "vm-ari" / "vm-ari.toml"),
            "VM_ARI_ASTERISK_DIRECTORY": str(house.instance.etc),
        },
    )
    recording = Recording()
    child.logfile_read = recording
    for shown, typed in (*INSTALL, *WIZARD):
        child.expect(shown)
        time.sleep(0.4)  # so that it can be read
        child.sendline(typed)
    child.expect(pexpect.EOF)
    child.close()
    return recording


def write(recording: Recording) -> None:
    """Into the documentation; a recording without a good end is none."""
    text = recording.text()
    if "it is what was spoken" not in text:
        raise SystemExit(f"no message was heard:\n{text}")
    CAST.write_text(recording.cast(), encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    took = f"{recording.seconds:.0f} seconds, of which most are `pipx install` and the two calls."
    block = f"{took}\n\n```text\n{text.strip()}\n```\n"
    PAGE.write_text(f"{before}{BEGIN}{block}{END}{after}", encoding="utf-8")


async def record() -> Recording:
    """Beside an Asterisk that somebody else has set up."""
    house = House(find_or_fetch(report=print), BASE / "asterisk", PLAIN)
    house.lay_out(secrets.token_hex(8))
    await house.start()
    try:
        return await asyncio.to_thread(type_all, house)
    finally:
        await house.stop()


def main() -> None:
    """Build, type, write."""
    BASE.mkdir()  # somebody else's is not touched
    try:
        build()
        write(asyncio.run(record()))
    finally:
        shutil.rmtree(BASE, ignore_errors=True)


if __name__ == "__main__":
    main()
