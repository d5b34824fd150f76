"""An SMTP server in a process of its own: ``post_office.py DIRECTORY PORT``.

Every mail is on the disk before it is taken, so that whoever got the 250 can rely on it.
"""

import asyncio
import json
import os
import secrets
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST = 50_000_000
LATE = 0.02
"""Seconds between the disk and the 250: time to be killed just there."""


class Desk:
    """Takes everything."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """One mail, whole."""
        assert isinstance(envelope.content, bytes)
        letter = {"to": envelope.rcpt_tos, "mail": envelope.content.decode("latin-1")}
        name = secrets.token_hex(8)
        unfinished = self._directory / f"{name}.tmp"
        with unfinished.open("w") as file:
            json.dump(letter, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._directory / f"{name}.json")
        await asyncio.sleep(LATE)
        return "250 2.0.0 taken"


async def serve(directory: Path, port: int) -> None:
    """Until killed."""

    def new() -> SMTP:
        return SMTP(Desk(directory), hostname="mail.demo.example", data_size_limit=LARGEST)

    server = await asyncio.get_running_loop().create_server(new, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
