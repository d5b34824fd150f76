"""Directory, mail store and SMTP server that can be killed and started again where they were."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from tests.torture import post_office
from tests.torture.book import Found
from tests.torture.found import INBOX, in_mailbox
from vm_ari.demo.directory_server import DirectoryServer
from vm_ari.demo.mail_server import MailServer
from vm_ari.demo.parts import Tables
from vm_ari.demo.people import Person
from vm_ari.demo.private_server import PrivateServer, ServerFailed

STALE = "run"
"""Sockets of a Dovecot that was killed: one of these costs the next one five seconds."""
_SECONDS = 10


class MortalServer(PrivateServer):
    """One that comes back on the same port and with the same files."""

    def __init__(self, name: str, place: Path) -> None:
        super().__init__(name, place)
        self._command: Callable[[int], Sequence[str | Path]] | None = None
        self._greeting = b""

    async def start(
        self, command: Callable[[int], Sequence[str | Path]], greeting: bytes = b""
    ) -> None:
        """As any, and remember how."""
        self._command, self._greeting = command, greeting
        await super().start(command, greeting)

    def kill(self) -> None:
        """End it and all its processes as a crash would."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        """All of its processes get it."""
        if self._process:
            os.killpg(self._process.pid, number)

    async def again(self) -> None:
        """Start it where it was. Raises `ServerFailed`."""
        assert self._command, "it was never started"
        shutil.rmtree(self.base / STALE, ignore_errors=True)
        for _ in range(3):
            self._spawn(self._command(self.port))
            if await asyncio.to_thread(self._answers, self._greeting):
                return
            await self.stop_process()
        raise ServerFailed(f"{self.name} does not come back; its last words:\n{self.log()}")


class MortalDirectory(DirectoryServer):
    """Its slapd can be killed."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.server = self._server = MortalServer("slapd", directory)


class _Post(MortalServer):
    """A program of this checkout, so it runs as we do."""

    def _whose(self) -> dict[str, Any]:
        return {}


class MortalMailStore(MailServer):
    """Its Dovecot can be killed, and so can the SMTP server, a process of its own."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.server = self._server = MortalServer("dovecot", directory)
        self.smtp_server = _Post("smtp", directory)

    async def start(self) -> None:
        """Both."""
        await super().start()
        self.smtp_server.make_directory()
        self.taken.mkdir()
        await self.smtp_server.start(
            lambda port: [sys.executable, post_office.__file__, str(self.taken), str(port)],
            b"220",
        )

    async def stop(self) -> None:
        """Both."""
        await self.smtp_server.stop()
        await super().stop()

    @property
    def taken(self) -> Path:
        """Where the SMTP server keeps the mails that it has taken."""
        return self.smtp_server.base / "taken"

    def tables(self) -> Tables:
        """Mails of the system and for outside go to the process."""
        tables = super().tables()
        smtp = {"host": "127.0.0.1", "port": self.smtp_server.port, "security": "none"}
        return {**tables, "mail": {**tables["mail"], "smtp": smtp}}

    async def voice_messages(self, person: Person) -> Sequence[Found]:
        """Of all folders."""
        return await asyncio.to_thread(self._voice_messages, person)

    def _voice_messages(self, person: Person) -> Sequence[Found]:
        found: list[Found] = []
        port = self.server.port
        with IMAPClient("127.0.0.1", port, ssl=False, timeout=_SECONDS) as client:
            client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.login(person.user.id, person.mail_password)
            for _, _, folder in client.list_folders():
                client.select_folder(folder, readonly=True)
                answers = client.fetch(client.search(), ["FLAGS", "BODY.PEEK[]"])
                for answer in answers.values():
                    seen = b"\\Seen" in answer[b"FLAGS"]
                    raw, here = bytes(answer[b"BODY[]"]), person.extension
                    found += in_mailbox(raw, here, deleted=folder != INBOX, new=not seen)
        return found
