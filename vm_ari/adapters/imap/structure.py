"""Finding the audio in a message without reading it: its BODYSTRUCTURE (RFC 3501 §7.4.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

_DEPTH_LIMIT = 5
_PARTS_LIMIT = 50
_SUFFIXES = (b".wav", b".mp3", b".opus", b".ogg")
_ENCODINGS = {b"base64", b"quoted-printable", b"7bit", b"8bit", b"binary"}


@dataclass(frozen=True)
class AudioPart:
    """Where the audio of a message is."""

    section: str
    """Such as ``2`` or ``1.2``."""
    encoding: str
    size: int
    """Bytes as they are transferred, as the server says."""


def audio_part(structure: Any) -> AudioPart | None:
    """The first part with audio; None where there is none within the limits.

    *structure* is IMAPClient's: whatever a stranger's mail made of it.
    """
    found = (_audio(section, leaf) for section, leaf in _leaves(structure, "", _DEPTH_LIMIT))
    return next((part for part in islice(found, _PARTS_LIMIT) if part is not None), None)


def _leaves(entity: Any, section: str, depth: int) -> Iterator[tuple[str, Sequence[Any]]]:
    if not isinstance(entity, tuple) or not entity:
        return
    if not isinstance(entity[0], list | tuple):
        yield section or "1", entity
        return
    if depth == 0:
        return
    parts = entity[0] if isinstance(entity[0], list) else [p for p in entity if _is_part(p)]
    for number, part in enumerate(parts[:_PARTS_LIMIT], start=1):
        yield from _leaves(part, f"{section}.{number}" if section else str(number), depth - 1)


def _is_part(value: Any) -> bool:
    return isinstance(value, tuple) and len(value) > 6


def _audio(section: str, leaf: Sequence[Any]) -> AudioPart | None:
    if len(leaf) < 7 or not isinstance(leaf[6], int):
        return None
    if _lower(leaf[0]) != b"audio" and not _has_audio_name(leaf):
        return None
    encoding = _lower(leaf[5])
    known = encoding if encoding in _ENCODINGS else b"7bit"
    return AudioPart(section, known.decode("ascii"), leaf[6])


def _has_audio_name(leaf: Sequence[Any]) -> bool:
    """Some systems send audio as application/octet-stream with a telling file name."""
    disposition = [value[1] for value in leaf[8:] if isinstance(value, tuple) and len(value) == 2]
    lists = [value for value in (leaf[2], *disposition) if isinstance(value, tuple)]
    words = [_lower(word) for values in lists for word in values]
    pairs = zip(words[::2], words[1::2], strict=False)
    return any(key in {b"name", b"filename"} and value.endswith(_SUFFIXES) for key, value in pairs)


def _lower(value: Any) -> bytes:
    return value.lower() if isinstance(value, bytes) else b""
