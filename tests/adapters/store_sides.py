"""Both stores of a user under test, filled by hand and read by hand."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.adapters.imap_store import ADMINISTRATIVE, PATIENT, WAYS, OwnPasswords
from tests.adapters.mailbox_contract import ANNA
from tests.dovecot import Dovecot
from vm_ari.adapters.imap.access import Access
from vm_ari.adapters.imap.address import IMAP
from vm_ari.adapters.imap.doorman import Doorman, Rules
from vm_ari.adapters.imap.moving import ImapSide
from vm_ari.adapters.imap.server_choice import OneServer
from vm_ari.adapters.maildir_moving import MaildirSide
from vm_ari.adapters.migration_journal import Head, MigrationJournal
from vm_ari.domain.store_moving import StoreKind, Tally
from vm_ari.domain.users import User
from vm_ari.services.store_migration import Migration, StoreSide

DELETED = "Deleted voice messages"
BEGIN = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Lying:
    """A message as a mail program sees it, in either store."""

    folder: str
    flags: tuple[str, ...]
    arrived: datetime
    mail: bytes
    """With LF."""


def voice(number: int, body: bytes = b"") -> bytes:
    """A voice message as some system wrote it; LF."""
    return (
        b"Message-ID: <%d@pbx.example>\nMessage-Context: voice-message\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\n%b\n--b--\n"
    ) % (number, body or b"Message %d" % number)


def arrival(number: int) -> datetime:
    """Whole seconds."""
    return BEGIN + timedelta(hours=number)


def all_sorts() -> list[Lying]:
    """Every flag, both folders; what has no Message-ID, and what shares one."""
    own = "$VoiceMessage"
    nameless = voice(7).partition(b"\n")[2]
    return [
        Lying("INBOX", (own,), arrival(1), voice(1)),
        Lying("INBOX", (own, "\\Seen"), arrival(2), voice(2)),
        Lying("INBOX", (own, "\\Flagged"), arrival(3), voice(3)),
        Lying("INBOX", (own, "\\Answered", "\\Flagged", "\\Seen"), arrival(4), voice(4)),
        Lying("INBOX", (own,), arrival(5), voice(1, b"The same Message-ID, other words")),
        Lying(DELETED, (own, "\\Seen"), arrival(6), voice(6, "Grüße \x07".encode())),
        Lying("INBOX", (own, "\\Seen"), arrival(7), nameless),
        Lying("INBOX", (own,), arrival(8), nameless + b"Another\n"),
        Lying("INBOX", (own,), arrival(9), voice(9, b"x" * 2_100_000 + b"\n.\n..\n")),
    ]


_LETTERS = {"\\Seen": "S", "\\Flagged": "F", "\\Answered": "R"}


def put_local(inbox: Path, messages: list[Lying]) -> None:
    """As deliveries and a mail program leave them."""
    for number, one in enumerate(messages):
        folder = inbox if one.folder == "INBOX" else inbox / f".{one.folder.replace('/', '.')}"
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        flags = "".join(sorted(_LETTERS[f] for f in one.flags if f in _LETTERS))
        name = f"{int(one.arrived.timestamp())}.M{number}P1.host"
        path = folder / ("cur" if flags else "new") / (f"{name}:2,{flags}" if flags else name)
        path.write_bytes(one.mail)
        os.utime(path, (one.arrived.timestamp(), one.arrived.timestamp()))


def lying_local(inbox: Path) -> list[Lying]:
    """Everything, sorted; voice messages bear the flag that they have on mail servers."""
    found = []
    for path in [*inbox.rglob("new/*"), *inbox.rglob("cur/*")]:
        folder = path.parent.parent
        letters = path.name.partition(":2,")[2]
        flags = [flag for flag, letter in _LETTERS.items() if letter in letters]
        mail = path.read_bytes()
        flags += ["$VoiceMessage"] if b"voice-message" in mail else []
        name = "INBOX" if folder == inbox else folder.name[1:].replace(".", "/")
        arrived = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        found.append(Lying(name, tuple(sorted(flags)), arrived, mail))
    return sorted(found)


def put_remote(server: Dovecot, user: str, messages: list[Lying]) -> None:
    """A mail program puts them there."""
    with server.mail_program(user) as client:
        for folder in {one.folder for one in messages} - {"INBOX"}:
            if not client.folder_exists(folder):
                client.create_folder(folder)
        for one in messages:
            mail = one.mail.replace(b"\n", b"\r\n")
            client.append(one.folder, mail, list(one.flags), one.arrived)


def lying_remote(server: Dovecot, user: str) -> list[Lying]:
    """Everything in all folders, sorted."""
    found = []
    with server.mail_program(user) as client:
        client.normalise_times = False
        for kinds, _, folder in client.list_folders():
            if folder.startswith("user/") or {b"\\Noselect", b"\\NonExistent"} & set(kinds):
                continue
            client.select_folder(folder, readonly=True)
            uids = client.search()
            rows = client.fetch(uids, ["FLAGS", "INTERNALDATE", "BODY.PEEK[]"]) if uids else {}
            for row in rows.values():
                flags = {flag.decode() for flag in row[b"FLAGS"]} - {"\\Recent"}
                mail = row[b"BODY[]"].replace(b"\r\n", b"\n")
                arrived = row[b"INTERNALDATE"].astimezone(UTC)
                found.append(Lying(folder, tuple(sorted(flags)), arrived, mail))
    return sorted(found)


@asynccontextmanager
async def remote_side(
    server: Dovecot, access: Access = ADMINISTRATIVE["acting-as"]
) -> AsyncIterator[ImapSide]:
    """Its connections end with it."""
    rules = Rules(access, DELETED, PATIENT)
    address = IMAP.server_at(server.url, plaintext=True)
    doorman = Doorman(rules, OneServer(address), OwnPasswords(), None)
    try:
        yield ImapSide(doorman)
    finally:
        await doorman.close()


def local_side(root: Path) -> MaildirSide:
    return MaildirSide(root, DELETED)


class Stores:
    """Anna's Maildir and her mailbox, and a journal."""

    def __init__(self, base: Path, server: Dovecot) -> None:
        self.base = base
        self.root = base / "mail"
        self.file = base / "journals" / "journal.jsonl"
        self.server = server
        self.access: Access = WAYS["acting-as"]

    @property
    def inbox(self) -> Path:
        return self.root / ANNA.mailbox

    def here(self) -> list[Lying]:
        return lying_local(self.inbox)

    def there(self) -> list[Lying]:
        return lying_remote(self.server, "anna")

    def move(self, source: StoreKind = StoreKind.LOCAL, *users: User, **how: Any) -> list[Tally]:
        """A migration, or what is left of one; *how* is that of `moving`."""
        return asyncio.run(self.moving(source, *users, **how))

    async def moving(
        self,
        source: StoreKind,
        *users: User,
        remove: bool = False,
        through: Callable[[StoreSide], StoreSide] = lambda side: side,
        pauses: Sequence[float] = (0.1,),
        dry: bool = False,
    ) -> list[Tally]:
        """The same, for who is in an event loop already; the sums are checked."""
        tallies: list[Tally] = []
        whose = users or (ANNA,)
        journal = None if dry else self._journal(source, whose, remove=remove)
        try:
            async with remote_side(self.server, self.access) as remote:
                local = local_side(self.root)
                sides: dict[StoreKind, StoreSide] = {
                    StoreKind.LOCAL: through(local),
                    StoreKind.IMAP: through(remote),
                }
                order = Migration(sides[source], sides[source.other], journal, remove)
                order.pauses = pauses
                await order.run(whose, tallies.append)
        finally:
            if journal:
                journal.close()
        for tally in tallies:
            moved = tally.copied + tally.there + tally.gone + tally.failed
            assert tally.found == moved, tally
        return tallies

    def _journal(
        self, source: StoreKind, users: Sequence[User], *, remove: bool
    ) -> MigrationJournal:
        if self.file.exists():
            return MigrationJournal.open(self.file)
        head = Head("here", source, remove, tuple(user.id for user in users))
        return MigrationJournal.create(self.file, head)

    def forget(self) -> None:
        self.file.unlink()
