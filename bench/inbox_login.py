"""From the PIN to "you have 3 new messages" and the first message: 100,000 messages or none.

    python -m bench.inbox_login [--messages 100000] [--rounds 7] [--store maildir]

The user calls, logs in and asks for the new messages; the dialogue is the real one, on a line
whose prompts take no time. Every mailbox has three new voice messages; the large one has others
besides: 2 % voice messages, 2 % unread, three years old at most. "counts" is the time from the last
key of the PIN until the counts are spoken, "audio" from the key that asks for the new messages
until the newest of them plays, "login + audio" both together. Between two calls a mail was read in
a mail program, and on Dovecot each call has a new connection. "first" is the call in which nobody,
neither we nor the server, has seen the mailbox before; the other figures are medians of the rest.

*walk* is a straightforward program on the same mailbox, before it could say the counts: on Dovecot
an imapclient that logs in, searches ALL and fetches the flags and headers of everything, on the
Maildir the standard library's ``mailbox.Maildir`` reading every header. One Dovecot (Maildir),
loopback, no TLS; its ``maildir_very_dirty_syncs`` is on, as its manual advises.
"""

import argparse
import asyncio
import email.parser
import mailbox
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.heading import heading
from tests.adapters.imap_store import INDIVIDUAL, ImapStore, imap_store
from tests.adapters.maildir_store import MaildirStore, maildir_store
from tests.dialogues.exchange import ANNA, PIN
from tests.dovecot import Dovecot, dovecot
from tests.faults.calls_to_mailboxes import call
from tests.faults.mail_programs import voice_mail
from tests.phone import Phone
from vm_ari.speech.catalogue import P

YEARS, NEW = 3, 3
DIRTY = "maildir_very_dirty_syncs = yes\n"
"""Dovecot's advice for Maildirs that only Dovecot works on: else SELECT reads the directory."""
NOBODY = 65534
_VOICE = "Message-Context: voice-message\nContent-Duration: 5\n"
_BODY = "This is a line of an ordinary mail, as there are many of them.\n" * 20
TITLES = ("counts first", "counts", "audio", "login + audio", "walk first", "walk")


@dataclass
class Figures:
    """Seconds of each call; the first one apart."""

    name: str
    counts: list[float] = field(default_factory=list)
    audio: list[float] = field(default_factory=list)
    walk: list[float] = field(default_factory=list)

    @property
    def whole(self) -> float:
        """Both steps of a usual call."""
        return statistics.median(a + b for a, b in self._pairs())

    def _pairs(self) -> list[tuple[float, float]]:
        return list(zip(self.counts[1:], self.audio[1:], strict=True))

    def row(self) -> str:
        """A line of the table, in milliseconds."""
        figures = (
            *(self.counts[0], statistics.median(self.counts[1:])),
            *(statistics.median(self.audio[1:]), self.whole),
            *(self.walk[0], min(self.walk[1:])),
        )
        cells = [f"{n * 1000:>{len(t)}.1f}" for n, t in zip(figures, TITLES, strict=True)]
        return f"{self.name:18}" + "  ".join(cells)


def fill(inbox: Path, count: int, work: Path) -> None:
    """Write that many mails and the new ones into a Maildir, as a delivery agent would have."""
    for name in ("cur", "new", "tmp"):
        (inbox / name).mkdir(parents=True, exist_ok=True)
    now = time.time()
    for number in range(count):
        when = now - (count - number) / count * YEARS * 365 * 86400 - 3600
        voice = _VOICE if number % 50 == 7 else ""
        flags = "" if number >= count * 0.98 and not voice else "S"
        head = f"From: p{number % 500}@example.org\nSubject: Mail {number}\n{voice}"
        text = f"{head}Message-ID: <{number}@example.org>\n\n{_BODY}"
        path = inbox / "cur" / f"{int(when)}.M{number}.host:2,{flags}"
        path.write_text(text)
        os.utime(path, (when, when))
    for number in range(1, NEW + 1):
        path = inbox / "new" / f"{int(now)}.M{number}P1.host"
        path.write_bytes(voice_mail(number, work).replace(b"\r\n", b"\n"))


