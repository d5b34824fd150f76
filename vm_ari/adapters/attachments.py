"""Audio that came by mail, from anybody, made playable for the telephone."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

LONGEST_SECONDS = 15 * 60
"""Audio of a mail is decoded so far and no further."""
_TELEPHONE_RATES = (8000, 16000)
_BLOCK = 1 << 16


class NotAudio(Exception):
    """These bytes are nothing that can be played by telephone."""


def decode(data: bytes, target: Path) -> Path:
    """Write *data* as a file that Asterisk plays: mono 16-bit ``.wav`` (8 kHz) or ``.wav16``.

    *target* has no suffix; the path with its suffix is returned. Raises `NotAudio`.
    """
    try:
        with (
            _without_name(data) as file,
            soundfile.SoundFile(file.fileno(), closefd=False) as source,
        ):
            rate = source.samplerate if source.samplerate in _TELEPHONE_RATES else 16000
            path = target.with_name(target.name + (".wav" if rate == 8000 else ".wav16"))
            _write(source, path, rate)
            return path
    except (soundfile.LibsndfileError, soundfile.SoundFileRuntimeError) as error:
        raise NotAudio(str(error)) from error


@contextmanager
def _without_name(data: bytes) -> Iterator[IO[bytes]]:
    """A file: memory the library reads by callbacks, which a confined service may not make."""
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        yield file


def _write(source: soundfile.SoundFile, path: Path, rate: int) -> None:
    """Block by block, so that a long or lying file costs no memory."""
    stream = soxr.ResampleStream(source.samplerate, rate, 1, dtype="int16")
    with soundfile.SoundFile(path, "w", rate, 1, "PCM_16", format="WAV") as out:
        for mono in _mono_blocks(source):
            out.write(mono if source.samplerate == rate else stream.resample_chunk(mono))
        if source.samplerate != rate:
            out.write(stream.resample_chunk(np.zeros(0, np.int16), last=True))


def _mono_blocks(source: soundfile.SoundFile) -> Iterator[npt.NDArray[np.int16]]:
    """Not `SoundFile.blocks`: for GSM it goes on with silence after the end."""
    left = LONGEST_SECONDS * source.samplerate
    while left > 0:
        block = source.read(min(_BLOCK, left), dtype="int16", always_2d=True)
        if not len(block):
            return
        left -= len(block)
        yield block.mean(axis=1).astype(np.int16)
