"""A stranger's mail in a real mailbox, and a user who has it read by telephone."""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.adapters.imap_store import imap_store
from tests.adapters.maildir_store import maildir_store
from tests.corpus.hostile_mails import hostile_mails, large_mails
from tests.dialogues.exchange import ANNA, PIN, Exchange
from tests.dovecot import dovecot
from tests.faults.calls_to_mailboxes import Quick
from tests.phone import Phone
from vm_ari.domain.settings import Rules
from vm_ari.ports import Mailboxes
from vm_ari.services.inbox import Inboxes
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.reading import Readings
from vm_ari.speech.catalogue import P

LARGE = 100
"""Megabytes."""
NOBODY = 65534


@dataclass(frozen=True)
class Box:
    """Anna's mailbox in one kind of store, and its files."""

    mailboxes: Mailboxes
    inbox: Path
    owner: int | None = None
    """Who must own the files, where that is not ourselves."""

    def empty(self) -> None:
        """Nothing is in it any more, in no folder."""
        shutil.rmtree(self.inbox, ignore_errors=True)
        for name in ("tmp", "new", "cur"):
            (self.inbox / name).mkdir(parents=True)
        self._give_away(self.inbox, *self.inbox.iterdir())

    def put(self, name: str, portions: Iterator[bytes]) -> Path:
        """As a delivery agent does it, whatever the mail holds."""
        path = self.inbox / "tmp" / f"1774745970.{name}.host"
        with path.open("wb") as file:
            file.writelines(portions)
        self._give_away(path)
        return path.rename(self.inbox / "new" / path.name)

    def _give_away(self, *paths: Path) -> None:
        for path in paths:
            if self.owner is not None:
                os.chown(path, self.owner, self.owner)


@contextmanager
def on_dovecot(work: Path) -> Iterator[Box]:
    """An IMAP server; its quota would refuse some of the mails, a delivery agent does not."""
    with dovecot("anna") as server:
        store = imap_store(server, work=work)
        owner = NOBODY if os.getuid() == 0 else None
        directory = server.mail_directory("anna")
        directory.mkdir(exist_ok=True)
        if owner is not None:
            os.chown(directory, owner, owner)
        try:
            yield Box(store.mailboxes, directory / "Maildir", owner)
        finally:
            asyncio.run(store.doorman.close())


@contextmanager
def on_maildir(work: Path) -> Iterator[Box]:
    """The local store."""
    store = maildir_store(work / "mail")
    yield Box(store.mailboxes, store.root / ANNA.mailbox)


BOXES = {"dovecot": on_dovecot, "maildir": on_maildir}


def all_mails(megabytes: int = LARGE) -> Iterator[tuple[str, Iterator[bytes]]]:
    """The whole corpus, the large ones last."""
    for name, content in hostile_mails():
        yield name, iter([content])
    yield from large_mails(megabytes)


@dataclass(frozen=True)
class Heard:
    """How one mail was read to the user, in seconds from the key that asked for it."""

    first_words: float
    whole: float
    sounds: Sequence[str]


async def listen_to_the_only_one(
    box: Box, readings: Readings, speech: Callable[[str], bool]
) -> Heard:
    """Log in, have the one new message read to the end, and go on; *speech*: is a clip of it?"""
    times: list[float] = []

    async def story(phone: Phone) -> None:
        await phone.hears(P.ENTER_PIN)
        phone.presses(f"{PIN}#")
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        times.append(time.monotonic())
        phone.presses("1")
        while not (f"en/{P.NO_NEW_MESSAGES}" in phone.heard_names() or has_begun(phone)):
            await phone.waits(0.001)
        phone.presses("" if has_begun(phone) else "3")
        while not (any(map(speech, phone.heard_names())) or has_ended(phone)):
            await phone.waits(0.001)
        times.append(time.monotonic())
        while not has_ended(phone):
            await phone.waits(0.001)
        times.append(time.monotonic())
        if f"en/{P.TO_REPEAT}" in phone.heard_names():
            phone.presses("6")
            await phone.hears(P.NO_MORE_MESSAGES)
        phone.hangs_up()

    site = Exchange(users=(ANNA,), rules=Rules())
    lamps = LampKeeper(site.lamps, box.mailboxes, site.directory)
    site.desk = replace(site.desk, inboxes=Inboxes(box.mailboxes, lamps), readings=readings)
    line = site.line()
    line.lengths = Quick()
    told = await site.call(story, purpose="login", line=line)
    asked, first, whole = times
    return Heard(first - asked, whole - asked, told.phone.heard_names())


def has_begun(phone: Phone) -> bool:
    """Is it told which message this is, or that there is nothing in it?"""
    return f"en/{P.MESSAGE_NUMBER}" in phone.heard_names() or has_ended(phone)


def has_ended(phone: Phone) -> bool:
    """Is the user asked what to do with it, or is it passed over?"""
    return bool({f"en/{P.TO_REPEAT}", f"en/{P.MESSAGE_GONE}"}.intersection(phone.heard_names()))


class Memory:
    """The largest resident memory of this process since this was made, in megabytes."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self._before = self._peak()

    @property
    def growth(self) -> float:
        """By how much it has grown."""
        return self._peak() - self._before

    def _peak(self) -> float:
        lines = Path("/proc/self/status").read_text().splitlines()
        [peak] = [line.split()[1] for line in lines if line.startswith("VmHWM")]
        return int(peak) / 1024
