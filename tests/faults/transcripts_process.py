"""A controller reduced to messages that are written down, started again and again to be killed.

The process imports everything once and forks one controller for each line on standard input:
``<directory> <seconds a message waits> <n>``; before the n-th step that changes files below the
directory it kills itself, 0: it comes to its end. The answer is how many steps it took, or
``killed``.
"""

import asyncio
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

from tests.faults.welcome_process import Fate
from tests.services.post import ANNA
from tests.services.transcript_house import House
from vm_ari.domain.transcripts import TranscriptRules
from vm_ari.services.deliveries import Pace

LONGEST_LIFE = 30.0
SIGN = b"Thursday"
"""A word that was said."""


async def live(base: Path, wait_seconds: float) -> None:
    """Deliver what lies in the spool, and write it down."""
    house = House(base, rules=TranscriptRules(wait_seconds), pace=Pace(settle=timedelta(0)))
    await house.open()
    async with asyncio.timeout(LONGEST_LIFE):
        while not is_done(house):
            await asyncio.sleep(0.01)
    await house.shut()


async def leave(base: Path) -> None:
    """A message is kept, and then the controller stops; mailbox and queue are no new ones."""
    for name in ("tmp", "new", "cur"):
        (base / "mail" / ANNA.mailbox / name).mkdir(parents=True)
    for name in ("prepared", "new", "attempts", "hold", "sent", "corrupt"):
        (base / "queue" / name).mkdir(0o700, parents=True)
    house = House(base)
    await house.open()
    for task in house.running:
        task.cancel()
    await house.leave("a")
    await house.shut()


def is_done(house: House) -> bool:
    """The message is there, what was said too, and nothing is left to be done."""
    undone = ("spool/new/*", "queue/new/*", "spool/transcripts/*/owed")
    if any(any(house.root.glob(what)) for what in undone):
        return False
    mailbox = house.root / "mail" / house.user.mailbox
    return any(SIGN in file.read_bytes() for file in mailbox.glob("new/*"))


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # logs are not answers
    with tempfile.TemporaryDirectory() as base:  # what is imported only now, is imported for all
        asyncio.run(leave(Path(base)))
        asyncio.run(live(Path(base), 0))
    for line in sys.stdin:
        directory, wait_seconds, deadly = line.split()
        ours, theirs = os.pipe()
        if (child := os.fork()) == 0:
            try:
                fate = Fate(Path(directory), int(deadly))
                asyncio.run(live(Path(directory), float(wait_seconds)))
                os.write(theirs, f"{fate.steps}\n".encode())
            except BaseException as error:
                os.write(theirs, f"{error!r}\n".encode())
            finally:
                os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as told:
            print(told.read().strip() or "killed", file=answers, flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
