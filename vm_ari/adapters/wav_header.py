"""The header of a WAV recording: how long it is, and mending it when Asterisk was killed.

Asterisk writes the sizes of a WAV file at the end; killed, it leaves them 0 or out of date. The
file's own length then tells the truth. (RIFF WAVE: Microsoft/IBM "Multimedia Programming
Interface and Data Specifications 1.0", 1991.)
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

PCM_MONO_16 = (1, 1, 2, 16)
"""Format tag, channels, bytes per sample, bits: the only kind Asterisk's wav and wav16 write."""
SAMPLE_BYTES = 2


class BadAudio(ValueError):
    """A file that is not the audio it should be; the text says which file and what is wrong."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")


@dataclass(frozen=True)
class _Layout:
    """Where the audio lies in a file, and what the header says about it."""

    rate: int
    riff_size: int
    data_start: int
    data_size: int
    file_size: int
    chunks_follow: bool

    @property
    def audio_bytes(self) -> int:
        """The audio that is really there, in whole samples."""
        there = self.file_size - self.data_start
        size = self.data_size if self.chunks_follow else there
        return size - size % SAMPLE_BYTES


def wav_seconds(path: Path) -> float:
    """Length of a 16-bit mono WAV by the audio that is in it, whatever its header says.

    Raises BadAudio when it is no such file, OSError when it cannot be opened.
    """
    with path.open("rb") as file:
        layout = _layout(path, file)
    return layout.audio_bytes / SAMPLE_BYTES / layout.rate


def repair_wav_header(path: Path) -> bool:
    """Make the sizes in the header fit the file; was anything to be done?

    Audio is never added or lost, except half a sample at the end. A second repair does nothing,
    and one that is interrupted can be repeated. Raises BadAudio, OSError.
    """
    with path.open("r+b") as file:
        layout = _layout(path, file)
        if layout.chunks_follow:
            return False
        end = layout.data_start + layout.audio_bytes
        good = (layout.riff_size, layout.data_size) == (end - 8, layout.audio_bytes)
        if good and layout.file_size == end:
            return False
        file.truncate(end)
        _write_size(file, 4, end - 8)
        _write_size(file, layout.data_start - 4, layout.audio_bytes)
    return True


def _write_size(file: BinaryIO, offset: int, size: int) -> None:
    file.seek(offset)
    file.write(struct.pack("<I", size))


def _layout(path: Path, file: BinaryIO) -> _Layout:
    file_size = file.seek(0, 2)
    file.seek(0)
    start = file.read(12)
    if len(start) < 12 or start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise BadAudio(path, f"no WAV file ({file_size} bytes)")
    rate, riff_size = 0, struct.unpack("<I", start[4:8])[0]
    while len(header := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", header)
        if name == b"data" and rate:
            audio = file.tell()
            follow = _chunks_follow(file, audio + size + size % 2, file_size)
            return _Layout(rate, riff_size, audio, size, file_size, follow)
        if name == b"fmt ":
            rate = _rate(path, file.read(min(size, 16)))
            file.seek(size - min(size, 16) + size % 2, 1)
        else:
            file.seek(size + size % 2, 1)
    raise BadAudio(path, f"the WAV header is cut off ({file_size} bytes)")


def _rate(path: Path, fmt: bytes) -> int:
    if len(fmt) < 16:
        raise BadAudio(path, "the WAV header is cut off")
    tag, channels, rate, _, block, bits = struct.unpack("<HHIIHH", fmt[:16])
    if (tag, channels, block, bits) != PCM_MONO_16 or not rate:
        raise BadAudio(path, f"no 16-bit mono WAV (format {tag}, {channels} channels, {bits} bits)")
    return int(rate)


def _chunks_follow(file: BinaryIO, position: int, file_size: int) -> bool:
    """Is there, from *position*, nothing but well-formed chunks up to the end of the file?

    Then the size of the audio is right. Sound that lies after an old size does not look like that.
    """
    if position >= file_size:
        return False
    while position + 8 <= file_size:
        file.seek(position)
        name, size = struct.unpack("<4sI", file.read(8))
        if not (name.isascii() and name.decode("latin-1").isprintable()):
            break
        position += 8 + size + size % 2
    return position == file_size
