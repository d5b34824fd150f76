"""Short recordings of Asterisk below the spool, of greetings and names: looked at in threads."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters.audio import read, speech_seconds
from vm_ari.adapters.wav_header import BadAudio, repair_wav_header, wav_seconds
from vm_ari.domain.recording import Take

DIRECTORY_MODE = 0o2770
"""Asterisk, perhaps another user of the same group, writes its files into ours."""
WAV_HEADER = 44

T = TypeVar("T")


def inspected(path: Path) -> Take | None:
    """Mended and measured; None: nothing was recorded. Blocks. Raises `BadAudio`, OSError."""
    if not path.is_file() or path.stat().st_size <= WAV_HEADER:
        return None
    repair_wav_header(path)
    samples, rate = read(path)
    return Take(wav_seconds(path), speech_seconds(samples, rate))


async def on_takes(
    work: Callable[[], T], folder: Path, unavailable: Callable[[str], Exception]
) -> T:
    """Blocking work on takes in that *folder*. Raises what *unavailable* makes."""
    try:
        return await asyncio.to_thread(work)
    except OSError as error:
        where = error.filename or folder
        raise unavailable(f"{error.strerror or error}: {where}") from error
    except BadAudio as error:
        raise unavailable(str(error)) from error
