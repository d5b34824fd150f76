"""Recordings of hours: measured and converted in pieces, so that they need no memory of hours."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from vm_ari.adapters.audio import AudioFormat, BadAudio, Samples

PIECE_SECONDS = 300
_ERRORS = (soundfile.SoundFileError, ValueError, OSError)


def pieces(path: Path, seconds: float = PIECE_SECONDS) -> Iterator[tuple[Samples, int]]:
    """The samples and their rate in Hz, as `audio.read` gives all of them; *seconds* of each.

    Raises `BadAudio`.
    """
    try:
        with soundfile.SoundFile(path) as file:
            size = int(file.samplerate * seconds)
            while True:  # the length in a header may be a lie
                piece = file.read(size, dtype="float64", always_2d=True)
                if len(piece):
                    yield _mono(piece), file.samplerate
                if len(piece) < size:
                    return
    except _ERRORS as error:
        raise BadAudio(path, f"cannot be read ({error})") from error


def _mono(piece: Samples) -> Samples:
    """Frames × channels as one channel."""
    only = piece.shape[1] == 1
    return piece[:, 0] if only else np.asarray(piece.mean(axis=1), dtype=np.float64)


def as_mp3(path: Path) -> bytes:
    """The whole of it; an hour of a telephone's audio is some 10 MB. Raises `BadAudio`."""
    mp3 = AudioFormat.MP3
    how = {"format": mp3.container, "subtype": mp3.codec, "closefd": False}
    try:
        rate = soundfile.info(path).samplerate
        # a file without a name, as in `audio.encode`
        with tempfile.TemporaryFile() as out:
            with soundfile.SoundFile(out.fileno(), "w", rate, 1, **how) as target:
                for samples, _ in pieces(path):
                    target.write(samples)
            out.seek(0)
            return out.read()
    except _ERRORS as error:
        raise BadAudio(path, f"cannot be made MP3 ({error})") from error
