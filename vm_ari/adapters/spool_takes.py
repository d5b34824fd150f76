"""Recordings as Asterisk leaves them in the spool: mended and measured. Blocking."""

import os
import shutil
from pathlib import Path

import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.audio import BadAudio, repair_wav_header, speech_seconds
from vm_ari.adapters.long_audio import pieces

log = structlog.get_logger(__name__)


def speech_of(path: Path, seconds: float) -> float:
    """How much was said; all of it, where a sound file refuses to be measured: never lose it."""
    try:
        return sum(speech_seconds(samples, rate) for samples, rate in pieces(path) if len(samples))
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
