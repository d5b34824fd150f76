"""Whole mails as files: for us alone, whoever may read the recordings beside them."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

PIECE = 1 << 20
"""Bytes that are in memory at a time."""
_LINES = 1 << 16
"""The same where line ends are changed, which may take 80 times as much."""
_BARE = re.compile(rb"(?<!\r)\n")


def write_private(target: Path, pieces: Iterable[bytes]) -> bool:
    """Add *pieces* to a file that only we may read; always true. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    with os.fdopen(os.open(target, flags, 0o600), "ab") as file:
        file.writelines(pieces)
    return True


def with_crlf(source: BinaryIO, most: int | None) -> Iterator[bytes]:
    """What *source* holds with lines that end in CRLF; at most *most* bytes of that."""
    before = b""
    while piece := source.read(_LINES if most is None else min(_LINES, most)):
        ended = _BARE.sub(b"\r\n", before + piece).removeprefix(before)
        before = b"\r" if piece.endswith(b"\r") else b""
        yield ended if most is None else ended[:most]
        most = most if most is None else max(most - len(ended), 0)
