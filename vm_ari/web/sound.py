"""Sound files as answers: in parts, as players that seek ask for them; kept by no browser."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

CHUNK = 64 * 1024
WAV = "audio/wav"
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@dataclass(frozen=True)
class Part:
    """Some bytes of a file, the last one included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


class OutOfRange(ValueError):
    """A part was asked for that the file has not."""


def part_of(header: str, size: int) -> Part | None:
    """What a Range header asks for (RFC 9110, 14.2); None: the whole. Raises `OutOfRange`.

    Several parts at once are answered by the whole, as are headers that say nothing clear.
    """
    found = _RANGE.fullmatch(header.strip())
    if not found or not any(found.groups()):
        return None
    begin, end = found.groups()
    if not begin:
        first, last = max(0, size - int(end)), size - 1
    else:
        first, last = int(begin), min(int(end), size - 1) if end else size - 1
    if end and begin and int(end) < int(begin):
        return None
    if first > last:
        raise OutOfRange(header)
    return Part(first, last)


async def sound_answer(request: Request, sound: BinaryIO, *, save_as: str = "") -> Response:
    """A WAV file, or the part that is asked for; *sound* is closed when it is sent.

    With *save_as* (ASCII) the browser keeps it as a file of that name.
    """
    size = (await asyncio.to_thread(os.fstat, sound.fileno())).st_size
    headers = {"accept-ranges": "bytes"}
    try:
        part = part_of(request.headers.get("range", ""), size)
    except OutOfRange:
        sound.close()
        headers["content-range"] = f"bytes */{size}"
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    if save_as:
        headers["content-disposition"] = f'attachment; filename="{save_as}"'
    status = HTTPStatus.OK
    if part:
        status = HTTPStatus.PARTIAL_CONTENT
        headers["content-range"] = f"bytes {part.first}-{part.last}/{size}"
    sent = part or Part(0, size - 1)
    headers["content-length"] = str(sent.length)
    return StreamingResponse(_read(sound, sent), status, headers, WAV)


async def _read(sound: BinaryIO, part: Part) -> AsyncIterator[bytes]:
    """In pieces; the file is closed also where the listener goes away."""
    with sound:
        await asyncio.to_thread(sound.seek, part.first)
        left = part.length
        while left and (piece := await asyncio.to_thread(sound.read, min(CHUNK, left))):
            left -= len(piece)
            yield piece
