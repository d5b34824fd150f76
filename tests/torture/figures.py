"""The table that a torture prints."""

import os
import platform
import subprocess
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from tests.torture.house import Outcome
from vm_ari.adapters.asterisk.install import AsteriskInstall


def table(outcome: Outcome, install: AsteriskInstall) -> str:
    """What was done, what came of it, where, and how to do it again."""
    book, judgement = outcome.book, outcome.judgement
    outages = Counter(f"{one.part.value}: {one.way.value}" for one in book.outages)
    rows = [
        ("seed", outcome.seed),
        ("minutes", f"{outcome.minutes:g}"),
        ("machine", machine()),
        ("versions", versions(install)),
        *((f"killed, {name}", str(count)) for name, count in sorted(outages.items())),
        *((name, str(count)) for name, count in sorted(book.told.items()) if count),
        ("confirmed messages", str(judgement.confirmed)),
        ("found of these", str(judgement.found)),
        ("duplicates", str(judgement.duplicates)),
        ("mails repeated outside", str(judgement.repeated_mails)),
        ("seconds to settle", f"{outcome.settling:.0f}"),
        ("violations", str(len(outcome.violations))),
    ]
    wide = max(len(name) for name, _ in rows)
    lines = [f"{name:<{wide}}  {value}" for name, value in rows]
    lines += [f"VIOLATION: {one}" for one in outcome.violations]
    again = f"make torture MINUTES={outcome.minutes:g} SEED={outcome.seed}"
    return "\n".join([*lines, f"once more: {again}"])


def machine() -> str:
    """Processor, and how many may be used."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{len(os.sched_getaffinity(0))} × {names[0] if names else platform.machine()}"


def versions(install: AsteriskInstall) -> str:
    """Of everything that was killed."""
    asterisk = _said(*map(str, install.command), "-V")
    dovecot = "Dovecot " + _said("dovecot", "--version").split(" ")[0]
    slapd = _said("/usr/sbin/slapd", "-VV").partition("slapd")[2].split(" (")[0].strip()
    ours = f"vm_ari {version('vm_ari')}, Python {platform.python_version()}"
    return f"{ours}, {asterisk}, {dovecot}, slapd {slapd}"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except OSError:
        return ""
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else ""
