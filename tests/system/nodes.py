"""``python -m tests.system.nodes [--minutes N] [--seed S]``: two nodes, and everything dies.

Ends with 1 if a promise was broken; then the files stay.
"""

import argparse
import asyncio
import os
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from tests.system.node_house import NAMES, House
from tests.system.node_torment import Outcome, torment
from tests.torture.figures import machine
from vm_ari.adapters.asterisk.install import find_or_fetch


async def _torment(place: Path, chosen: argparse.Namespace) -> Outcome:
    async with House(find_or_fetch(), place, ldap=chosen.ldap) as house:
        dice = random.Random(chosen.seed)
        return await torment(house, dice, seconds=chosen.minutes * 60, callers=chosen.callers)


def table(outcome: Outcome, minutes: float, seed: str) -> str:
    """What was done, and what came of it."""
    spoken = outcome.tale.spoken
    waited = sorted(one.waited for one in spoken) or [0.0]
    rows = [
        ("seed", seed),
        ("minutes", f"{minutes:g}"),
        ("machine", f"{machine()}, load {os.getloadavg()[0]:.1f} at the end"),
        *((f"killed, {name}", str(count)) for name, count in sorted(outcome.killed.items())),
        *((f"calls at node {n}", str(sum(one.node == n for one in spoken))) for n in NAMES),
        ("calls not answered", str(outcome.tale.refused)),
        ("hung up on by a node", str(sum(one.cut_off for one in spoken))),
        ("taken by a dialplan", str(sum(one.said.by_dialplan for one in spoken))),
        ("thanked for", str(sum(one.said.thanked for one in spoken))),
        ("answered after, median", f"{statistics.median(waited):.2f} s"),
        ("answered after, longest", f"{waited[-1]:.2f} s"),
        ("messages owed", str(outcome.confirmed)),
        ("found of these", str(outcome.found)),
        ("seconds to settle", f"{outcome.settling:.0f}"),
        ("violations", str(len(outcome.violations))),
    ]
    wide = max(len(name) for name, _ in rows)
    lines = [f"{name:<{wide}}  {value}" for name, value in rows]
    lines += [f"VIOLATION: {one}" for one in outcome.violations]
    again = f"python -m tests.system.nodes --minutes {minutes:g} --seed {seed}"
    return "\n".join([*lines, f"once more: {again}"])


def main() -> int:
    """Torment, and print the figures."""
    options = argparse.ArgumentParser(prog="python -m tests.system.nodes", description=__doc__)
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--seed", default=str(random.SystemRandom().randrange(1_000_000)))
    options.add_argument("--callers", type=int, default=4, help="at a time")
    options.add_argument("--ldap", action="store_true", help="users on slapd, not in PostgreSQL")
    options.add_argument("--keep", action="store_true", help="keep the files in any case")
    chosen = options.parse_args()
    place = Path(tempfile.mkdtemp(prefix="vm-ari-nodes-"))
    outcome = asyncio.run(_torment(place, chosen))
    print(table(outcome, chosen.minutes, chosen.seed))
    if outcome.violations or chosen.keep:
        print(f"files: {place}")
    else:
        shutil.rmtree(place)
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
