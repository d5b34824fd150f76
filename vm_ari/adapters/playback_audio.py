"""Messages at another speed and the same pitch, for the telephone (INBOX-05).

By WSOLA (audiotsm): pieces of 40 ms, each taken from where it fits the one before best. Speech
stays as easy to understand as it can be; nothing is resampled.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import soundfile
import structlog
from audiotsm import wsola

from vm_ari.adapters.audio import Samples
from vm_ari.domain.playback import Speed

log = structlog.get_logger(__name__)

PIECE = 0.04
"""Seconds: some periods of the deepest voice, and shorter than most sounds of speech."""
AT_ONCE = 1
"""Threads: a user waits some tenths of a second, and hears the message meanwhile."""


class PlaybackAudio:
    """Prepares files beside the message; they go with it at the end of the call."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(AT_ONCE, "playback")

    async def at_speed(self, recording: Path, speed: Speed) -> Path | None:
        """The WAV file at that speed, made once; None, with a line in the log, if it cannot be."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, prepared, recording, speed)
        except (OSError, soundfile.SoundFileError) as error:
            log.error("no other speed", file=recording.name, reason=str(error))
            return None

    def close(self) -> None:
        """What is being prepared is not finished for anybody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def prepared(recording: Path, speed: Speed) -> Path:
    """Make the file, or find it made. Raises OSError, SoundFileError."""
    made = recording.with_stem(f"{recording.stem}-{round(speed.value * 100)}")
    if not made.exists():
        unfinished = made.with_name(f"{made.name}.unfinished")
        _stretch(recording, unfinished, speed)
        unfinished.chmod(recording.stat().st_mode & 0o777)
        unfinished.replace(made)  # whole or not at all
    return made


def _stretch(recording: Path, to: Path, speed: Speed) -> None:
    """Piece by piece, so that a long message costs no memory."""
    with soundfile.SoundFile(recording) as source:
        rate = source.samplerate
        with soundfile.SoundFile(to, "w", rate, 1, "PCM_16", format="WAV") as target:
            procedure = wsola(1, speed.value, frame_length=round(PIECE * rate))
            procedure.run(_Source(source), _Target(target))


class _Source:
    """A mono file as audiotsm reads one (`audiotsm.io.base.Reader`)."""

    channels = 1

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file
        self.empty = False
        """Has a read found less than it wanted? The length in a header may be a lie."""

    def read(self, buffer: Samples) -> int:
        """Fill the buffer as far as the file goes."""
        block = self._file.read(buffer.shape[1], always_2d=True)[:, 0]
        buffer[0, : len(block)] = block
        self.empty = len(block) < buffer.shape[1]
        return len(block)

    def skip(self, count: int) -> int:
        """Leave samples out."""
        skipped = len(self._file.read(count))
        self.empty = skipped < count
        return skipped


class _Target:
    """A mono file as audiotsm writes one (`audiotsm.io.base.Writer`)."""

    channels = 1

    def __init__(self, file: soundfile.SoundFile) -> None:
        self._file = file

    def write(self, buffer: Samples) -> int:
        """Add it all."""
        self._file.write(buffer[0].clip(-1.0, 1.0))
        return int(buffer.shape[1])
