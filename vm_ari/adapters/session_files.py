"""What is taken out of an open mailbox: audio that Asterisk plays, and copies of mails."""

import fcntl
import os
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

_PREFIX = "vm-ari-"


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
        self._hold: int | None = None
        """Tells other processes that the directory is in use, as long as this one lives."""
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
            if self._hold is not None:
                os.close(self._hold)
                self._hold = None

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
        while self._private is None:
            self._private, self._hold = self._held(self._new(self._work))
        return self._new(self._private)

    def _held(self, directory: Path) -> tuple[Path, int] | tuple[None, None]:
        """Nothing, if somebody who sweeps up has taken it for a dead process's just now."""
        try:
            hold = os.open(directory, os.O_RDONLY)
        except FileNotFoundError:
            return None, None
        fcntl.flock(hold, fcntl.LOCK_SH)
        if directory.is_dir():
            return directory, hold
        os.close(hold)
        return None, None

    def _new(self, parent: Path | None) -> Path:
        directory = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        if self._work is not None:
            directory.chmod(0o2750)  # files in it are of its group, too: Asterisk plays them
        return directory


def sweep_up(work: Path) -> int:
    """Remove what sessions of processes that were killed have left below *work*; how many?

    Messages of users must not lie there for ever. Sessions of other processes that live stay as
    they are. Blocking.
    """
    return sum(_is_removed(directory) for directory in work.glob(f"{_PREFIX}*"))


def _is_removed(directory: Path) -> bool:
    """Was it nobody's any more?"""
    try:
        hold = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone meanwhile, or none of ours
        return False
    try:
        fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        shutil.rmtree(directory, ignore_errors=True)
        return True
    finally:
        os.close(hold)
