"""The audio of messages: found by their structure, and fetched in pieces."""

from vm_ari.adapters.imap.errors import Unreadable
from vm_ari.adapters.imap.session import Session
from vm_ari.adapters.imap.structure import AudioPart, audio_part
from vm_ari.adapters.mail_reading import MESSAGE_LIMIT, audio_attachment
from vm_ari.adapters.session_files import NoPlayableAudio
from vm_ari.ports import MessageGone

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
        pieces.append(fetch_piece(session, uid, part.section, len(pieces) * PIECE, PIECE))
        if len(pieces[-1]) < PIECE:
            return b"".join(pieces)
    raise NoPlayableAudio(f"{uid}: too large")


def fetch_piece(session: Session, uid: int, section: str, offset: int, size: int) -> bytes:
    """Some octets of a section, or (empty) of the whole; fewer at its end. Raises `MessageGone`."""
    answer = session.fetch([uid], [f"BODY.PEEK[{section}]<{offset}.{size}>"]).get(uid)
    if answer is None:
        raise MessageGone(str(uid))
    values = (v for k, v in answer.items() if k.startswith(b"BODY[") and isinstance(v, bytes))
    return next(values, b"")


def _decoded(body: bytes, part: AudioPart, uid: int) -> bytes:
    """By what decodes attachments in Maildirs."""
    header = f"Content-Type: audio/x-any\r\nContent-Transfer-Encoding: {part.encoding}\r\n\r\n"
    audio = audio_attachment(header.encode("ascii") + body)
    if audio is None:
        raise NoPlayableAudio(str(uid))
    return audio
