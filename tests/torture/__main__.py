"""``python -m tests.torture [--minutes N] [--seed S]``: ends with 1 if a promise was broken."""

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.torture.book import Part
from tests.torture.figures import table
from tests.torture.house import torture
from vm_ari.adapters.asterisk.install import find_or_fetch


def main() -> int:
    """Torment, print the figures; the files stay where something was wrong."""
    options = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    options.add_argument("--minutes", type=float, default=5.0)
    options.add_argument("--seed", default=str(random.SystemRandom().randrange(1_000_000)))
    options.add_argument("--keep", action="store_true", help="keep the files in any case")
    options.add_argument("--parts", nargs="*", type=Part, default=tuple(Part), metavar="PART")
    chosen = options.parse_args()
    print(f"seed {chosen.seed}, {chosen.minutes:g} minutes", flush=True)
    install = find_or_fetch()
    place = Path(tempfile.mkdtemp(prefix="vm-ari-torture-"))
    work = torture(install, place, minutes=chosen.minutes, seed=chosen.seed, parts=chosen.parts)
    outcome = asyncio.run(work)
    print(table(outcome, install))
    (place / "diary").write_text("\n".join(outcome.book.diary))
    if outcome.violations or chosen.keep:
        print(f"files: {place}")
    else:
        shutil.rmtree(place)
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
