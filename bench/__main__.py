"""All benchmarks, one after the other, and how long each took.

    python -m bench [--quick] [NAME…]

With *--quick* each only shows that it works, with few calls and small mailboxes: its figures say
nothing. Ends with 1 when one of them failed.
"""

import argparse
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Script:
    """One line of the list: a module, and its options."""

    module: str
    whole: str = ""
    quick: str = "--quick"

    def command(self, *, quick: bool) -> Sequence[str]:
        """To be run in a process of its own."""
        options = self.quick if quick else self.whole
        return [sys.executable, "-m", f"bench.{self.module}", *shlex.split(options)]


SCRIPTS = (
    Script("first_audio", "--calls 40 --rounds 2"),
    Script("first_audio", "--calls 40 --rounds 2 --directory ldap", "--quick --directory ldap"),
    Script("first_audio", "--calls 40 --rounds 2 --peer imap", "--quick --peer imap"),
    Script("call_load"),
    Script("keys", "--presses 8", "--presses 2"),
    Script("moments"),
    Script("moments", "--store imap", "--quick --store imap"),
    Script("ldap_lookup", "", "--users 200 --lookups 100 --callers 10 --rounds 1"),
    Script("mass_reset", "", "--users 50 --rounds 1"),
    Script("inbox_login", "", "--messages 500 --rounds 3"),
    Script("hostile_mailbox", "", "--megabytes 1 --store maildir"),
    Script("mail_to_speech", "--skip-hostile", "--skip-hostile --rounds 1"),
    Script("journal", "", "--entries 5000 --users 500 --rounds 10"),
    Script(
        "portal",
        "--no-peer --rounds 40",
        "--no-peer --users 500 --entries 3000 --missed 500 --calls 20 --log-lines 2000 --rounds 2",
    ),
    Script("scale", "", "--users 500 --nodes 1 --seconds 1"),
    Script("conference", "", "--parties 4 --seconds 3"),
    Script("lamps", "--mailboxes 10000", "--mailboxes 30 --phones 3 --messages 1 --rounds 1"),
    Script("soak"),
)
"""In the order in which the tables stand in docs/performance.md; the longest one comes last."""


@dataclass(frozen=True)
class Outcome:
    """How one of them ended."""

    shown: str
    status: int
    seconds: float

    def __str__(self) -> str:
        """One line."""
        ended = "well" if self.status == 0 else f"with {self.status}"
        return f"{self.seconds:6.0f} s  ended {ended}: {self.shown}"


def run(script: Script, *, quick: bool) -> Outcome:
    """One of them, and what it says."""
    command = script.command(quick=quick)
    shown = shlex.join(["python", *command[1:]])
    print(f"\n$ {shown}", flush=True)
    begun = time.monotonic()
    status = subprocess.run(command, check=False).returncode
    return Outcome(shown, status, time.monotonic() - begun)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="all of them without a name")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.names) - {one.module for one in SCRIPTS}:
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}")
    chosen = [one for one in SCRIPTS if not options.names or one.module in options.names]
    outcomes = []
    for script in chosen:
        outcomes.append(run(script, quick=options.quick))
        print(outcomes[-1], flush=True)
    print("", *outcomes, sep="\n")
    return 1 if any(one.status for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
