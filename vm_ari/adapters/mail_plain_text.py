"""What a mail says in plain text, as it was written: for the portal, which shows transcripts."""

import asyncio
from pathlib import Path

from vm_ari.adapters.mail_parts import parts_of, text_of

MOST = 400_000
"""Octets that are looked at: the text of a voice message comes before the audio."""


async def plain_text(mail: Path) -> str:
    """The first text of the mail; empty where there is none. Raises OSError."""
    return await asyncio.to_thread(_text, mail)


def _text(mail: Path) -> str:
    with mail.open("rb") as file:
        content = file.read(MOST)
    for choices in parts_of(content).texts:
        for part in choices:
            if part.kind == "text/plain":
                return text_of(content, part)[0].strip()
    return ""
