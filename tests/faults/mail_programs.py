"""Mail programs that work at random on a mailbox, and what really lies in it.

What lies there is read from the files, also those of a Dovecot: by other means than ours. Every
mail has a number, which is in its Message-ID, its sender and its sound.
"""

import random
import re
import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from tests.adapters.mailbox_contract import ANNA, message
from tests.adapters.maildir_store import write_mail
from tests.dovecot import Dovecot, password_of
from tests.patience import AT_MOST
from tests.recordings import wav
from vm_ari.domain.callers import Caller
from vm_ari.ports import Mailboxes

INBOX, DELETED, ARCHIVE = "INBOX", "Deleted voice messages", "Archive"
FOLDERS = (INBOX, DELETED, ARCHIVE)
POOL = 60
"""Different mails; one that is nowhere any more may arrive again in another call."""
_NUMBER = re.compile(rb"^Message-ID: <([0-9a-f]{16})@pbx", re.MULTILINE | re.IGNORECASE)
_SAMPLES = 400


@dataclass(frozen=True)
class Lying:
    """Where a message lies, and how it is marked."""

    folder: str
    seen: bool
    dying: bool
    """Marked to be removed."""


Stock = Mapping[int, Lying]
"""All messages of a mailbox by number."""


class Twice(AssertionError):
    """A message is in the mailbox more than once."""


class Files:
    """A Maildir++, looked at."""

    def __init__(self, root: Path) -> None:
        self._places = {
            folder: root if folder == INBOX else root / f".{folder}" for folder in FOLDERS
        }
        self._numbers: dict[str, int] = {}

    def look(self) -> Stock:
        """Everything in it; raises `Twice`."""
        found: dict[int, Lying] = {}
        for folder, path in self._names():
            name, _, flags = path.name.partition(":2,")
            number = self._numbers.get(name)
            if number is None:
                number = self._numbers[name] = number_in(path.read_bytes())
            if number in found:
                raise Twice(f"{number} is in {found[number].folder} and in {folder}")
            found[number] = Lying(folder, "S" in flags, "T" in flags)
        return found

    def path_of(self, number: int) -> Path:
        """The file of a message that is there."""
        for _, path in self._names():
            if self._numbers.get(path.name.partition(":2,")[0]) == number:
                return path
        raise AssertionError(f"{number} is not there")

    def _names(self) -> Iterator[tuple[str, Path]]:
        for folder, place in self._places.items():
            for state in ("new", "cur"):
                with suppress(FileNotFoundError):
                    yield from ((folder, path) for path in (place / state).iterdir())


def number_in(mail: bytes) -> int:
    """Which mail is this?"""
    found = _NUMBER.search(mail)
    assert found, mail[:500]
    return int(found[1], 16)


def voice_mail(number: int, directory: Path, *, urgent: bool = False) -> bytes:
    """A caller has left it, whose number ends in *number*; each sample of it is that number."""
    recording = directory / f"{number}.wav"
    recording.write_bytes(wav(struct.pack("<h", number) * _SAMPLES))
    voice = message(recording, number, urgent=urgent)
    facts = replace(voice.facts, caller=Caller(f"+4989{number:06}"))
    mail: bytes = write_mail(replace(voice, facts=facts), ANNA, plain=False)
    recording.unlink()
    return mail


def number_heard(sound: Path) -> int:
    """Which message has that sound?"""
    [number] = struct.unpack("<h", sound.read_bytes()[-2:])
    return int(number)


def plain_mail(number: int) -> bytes:
    """Somebody has written it."""
    head = f"From: Writer {number} <{number}@example.org>\r\nSubject: Subject {number}\r\n"
    return (
        f"{head}Message-ID: <{number:016x}@pbx.example>\r\n"
        f"Date: Sun, 29 Mar 2026 02:{number % 60:02}:00 +0200\r\n\r\n"
        f"I have looked at the papers, and this is what I think of number {number}.\r\n"
    ).encode()


