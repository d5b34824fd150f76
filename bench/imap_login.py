"""From the login to the first message: a mailbox of 100,000 messages beside an empty one.

    python -m bench.imap_login [--messages 100000] [--rounds 7]

One Dovecot (Maildir), loopback, no TLS. Both mailboxes have three new voice messages; the large one
has others besides: 2 % voice messages, 2 % unread, three years old at most. A round opens the
mailbox with a new connection, as a call does: "counts" is the time until "you have 3 new messages"
can be said, "audio" until the newest of them can be played. The first figure is of the round in
which nobody, neither we nor the server, has seen the mailbox before; the other the median of the
rest. *walk* is a client that asks for the headers
of everything and counts for itself.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.adapters.imap_store import INDIVIDUAL, ImapStore, imap_store
from tests.adapters.mailbox_contract import ANNA, BERT, message
from tests.adapters.maildir_store import write_mail
from tests.dovecot import Dovecot, dovecot
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.users import User

YEARS = 3
NEW = 3
DIRTY = "maildir_very_dirty_syncs = yes\n"
"""Dovecot's advice for Maildirs that only Dovecot works on: else SELECT reads the directory."""
_VOICE = "Message-Context: voice-message\nContent-Duration: 5\n"
_BODY = "This is a line of an ordinary mail, as there are many of them.\n" * 20


@dataclass
class Figures:
    """Seconds by round; the first one apart."""

    name: str
    counts: list[float] = field(default_factory=list)
    audio: list[float] = field(default_factory=list)
    walk: list[float] = field(default_factory=list)

    def row(self) -> str:
        """A line of the table, in milliseconds."""
        cells = []
        for times in (self.counts, self.audio, self.walk):
            middle = statistics.median(times[1:])
            cells += [f"{times[0] * 1000:10.1f}", f"{middle * 1000:9.1f}"]
        return f"{self.name:10}" + "".join(cells)


HEADER = f"{'ms':10}" + "".join(f"{name:>10}{'warm':>9}" for name in ("counts", "audio", "walk"))


def fill(server: Dovecot, user: str, count: int) -> None:
    """Write that many mails into the user's Maildir, as a delivery agent would have."""
    folder = server.mail_directory(user) / "Maildir" / "cur"
    for name in ("cur", "new", "tmp"):
        (folder.parent / name).mkdir(parents=True, exist_ok=True)
    now = time.time()
    for number in range(count):
        when = now - (count - number) / count * YEARS * 365 * 86400 - 3600
        voice = _VOICE if number % 50 == 7 else ""
        flags = "" if number >= count * 0.98 and not voice else "S"
        head = f"From: p{number % 500}@example.org\nSubject: Mail {number}\n{voice}"
        text = f"{head}Message-ID: <{number}@example.org>\n\n{_BODY}"
        path = folder / f"{int(when)}.M{number}P1.host,S={len(text)}:2,{flags}"
        path.write_text(text)
        os.utime(path, (when, when))
    for path in (server.mail_directory(user), *server.mail_directory(user).rglob("*")):
        os.chown(path, 65534, 65534)


async def rounds(server: Dovecot, user: User, figures: Figures, count: int) -> None:
    """Calls to one controller, each with a new connection, and a mail was read in between."""
    store = imap_store(server, INDIVIDUAL)
    for number in range(count):
        await one_call(store, user, figures)
        await (await store.doorman.open(user)).pool.hang_up()
        with server.mail_program(user.id) as client:
            oldest = client.search(["UID", f"{number // 2 + 1}"])
            client.add_flags(oldest, ["$Looked"], silent=True)
    await store.doorman.close()


async def one_call(store: ImapStore, user: User, figures: Figures) -> None:
    """The counts, the list, the audio of the newest."""
    began = time.perf_counter()
    async with store.mailboxes.open(user) as box:
        counts = await box.counts()
        figures.counts.append(time.perf_counter() - began)
        assert counts.new_voice == NEW, counts
        listed = await box.messages(MessageKind.VOICE, new=True)
        await box.audio(max(listed, key=lambda m: m.received).uid)
        figures.audio.append(time.perf_counter() - began)


def walk(server: Dovecot, user: User, figures: Figures) -> None:
    """The straightforward client."""
    began = time.perf_counter()
    with server.mail_program(user.id) as client:
        found = client.search(["ALL"])
        items = ["FLAGS", "BODY.PEEK[HEADER.FIELDS (Message-Context)]"]
        for start in range(0, len(found), 500):
            client.fetch(found[start : start + 500], items)
    figures.walk.append(time.perf_counter() - began)


def measure(messages: int, count: int) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as base, dovecot("anna", "bert", settings=DIRTY) as server:
        fill(server, "anna", messages)
        small, large = Figures("empty"), Figures(f"{messages}")
        for user, figures in ((BERT, small), (ANNA, large)):
            for number in range(NEW):
                voice = message(Path(base) / "recording.wav", number)
                mail = write_mail(voice, user, plain=False)
                _post(server, user.id, mail)
            asyncio.run(rounds(server, user, figures, count))
            for _ in range(2):
                walk(server, user, figures)
        print(HEADER, small.row(), large.row(), sep="\n")
        ratio = statistics.median(large.counts[1:]) / statistics.median(small.counts[1:])
        print(f"counts: {ratio:.1f} times an empty mailbox's; walking takes", end=" ")
        print(f"{large.walk[-1] / statistics.median(large.counts[1:]):.0f} times as long")


def _post(server: Dovecot, user: str, mail: bytes) -> None:
    """As a delivery agent, so that the server has never seen the mailbox before."""
    folder = server.mail_directory(user) / "Maildir" / "new"
    for name in ("cur", "new", "tmp"):
        (folder.parent / name).mkdir(parents=True, exist_ok=True)
    path = folder / f"{time.time_ns()}.voice.host"
    path.write_bytes(mail.replace(b"\r\n", b"\n"))
    for each in (path, *server.mail_directory(user).rglob("*")) if user == "bert" else (path,):
        os.chown(each, 65534, 65534)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    measure(arguments.messages, arguments.rounds)
