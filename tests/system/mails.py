"""What lies in a user's mailbox, read as a mail program reads it."""

import asyncio
import email.policy
from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile

from tests.patience import AT_MOST
from vm_ari.adapters.ear import Audio
from vm_ari.demo.world import Person, World


class Mail:
    """One mail of a Maildir."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = path.read_bytes()
        message = BytesParser(policy=email.policy.default).parsebytes(self.raw)
        assert isinstance(message, EmailMessage)
        self.message = message

    def __getitem__(self, header: str) -> str:
        """A header, decoded; empty where there is none."""
        return str(self.message[header] or "")

    @property
    def caller(self) -> str:
        """The caller's number in our own header."""
        return self["X-VM-ARI-Caller"]

    @property
    def new(self) -> bool:
        """Has nobody read or heard it?"""
        return "S" not in self.path.name.partition(":2,")[2]

    @cached_property
    def attachment(self) -> EmailMessage:
        """The one file attached."""
        [part] = self.message.iter_attachments()
        assert isinstance(part, EmailMessage)
        return part

    @cached_property
    def content(self) -> bytes:
        """Of the attached file."""
        content = self.attachment.get_content()
        assert isinstance(content, bytes)
        return content

    @cached_property
    def audio(self) -> Audio:
        """The attached recording, 8 kHz."""
        samples, rate = soundfile.read(BytesIO(self.content), dtype="float32")
        assert rate == 8000
        return np.asarray(samples, np.float32)

    def text(self, kind: str) -> str:
        """The body: ``plain`` or ``html``."""
        body = self.message.get_body((kind,))
        assert body is not None
        content = body.get_content()
        assert isinstance(content, str)
        return content


def mails(world: World, person: Person, folder: str = "") -> list[Mail]:
    """All mails in one folder (INBOX by default)."""
    root = world.mail_directory(person) / (f".{folder}" if folder else "")
    found = []
    for directory in (root / "new", root / "cur"):
        for path in sorted(directory.iterdir()) if directory.is_dir() else ():
            found.append(Mail(path))
    return found


async def arrived(
    world: World, person: Person, count: int = 1, within: float = AT_MOST
) -> Sequence[Mail]:
    """Wait until so many mails are there and nothing is on its way any more."""
    try:
        async with asyncio.timeout(within):
            while len(mails(world, person)) < count or on_their_way(world):
                await asyncio.sleep(0.05)
    except TimeoutError:
        there = len(mails(world, person))
        raise AssertionError(f"{there} of {count} mails, {on_their_way(world)} waiting") from None
    found = mails(world, person)
    assert len(found) == count, f"{len(found)} mails instead of {count}"
    return found


def on_their_way(world: World) -> list[str]:
    """What still lies in the outbox."""
    states = ("open", "new", "fallback", "hold", "corrupt")
    return [
        f"{state}/{path.name}"
        for state in states
        if (world.spool / state).is_dir()
        for path in (world.spool / state).iterdir()
    ]