async def one_call(store: ImapStore | MaildirStore, figures: Figures) -> None:
    """Log in, hear the counts, hear the newest message."""

    async def story(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        began = time.perf_counter()
        phone.presses(f"{PIN}#")
        await phone.hears(P.YOU_HAVE)
        figures.counts.append(time.perf_counter() - began)
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        assert "en/digits/3" in phone.heard_names(), phone.heard_names()
        asked = time.perf_counter()
        phone.presses("1")
        await phone.hears(P.MESSAGE_NUMBER)
        phone.presses("#")
        while not phone.heard_names()[-1].endswith("/message"):
            await phone.waits(0)
        figures.audio.append(time.perf_counter() - asked)
        phone.hangs_up()

    await call(store, ANNA, story)


async def on_imap(server: Dovecot, figures: Figures, rounds: int) -> None:
    """Calls to one controller, each with a new connection, and a mail was read in between."""
    store = imap_store(server, INDIVIDUAL)
    for number in range(rounds):
        await one_call(store, figures)
        await (await store.doorman.open(ANNA)).pool.hang_up()
        with server.mail_program(ANNA.id) as client:
            client.add_flags(client.search(["UID", f"{number + 1}"]), ["$Looked"], silent=True)
    await store.doorman.close()


async def on_files(store: MaildirStore, figures: Figures, rounds: int) -> None:
    """Calls to one controller, and a mail was marked in between."""
    for _ in range(rounds):
        await one_call(store, figures)
        if old := next((store.inbox / "cur").iterdir(), None):
            old.rename(old.with_name(old.name.replace(":2,S", ":2,FS").replace("FFS", "S")))


def walk_by_imap(server: Dovecot) -> int:
    """The straightforward client; how many new voice messages has it found?"""
    found = 0
    with server.mail_program(ANNA.id) as client:
        uids = client.search(["ALL"])
        for start in range(0, len(uids), 500):
            fetched = client.fetch(uids[start : start + 500], ["FLAGS", "BODY.PEEK[HEADER]"])
            for one in fetched.values():
                header = email.parser.BytesHeaderParser().parsebytes(one[b"BODY[HEADER]"])
                is_voice = header["Message-Context"] == "voice-message"
                found += is_voice and b"\\Seen" not in one[b"FLAGS"]
    return found


def walk_by_files(inbox: Path) -> int:
    """The same with the standard library."""
    parse, found = email.parser.BytesHeaderParser(), 0
    box = mailbox.Maildir(inbox, factory=None, create=False)
    for key in box.keys():  # noqa: SIM118 - a mailbox is no dictionary
        with (inbox / box._lookup(key)).open("rb") as file:  # type: ignore[attr-defined]
            is_voice = parse.parse(file)["Message-Context"] == "voice-message"
        found += is_voice and "S" not in box._lookup(key).partition(":2,")[2]  # type: ignore[attr-defined]
    return found


def timed(walk: Callable[[], int], figures: Figures) -> None:
    """How long it takes, three times."""
    for _ in range(3):
        began = time.perf_counter()
        assert walk() == NEW
        figures.walk.append(time.perf_counter() - began)


def measure_imap(messages: int, rounds: int) -> Figures:
    """On a Dovecot of its own."""
    figures = Figures(f"Dovecot {messages}")
    with tempfile.TemporaryDirectory() as work, dovecot(ANNA.id, settings=DIRTY) as server:
        inbox = server.mail_directory(ANNA.id) / "Maildir"
        fill(inbox, messages, Path(work))
        for path in (inbox.parent, inbox, *inbox.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        asyncio.run(on_imap(server, figures, rounds))
        timed(lambda: walk_by_imap(server), figures)
    return figures


def measure_files(messages: int, rounds: int) -> Figures:
    """On a Maildir of its own."""
    figures = Figures(f"Maildir {messages}")
    with tempfile.TemporaryDirectory() as work:
        store = maildir_store(Path(work) / "mail")
        fill(store.root / ANNA.mailbox, messages, Path(work))
        asyncio.run(on_files(store, figures, rounds))
        timed(lambda: walk_by_files(store.root / ANNA.mailbox), figures)
    return figures


def main() -> None:
    """Print the table and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--store", choices=("dovecot", "maildir"))
    options = parser.parse_args()
    print(heading())
    print(f"{'milliseconds':18}" + "  ".join(TITLES))
    kinds = {"dovecot": measure_imap, "maildir": measure_files}
    for measure in [kinds[options.store]] if options.store else kinds.values():
        empty = measure(0, options.rounds)
        large = measure(options.messages, options.rounds)
        print(empty.row(), large.row(), sep="\n")
        print(f"  login + audio, large / empty mailbox: {large.whole / empty.whole:.2f};", end=" ")
        ratio = statistics.median(large.counts[1:]) / min(large.walk[1:])
        print(f"counts, vm_ari / walk: {ratio:.4f}", flush=True)


if __name__ == "__main__":
    main()