class Program(Protocol):
    """The verbs of a mail program; a message is named as the program likes."""

    def deliver(self, mail: bytes, flags: str) -> None:
        """Into the INBOX; *flags* are letters of Maildir."""

    def messages(self, folder: str) -> Sequence[Any]:
        """All of that folder."""

    def flag(self, folder: str, one: Any, flag: str, *, on: bool) -> None:
        """Give or take a flag."""

    def move(self, folder: str, one: Any, target: str) -> None:
        """To another folder."""

    def remove(self, folder: str, one: Any) -> None:
        """For good."""

    def drop(self, folder: str) -> None:
        """Remove a folder with all that is in it."""


def do_anything(program: Program, dice: random.Random) -> str:
    """One deed on one message, or on none if the folder is empty. Which deed was it?"""
    folder = dice.choice((*(INBOX,) * 6, DELETED, DELETED, ARCHIVE))
    there = sorted(program.messages(folder))
    if not there:
        return "found nothing"
    one = dice.choice(there)
    match dice.randrange(24):
        case 0 | 1 | 2 | 3 | 4:
            program.flag(folder, one, "S", on=dice.random() < 0.5)
            return "marked"
        case 5 | 6 | 7:
            program.flag(folder, one, "T", on=dice.random() < 0.6)
            return "marked to be removed, or not"
        case 8 | 9 | 10 | 11 | 12 | 13 | 14:
            program.remove(folder, one)
            return "removed"
        case 15 if dice.random() < 0.2:
            for each in there:
                program.remove(folder, each)
            return "removed all"
        case 16 if folder == DELETED:
            program.drop(folder)
            return "removed the folder"
        case _:
            program.move(folder, one, dice.choice([one for one in FOLDERS if one != folder]))
            return "moved"


class ImapProgram:
    """`Program` on a Dovecot, as the mailbox's owner."""

    _FLAGS: Mapping[str, str] = {"S": "\\Seen", "T": "\\Deleted", "F": "\\Flagged"}

    def __init__(self, server: Dovecot) -> None:
        self._client: Any = IMAPClient("127.0.0.1", server.port, ssl=False, timeout=AT_MOST)
        self._client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.plain_login(ANNA.id, password_of(ANNA.id))
        self._open = ""

    def deliver(self, mail: bytes, flags: str) -> None:
        self._client.append(INBOX, mail, [self._FLAGS[flag] for flag in flags])

    def messages(self, folder: str) -> Sequence[int]:
        try:
            if self._open == folder:
                self._client.noop()
            else:
                self._open = ""
                self._client.select_folder(folder)
                self._open = folder
        except IMAPClientError:  # not made yet, or removed
            return []
        return list(self._client.search())

    def flag(self, folder: str, one: int, flag: str, *, on: bool) -> None:
        change = self._client.add_flags if on else self._client.remove_flags
        change([one], [self._FLAGS[flag]], silent=True)

    def move(self, folder: str, one: int, target: str) -> None:
        if not self._client.folder_exists(target):
            self._client.create_folder(target)
        self._client.move([one], target)

    def remove(self, folder: str, one: int) -> None:
        self._client.add_flags([one], ["\\Deleted"], silent=True)
        self._client.uid_expunge([one])

    def drop(self, folder: str) -> None:
        self._client.unselect_folder()
        self._open = ""
        self._client.delete_folder(folder)

    def close(self) -> None:
        self._client.logout()


