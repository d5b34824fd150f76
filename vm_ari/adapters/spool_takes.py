"""Recordings as Asterisk leaves them in the spool: mended and measured. Blocking."""

import os
import shutil
from pathlib import Path

import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.audio import BadAudio, repair_wav_header, speech_seconds
from vm_ari.adapters.long_audio import pieces

log = structlog.get_logger(__name__)

PAGE = 4096
"""Bytes: Linux writes to a disk, and finds it full, page by page."""
LISTENING = 1.9
"""Seconds that are measured at a time: most messages have shown by then that somebody speaks.

With what `audio.highpass` adds, a little less than a power of two in samples."""


def speech_of(path: Path, seconds: float) -> float:
    """How much was said until it was clear that somebody speaks, in seconds; 0.0: nobody did.

    All *seconds*, where a sound file refuses to be measured: never lose it.
    """
    try:
        measured = (speech_seconds(*piece) for piece in pieces(path, LISTENING))
        return next((said for said in measured if said), 0.0)
    except BadAudio as error:
        log.warning("speech not measured", reason=str(error))
        return seconds


def mend(path: Path) -> bool:
    """Repair the header, on a copy where Asterisk's user did not let us write to its file."""
    try:
        return repair_wav_header(path)
    except PermissionError:
        copy = path.with_name(path.name + durable.UNFINISHED)
        shutil.copyfile(path, copy)
        if mended := repair_wav_header(copy):
            durable.sync(copy)
            copy.rename(path)
        else:
            copy.unlink()
        return mended


def ran_out_of_room(path: Path) -> bool:
    """Did a full disk take only a part of it? Asterisk does not always notice.

    Its last write is missing then: a hole where the caller hung up, else an end where a page of the
    disk ends. No whole recording has either: 44 bytes and frames of 160 or 320 make no page.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        return size % PAGE == 0 or os.lseek(file.fileno(), 0, os.SEEK_HOLE) < size


def share(source: Path, target: Path) -> None:
    """The same file under another name, durably but for the name; a copy where that cannot be.

    Linux gives no second name to a file that we may not write to (``protected_hardlinks``).
    """
    durable.sync(source)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
        durable.sync(target)
