"""Maildirs under test, and somebody else's hands on their files."""

import functools
from dataclasses import dataclass
from pathlib import Path

from tests.adapters.mailbox_contract import ANNA
from vm_ari.adapters.maildir import MaildirCourier, MaildirMailboxes
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.voice_mail import compose
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User

ROOT = Path(__file__).parents[2]
TEMPLATES = MailTemplates(ROOT / "templates")
KEY = bytes(range(32))
DELETED = ".Deleted voice messages"
write_mail = functools.partial(
    compose, sender="voicemail@example.org", templates=TEMPLATES, site=Site(), key=KEY
)


@dataclass
class MaildirStore:
    """Maildirs below one root, and somebody else's hands on their files."""

    root: Path
    mailboxes: MaildirMailboxes
    courier: MaildirCourier

    @property
    def inbox(self) -> Path:
        return self.root / ANNA.mailbox

    def post(self, user: User, mail: bytes) -> None:
        """As a delivery agent does it, under a name of its own."""
        folder = self.root / user.mailbox
        name = f"1774745970.M{len(self.files()) + 1}P1.host,S={len(mail)}"
        (folder / "tmp" / name).write_bytes(mail.replace(b"\r\n", b"\n"))
        (folder / "tmp" / name).rename(folder / "new" / name)

    def lose(self, user: User, uid: str) -> None:
        for file in (self.root / user.mailbox).rglob(f"{uid}*"):
            file.unlink()

    def files(self) -> list[Path]:
        """Anna's message files."""
        return [f for d in ("new", "cur") for f in self.inbox.rglob(f"{d}/*")]


def maildir_store(root: Path) -> MaildirStore:
    return MaildirStore(
        root, MaildirMailboxes(root, signing_keys=[KEY]), MaildirCourier(root, write_mail)
    )