class MaildirProgram:
    """`Program` on the files of a Maildir."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._delivered = 0
        for state in ("tmp", "new", "cur"):
            (root / state).mkdir(parents=True, exist_ok=True)

    def deliver(self, mail: bytes, flags: str) -> None:
        self._delivered += 1
        name = f"1774745970.M{self._delivered}P1.host"
        target = f"cur/{name}:2,{flags}" if flags else f"new/{name}"
        (self._root / "tmp" / name).write_bytes(mail.replace(b"\r\n", b"\n"))
        (self._root / "tmp" / name).rename(self._root / target)

    def messages(self, folder: str) -> Sequence[Path]:
        states = [self._place(folder) / state for state in ("new", "cur")]
        return [path for state in states if state.is_dir() for path in state.iterdir()]

    def flag(self, folder: str, one: Path, flag: str, *, on: bool) -> None:
        name, _, flags = one.name.partition(":2,")
        kept = set(flags) - {flag} | ({flag} if on else set())
        one.rename(one.parent.parent / "cur" / f"{name}:2,{''.join(sorted(kept))}")

    def move(self, folder: str, one: Path, target: str) -> None:
        place = self._place(target)
        for state in ("tmp", "new", "cur"):
            (place / state).mkdir(parents=True, exist_ok=True)
        one.rename(place / one.parent.name / one.name)

    def remove(self, folder: str, one: Path) -> None:
        one.unlink()

    def drop(self, folder: str) -> None:
        """Its messages; others may be writing into it."""
        for path in self.messages(folder):
            path.unlink()

    def _place(self, folder: str) -> Path:
        return self._root if folder == INBOX else self._root / f".{folder}"


@dataclass(frozen=True)
class Change:
    """What has become of one message; None: it was, or is, not there."""

    number: int
    before: Lying | None
    after: Lying | None

    @property
    def moved(self) -> bool:
        """Is it somewhere else, or nowhere?"""
        return (self.before and self.before.folder) != (self.after and self.after.folder)


@dataclass
class Ledger:
    """Who has done what: whatever changes while no mail program is at work is our doing."""

    look: Callable[[], Stock]
    known: Stock = field(default_factory=dict)
    ours: list[Change] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    """Messages that a mail program was the last to change."""

    def note_ours(self) -> None:
        """Write down what has changed since the last look."""
        changes = self._changes()
        self.ours += changes
        self.touched -= {change.number for change in changes if change.moved}

    @contextmanager
    def others(self) -> Iterator[None]:
        """While a mail program is at work."""
        self.note_ours()
        yield
        self.touched |= {change.number for change in self._changes()}

    def take_ours(self) -> Sequence[Change]:
        """What we have done since the last time."""
        self.note_ours()
        changes, self.ours = self.ours, []
        return changes

    def _changes(self) -> Sequence[Change]:
        """Since the last look."""
        before, self.known = self.known, self.look()
        numbers = sorted(before.keys() | self.known.keys())
        changes = [Change(n, before.get(n), self.known.get(n)) for n in numbers]
        return [change for change in changes if change.before != change.after]


def mails_of_all_kinds(directory: Path) -> dict[int, bytes]:
    """By number; a quarter are ordinary ones."""
    border = POOL * 3 // 4
    voices = {n: voice_mail(n, directory, urgent=n % 7 == 0) for n in range(1, border)}
    return voices | {n: plain_mail(n) for n in range(border, POOL)}


@dataclass
class Lab:
    """A mailbox, a mail program at it, and the ledger."""

    root: Path
    mailboxes: Mailboxes
    program: Program
    mails: dict[int, bytes]
    """By number."""
    cuts: float = 0.0
    """How often a connection breaks at a command; then not everything follows from the dice."""
    files: Files = field(init=False)

    def __post_init__(self) -> None:
        self.files = Files(self.root)

    def begin(self, dice: random.Random) -> Ledger:
        """Some messages, and nothing else."""
        for folder in (INBOX, DELETED, ARCHIVE):
            for one in self.program.messages(folder):
                self.program.remove(folder, one)
        ledger = Ledger(self.files.look)
        for _ in range(dice.randint(0, 12)):
            self.deliver(dice, ledger)
        return ledger

    def deliver(self, dice: random.Random, ledger: Ledger) -> None:
        """Something that is not there; mostly unread, a fifth urgent."""
        absent = sorted(self.mails.keys() - ledger.known.keys())
        with ledger.others():
            if absent:
                flags = ("F" if dice.random() < 0.2 else "") + ("S" if dice.random() < 0.3 else "")
                self.program.deliver(self.mails[dice.choice(absent)], flags)
