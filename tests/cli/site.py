"""A configured site for the command line: its files, and how a command is run there."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from tests.patience import STORY
from vm_ari.cli import main

ROOT = Path(__file__).parents[2]
BASE = "+4930555"


@dataclass(frozen=True)
class CliSite:
    """What lies below one directory."""

    base: Path

    def configure(self, more: str = "") -> None:
        """Write the configuration; *more* is TOML."""
        self.config.write_text(
            f'[asterisk]\npassword = "x"\n[site]\nbase_number = "{BASE}"\n'
            f'[directory]\nurl = "sqlite:///{self.base}/directory.db"\n'
            f'keys = "{self.base}/keys"\n{more}'
        )

    @property
    def config(self) -> Path:
        return self.base / "vm-ari.toml"

    def run(self, *words: str | Path, code: int = 0, typed: str = "") -> Result:
        """Run a command in this process; *code* is the exit code it must have."""
        environment = {"VM_ARI_CONFIG": str(self.config)}
        result = CliRunner().invoke(main, [str(w) for w in words], input=typed, env=environment)
        assert result.exit_code == code, (result.output, result.exception)
        return result

    def ask(self, *words: str | Path) -> Any:
        """What a command says as JSON."""
        return json.loads(self.run(*words, "-o", "json").stdout)

    def start(self, *words: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command as a program."""
        return subprocess.run(
            [sys.executable, "-m", "vm_ari", *map(str, words), "-c", str(self.config)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=STORY,
            check=False,
        )
