"""Every hostile mail of the corpus in a real mailbox, read to a user who calls.

    python -m bench.hostile_mailbox [--megabytes 100] [--store dovecot]

The dialogue is the real one on a line whose prompts take no time; each mail is alone in the
mailbox. "first words" is the time in seconds from the key that asks for new messages to the first
words of the mail (or to being told that it cannot be read), "all" until the last; synthesis, which
`bench.mail_to_speech` measures, is left out. "growth" is by how much the largest resident memory of
the calling process grew over all of them; the workers that read mails have limits of their own,
which the kernel keeps.
"""

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path

from bench.heading import heading
from tests.fake_voice import FakeFaxes, FakeVoice
from tests.faults.hostile_mailboxes import BOXES, Box, Heard, Memory, all_mails
from tests.faults.hostile_mailboxes import listen_to_the_only_one as listen
from vm_ari.adapters.mail_reader import MailReader
from vm_ari.services.reading import Readings
from vm_ari.speech.catalogue import P

LIMIT = 5.0
"""Seconds within which something must be heard of a mail."""
TITLES = ("mails", "read", "passed over", "first words p50", "max", "all max", "growth MB")


async def measured(box: Box, megabytes: int) -> dict[str, Heard]:
    """Each mail in turn."""
    readings = Readings(MailReader(), FakeFaxes(), FakeVoice(), ("en", "de", "fr"))
    found = {}
    for name, portions in all_mails(megabytes):
        box.empty()
        box.put(name, portions)
        found[name] = await listen(box, readings, is_speech)
    return found


def is_speech(clip: str) -> bool:
    """Is it a part of the mail?"""
    return clip.startswith("/spoken/")


def row(store: str, heard: dict[str, Heard], growth: float) -> str:
    """The figures of one store, and which mail was the slowest."""
    first = {name: one.first_words for name, one in heard.items()}
    gone = sum(f"en/{P.MESSAGE_GONE}" in one.sounds for one in heard.values())
    cells = (
        *(len(heard), len(heard) - gone, gone, f"{statistics.median(first.values()):.2f}"),
        *(f"{max(first.values()):.2f}", f"{max(one.whole for one in heard.values()):.2f}"),
        f"{growth:.0f}",
    )
    slowest = max(first, key=lambda name: first[name])
    late = sum(seconds > LIMIT for seconds in first.values())
    texts = [f"{cell:>{len(title)}}" for cell, title in zip(cells, TITLES, strict=True)]
    return f"{store:10}{'  '.join(texts)}  slowest: {slowest}; later than {LIMIT:.0f} s: {late}"


def main() -> None:
    """Print a row for each store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--store", choices=sorted(BOXES))
    options = parser.parse_args()
    print(heading())
    print(f"{'':10}{'  '.join(TITLES)}")
    for store in [options.store] if options.store else BOXES:
        with tempfile.TemporaryDirectory() as base, BOXES[store](Path(base)) as box:
            memory = Memory()
            heard = asyncio.run(measured(box, options.megabytes))
            print(row(store, heard, memory.growth), flush=True)


if __name__ == "__main__":
    main()
