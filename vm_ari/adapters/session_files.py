"""What is taken out of an open mailbox: audio that Asterisk plays, and copies of mails."""

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters.attachments import NotAudio, decode
from vm_ari.adapters.mail_files import write_private
from vm_ari.ports import MailboxUnavailable, Unplayable

T = TypeVar("T")


class NoPlayableAudio(Unplayable):
    """The message is there, but holds no audio that can be played (or far too much)."""


class SessionFiles:
    """Files of one session, in a directory of its own below *work*, which goes with it.

    The group of *work* may read the audio, as it is whoever plays it. Methods block, in any
    thread, and raise `MailboxUnavailable`.
    """

    def __init__(self, work: Path | None) -> None:
        self._work = work
        self._private: Path | None = None
        self._closed = False
        self._lock = threading.Lock()

    def add(self, audio: bytes, name: str) -> Path:
        """Audio of any common format, for the telephone. Raises `NoPlayableAudio`."""
        try:
            return self._alone(lambda: decode(audio, self._directory() / "message"))
        except NotAudio as error:
            raise NoPlayableAudio(f"{name}: {error}") from error

    def place(self, name: str) -> Path:
        """An empty file for us alone, to `write` to."""

        def made() -> Path:
            target = self._directory() / name
            write_private(target, [])
            return target

        return self._alone(made)

    def write(self, target: Path, pieces: Iterable[bytes]) -> None:
        """Add to a file that only we may read."""
        self._alone(lambda: write_private(target, pieces))

    def clean_up(self) -> None:
        """Remove them, after an extraction that nobody awaits any more."""
        with self._lock:
            self._closed = True
            if self._private is not None:
                shutil.rmtree(self._private, ignore_errors=True)

    def _alone(self, work: Callable[[], T]) -> T:
        try:
            with self._lock:
                return work()
        except OSError as error:
            raise MailboxUnavailable(f"{error.strerror}: {error.filename}") from error

    def _directory(self) -> Path:
        """A new one."""
        if self._closed:
            raise MailboxUnavailable("this mailbox has been closed")
        if self._private is None:
            self._private = self._new(self._work)
        return self._new(self._private)

    def _new(self, parent: Path | None) -> Path:
        directory = Path(tempfile.mkdtemp(prefix="vm-ari-", dir=parent))
        if self._work is not None:
            directory.chmod(0o750)
        return directory
