"""Commands of the console of a running Asterisk (``asterisk -rx``)."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

SECONDS = 15


@dataclass(frozen=True)
class Console:
    """How Asterisk's console is reached: usually just ``asterisk``."""

    command: Sequence[str]

    def run(self, line: str) -> str | None:
        """What it prints; None where no Asterisk runs or we may not talk to it. Blocks."""
        try:
            done = subprocess.run(
                [*self.command, "-rx", line],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                check=False,
                timeout=SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout if done.returncode == 0 else None

    def reload(self, lines: Sequence[str]) -> bool:
        """All these commands; False at the first that nobody answers. Blocks."""
        return all(self.run(line) is not None for line in lines)
