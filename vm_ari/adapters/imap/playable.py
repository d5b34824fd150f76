"""Audio of messages as files that Asterisk plays: fetched in pieces, kept for one session."""

import shutil
import tempfile
import threading
from pathlib import Path

from vm_ari.adapters.attachments import NotAudio, decode
from vm_ari.adapters.imap.errors import Unreadable
from vm_ari.adapters.imap.session import Session
from vm_ari.adapters.imap.structure import AudioPart, audio_part
from vm_ari.adapters.mail_reading import MESSAGE_LIMIT, audio_attachment
from vm_ari.adapters.maildir import NoPlayableAudio
from vm_ari.ports import MailboxUnavailable, MessageGone

PIECE = 78 * 3360
"""Bytes fetched by one command: whole lines of base64."""


def fetch_audio(session: Session, uid: int) -> bytes:
    """The audio of a message in the open folder. Raises `MessageGone`, `NoPlayableAudio`."""
    try:
        found = session.fetch([uid], ["BODYSTRUCTURE"]).get(uid)
    except Unreadable as error:
        raise NoPlayableAudio(f"{uid}: {error}") from error
    if found is None:
        raise MessageGone(str(uid))
    part = audio_part(found.get(b"BODYSTRUCTURE"))
    if part is None or part.size > MESSAGE_LIMIT:
        raise NoPlayableAudio(str(uid))
    return _decoded(_body(session, uid, part), part, uid)


def _body(session: Session, uid: int, part: AudioPart) -> bytes:
    """Piece by piece until one is short: the size that was announced may be wrong."""
    pieces: list[bytes] = []
    while sum(map(len, pieces)) <= MESSAGE_LIMIT:
        offset = len(pieces) * PIECE
        item = f"BODY.PEEK[{part.section}]<{offset}.{PIECE}>"
        answer = session.fetch([uid], [item]).get(uid)
        if answer is None:
            raise MessageGone(str(uid))
        values = (v for k, v in answer.items() if k.startswith(b"BODY[") and isinstance(v, bytes))
        pieces.append(next(values, b""))
        if len(pieces[-1]) < PIECE:
            return b"".join(pieces)
    raise NoPlayableAudio(f"{uid}: too large")


def _decoded(body: bytes, part: AudioPart, uid: int) -> bytes:
    """By what decodes attachments in Maildirs."""
    header = f"Content-Type: audio/x-any\r\nContent-Transfer-Encoding: {part.encoding}\r\n\r\n"
    audio = audio_attachment(header.encode("ascii") + body)
    if audio is None:
        raise NoPlayableAudio(str(uid))
    return audio


class PlayableFiles:
    """Audio files of one session, in a directory of its own below *work*.

    The group of *work* may read there, as it is whoever plays it.
    """

    def __init__(self, work: Path | None) -> None:
        self._work = work
        self._private: Path | None = None
        self._closed = False
        self._lock = threading.Lock()

    def add(self, audio: bytes, name: str) -> Path:
        """A file of any common format. Raises `NoPlayableAudio`, `MailboxUnavailable`."""
        try:
            with self._lock:
                return decode(audio, self._place() / "message")
        except NotAudio as error:
            raise NoPlayableAudio(f"{name}: {error}") from error
        except OSError as error:
            raise MailboxUnavailable(f"{error.strerror}: {error.filename}") from error

    def clean_up(self) -> None:
        """Remove them, after an extraction that nobody awaits any more."""
        with self._lock:
            self._closed = True
            if self._private is not None:
                shutil.rmtree(self._private, ignore_errors=True)

    def _place(self) -> Path:
        if self._closed:
            raise MailboxUnavailable("this mailbox has been closed")
        if self._private is None:
            self._private = self._new_directory(self._work)
        return self._new_directory(self._private)

    def _new_directory(self, parent: Path | None) -> Path:
        directory = Path(tempfile.mkdtemp(prefix="vm-ari-", dir=parent))
        if self._work is not None:
            directory.chmod(0o750)
        return directory
