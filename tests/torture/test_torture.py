"""A short torture: everything is killed while people call, and nothing that was promised is lost.

A longer one is ``make torture MINUTES=20``; VM_ARI_SEED and VM_ARI_TORTURE_MINUTES are for both.
"""

import asyncio
import os
import random
from pathlib import Path

import pytest

from tests.torture.book import Part
from tests.torture.figures import table
from tests.torture.house import torture
from vm_ari.adapters.asterisk.install import AsteriskInstall

MINUTES = float(os.environ.get("VM_ARI_TORTURE_MINUTES", "0.5"))


@pytest.mark.slow
@pytest.mark.feature_part(
    "CALL-10", "whatever is killed, what was said after the tone is delivered"
)
@pytest.mark.feature_part("MAIL-08", "exactly once, however often the mail server dies")
@pytest.mark.feature_part("NOTIFY-01", "lamps are right after everything was killed")
def test_nothing_is_lost_or_there_twice_whatever_dies(
    asterisk_install: AsteriskInstall, tmp_path: Path
) -> None:
    seed = os.environ.get("VM_ARI_SEED", str(random.SystemRandom().randrange(1_000_000)))
    work = torture(asterisk_install, tmp_path, minutes=MINUTES, seed=seed)
    outcome = asyncio.run(work)
    print(table(outcome, asterisk_install))
    assert outcome.violations == []
    assert outcome.book.told["messages begun"] > 0
    assert {one.part for one in outcome.book.outages} == set(Part)
